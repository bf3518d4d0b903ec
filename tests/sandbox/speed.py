"""How fast the sandbox is: python -m tests.sandbox.speed [connections] [orders a connection].

Starts it as a process, durable and in memory, and reports orders a second and the CPU time of each; then the
time to load a long past and to list a page of it. What the clients of this script need comes on top, so on a
machine with two cores the process's own time is the figure to look at.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    from worker.sandbox.values import Json

START = "from worker.sandbox.command import sandbox; sandbox()"
TICKS = os.sysconf("SC_CLK_TCK")


class Measured:
    """A sandbox in a process of its own."""

    def __init__(self, *options: str) -> None:
        command = [sys.executable, "-c", START, *options, "--account", "paper:K:S"]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        with self._process.stdout as said:
            self.url = said.readline().removeprefix("sandbox: ").strip()
        self.tell("PUT", "settings", {"rate_limit": 0})
        self.tell("PUT", "accounts/paper", {"cash": "1000000000"})

    def tell(self, method: str, path: str, body: Json) -> float:
        """An admin call; returns the seconds that it took."""
        began = time.perf_counter()
        httpx.request(method, f"{self.url}/admin/{path}", json=body, timeout=300).raise_for_status()
        return time.perf_counter() - began

    def cpu_s(self) -> float:
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def close(self) -> None:
        self._process.terminate()
        self._process.wait()


def request(method: str, path: str, body: bytes = b"") -> bytes:
    head = f"{method} {path} HTTP/1.1\r\nHost: sandbox\r\nAPCA-API-KEY-ID: K\r\nAPCA-API-SECRET-KEY: S\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


async def exchange(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, wanted: bytes) -> bytes:
    """One request and its response; a client that costs next to nothing."""
    writer.write(wanted)
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    assert head.startswith(b"http/1.1 200"), head
    return await reader.readexactly(int(head.split(b"content-length: ")[1].split(b"\r\n")[0]))


async def place_orders(url: str, orders: int) -> None:
    host, port = url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    for _ in range(orders):
        order = {"symbol": "GOOG", "qty": "1", "side": "buy", "type": "limit", "limit_price": "1.5",
                 "time_in_force": "day", "client_order_id": uuid.uuid4().hex * 2}  # fmt: skip
        await exchange(reader, writer, request("POST", "/v2/orders", json.dumps(order).encode()))
    writer.close()


async def page_s(url: str, path: str) -> float:
    """The best of ten, network included."""
    host, port = url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    times = []
    for _ in range(10):
        began = time.perf_counter()
        await exchange(reader, writer, request("GET", path))
        times.append(time.perf_counter() - began)
    writer.close()
    return min(times)


async def measure_orders(name: str, options: list[str], connections: int, orders: int) -> None:
    measured = Measured(*options)
    before_s, began = measured.cpu_s(), time.perf_counter()
    await asyncio.gather(*(place_orders(measured.url, orders) for _ in range(connections)))
    took_s, cpu_s, count = time.perf_counter() - began, measured.cpu_s() - before_s, connections * orders
    print(
        f"{name}: {count} orders over {connections} connections, {count / took_s:.0f} a second;"
        f" {1000 * cpu_s / count:.2f} ms CPU each, {count / cpu_s:.0f} a second of one core"
    )
    measured.close()


async def measure_past(options: list[str]) -> None:
    measured = Measured(*options)
    past: Json = {"account": "paper", "orders": 100_000, "fills_per_order": 2, "open": 1000}
    took_s = measured.tell("POST", "history", past)
    print(f"100,000 orders and 180,000 fills loaded in {took_s:.1f} s")
    for path in (
        "/v2/orders?status=all&limit=500&direction=asc&nested=true&after=2026-06-01",
        "/v2/orders?status=open&limit=500",
        "/v2/account/activities/FILL?direction=asc&after=2026-06-01",
    ):
        print(f"{1000 * await page_s(measured.url, path):.1f} ms: GET {path}")
    measured.close()


async def main() -> None:
    connections, orders = (int(text) for text in (*sys.argv[1:], "16", "500")[:2])
    with tempfile.TemporaryDirectory() as directory:
        await measure_orders("durable", ["--data", f"{directory}/orders"], connections, orders)
        await measure_orders("in memory", ["--in-memory"], connections, orders)
        await measure_past(["--data", f"{directory}/past"])


if __name__ == "__main__":
    asyncio.run(main())
