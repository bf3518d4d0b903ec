"""How fast the sandbox is: python -m tests.sandbox.speed [rounds].

Starts it as a process, durable and in memory, has 16 connections place orders, and reports orders a second
and the process's own CPU time of each in the best of several rounds, since other work on the machine can only
make a round slower. Then the time to load a long past and to list pages of it.
"""

from __future__ import annotations

import asyncio
import contextlib
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
CONNECTIONS = 16
ORDERS = 25  # of each connection in a round
TICKS = os.sysconf("SC_CLK_TCK")


class Measured:
    """A sandbox in a process of its own."""

    def __init__(self, *options: str, **settings: Json) -> None:
        command = [sys.executable, "-c", START, *options, "--account", "paper:K:S"]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        with self._process.stdout as said:
            self.url = said.readline().removeprefix("sandbox: ").strip()
        self.tell("PUT", "settings", {"rate_limit": 0, **settings})
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


async def connections(url: str) -> list[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    host, port = url.removeprefix("http://").split(":")
    return [await asyncio.open_connection(host, int(port)) for _ in range(CONNECTIONS)]


async def place_orders(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    for _ in range(ORDERS):
        order = {"symbol": "GOOG", "qty": "1", "side": "buy", "type": "limit", "limit_price": "1.5",
                 "time_in_force": "day", "client_order_id": uuid.uuid4().hex * 2}  # fmt: skip
        await exchange(reader, writer, request("POST", "/v2/orders", json.dumps(order).encode()))


async def page_s(url: str, path: str) -> float:
    """The best of twenty, network included."""
    (reader, writer), *_ = pool = await connections(url)
    times = []
    for _ in range(20):
        began = time.perf_counter()
        await exchange(reader, writer, request("GET", path))
        times.append(time.perf_counter() - began)
    for _, other in pool:
        other.close()
    return min(times)


async def measure_orders(name: str, rounds: int, *options: str, **settings: Json) -> None:
    took_s, cpu_s = [], []
    with contextlib.closing(Measured(*options, **settings)) as measured:
        pool = await connections(measured.url)
        for _ in range(rounds):
            before_s, began = measured.cpu_s(), time.perf_counter()
            await asyncio.gather(*(place_orders(reader, writer) for reader, writer in pool))
            took_s.append(time.perf_counter() - began)
            cpu_s.append(measured.cpu_s() - before_s)
        for _, writer in pool:
            writer.close()
    count = CONNECTIONS * ORDERS
    print(
        f"{name}: {count / min(took_s):.0f} orders a second; {1000 * min(cpu_s) / count:.2f} ms CPU each,"
        f" {count / min(cpu_s):.0f} a second of one core"
    )


async def measure_past(*options: str) -> None:
    past: Json = {"account": "paper", "orders": 100_000, "fills_per_order": 2, "open": 1000}
    with contextlib.closing(Measured(*options)) as measured:
        took_s = measured.tell("POST", "history", past)
        print(f"100,000 orders and 180,000 fills loaded in {took_s:.1f} s")
        for path in (
            "/v2/orders?status=all&limit=500&direction=asc&nested=true&after=2026-06-01",
            "/v2/orders?status=open&limit=500",
            "/v2/account/activities/FILL?direction=asc&after=2026-06-01",
        ):
            print(f"{1000 * await page_s(measured.url, path):.1f} ms: GET {path}")


async def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    with tempfile.TemporaryDirectory() as directory:
        await measure_orders("durable", rounds, "--data", f"{directory}/orders")
        await measure_orders("in memory", rounds, "--in-memory")
        await measure_orders("in memory, new at once", rounds, "--in-memory", accept_after_ms=0)
        await measure_past("--data", f"{directory}/past")


if __name__ == "__main__":
    asyncio.run(main())
