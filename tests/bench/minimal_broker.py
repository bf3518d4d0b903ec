"""A broker that answers at once and notes when the first byte of each POST came in: a process of its own.

    python -m tests.bench.minimal_broker LOG

It prints its URL. The log has a line for each order: client_order_id, and the monotonic clock in nanoseconds,
which is one clock for all processes of a machine.
"""

from __future__ import annotations

import asyncio
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TextIO
from urllib.parse import parse_qsl, urlsplit

from tests.bench.carrying import Minutes, Request, RestingBook, body_of

if TYPE_CHECKING:
    from pathlib import Path

KINDS = {
    "/v2/account": "get_account",
    "/v2/orders": "list_orders",
    "/v2/positions": "list_positions",
}


@dataclass(slots=True)
class Desk:
    """The orders, and the log of their arrival."""

    log: TextIO
    book: RestingBook = field(default_factory=lambda: RestingBook(Minutes(1_000_000)))

    def answer(self, method: str, target: str, body: bytes, arrived_ns: int) -> bytes:
        """The whole response to one request."""
        parts = urlsplit(target)
        kind = "submit_order" if method == "POST" else KINDS.get(parts.path, "other")
        if kind == "other" and parts.path.startswith("/v2/orders/"):
            kind = "get_order"
        number = f"order-{arrived_ns}"
        query = dict(parse_qsl(parts.query))
        request = Request(number, "paper", kind, parts.path, query, body.decode(), None)
        document = self.book.answer(request)
        if kind == "submit_order":
            assert isinstance(document, dict)
            self.log.write(f"{document['client_order_id']} {arrived_ns}\n")
        text = body_of(document)
        headers = {
            "content-type": "application/json",
            "content-length": str(len(text)),
            "x-request-id": "0123456789abcdef0123456789abcdef",
            **self.book.headers(request),
        }
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        return b"HTTP/1.1 200 OK\r\n" + head.encode() + b"\r\n" + text


class Line(asyncio.Protocol):
    """One connection: requests one after the other."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.received = b""
        self.arrived_ns = 0
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Note when a request began, and answer it when it is whole."""
        if not self.received:
            self.arrived_ns = time.monotonic_ns()
        self.received += data
        head, end, body = self.received.partition(b"\r\n\r\n")
        if not end:
            return
        lines = head.decode().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:])}
        if len(body) < int(headers.get("content-length", "0")):
            return
        self.received = b""
        method, target, _ = lines[0].split(" ")
        assert self.transport is not None
        self.transport.write(self.desk.answer(method, target, body, self.arrived_ns))


async def serve(log: Path | str) -> None:
    """Answer until killed."""
    with open(log, "w", buffering=1) as lines:  # noqa: ASYNC230, PTH123
        desk = Desk(lines)
        server = await asyncio.get_running_loop().create_server(lambda: Line(desk), "127.0.0.1", 0)
        host, port = server.sockets[0].getsockname()
        print(f"http://{host}:{port}", flush=True)
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1]))
