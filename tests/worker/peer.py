"""A broker made of one TCP socket, whose every byte the test decides."""

from __future__ import annotations

import asyncio
import json
import threading
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
    from contextlib import AbstractAsyncContextManager

Entered = TypeVar("Entered")


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """One HTTP request as it came over the wire."""

    line: str
    headers: Mapping[str, str]
    body: bytes


class Exchange:
    """One accepted connection, seen from the broker's side."""

    def __init__(self, peer: Peer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._peer = peer
        self._reader = reader
        self._writer = writer

    async def receive(self) -> Received:
        """Read one whole request."""
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        line, *fields = head.strip().split("\r\n")
        headers = {name.lower(): value for name, value in (field.split(": ", 1) for field in fields)}
        body = await self._reader.readexactly(int(headers.get("content-length", "0")))
        received = Received(line=line, headers=headers, body=body)
        self._peer.received.append(received)
        return received

    async def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        self._writer.write(data)
        await self._writer.drain()

    async def respond(
        self, status: int, body: bytes, *, headers: str = "content-type: application/json\r\n"
    ) -> None:
        """Send a whole response of known length."""
        head = f"HTTP/1.1 {status} Whatever\r\n{headers}content-length: {len(body)}\r\n\r\n"
        await self.send(head.encode("latin-1") + body)

    async def end(self) -> str:
        """Wait until the caller ends the connection, and say how: "reset", or "closed" in order."""
        try:
            while await self._reader.read(65_536):
                pass
        except ConnectionResetError:
            return "reset"
        return "closed"

    def reset(self) -> None:
        """End the connection with a reset."""
        self._writer.transport.abort()


class Peer:
    """The listening side; `received` holds every whole request in order of arrival."""

    def __init__(self) -> None:
        self.url = ""
        self.connections = 0
        self.received: list[Received] = []


@asynccontextmanager
async def listening(
    script: Callable[[Exchange], Awaitable[None]], *, tls: ssl.SSLContext | None = None
) -> AsyncIterator[Peer]:
    """Listen on a free port and play `script` on each connection, which is closed after it."""
    peer = Peer()

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer.connections += 1
        try:
            await script(Exchange(peer, reader, writer))
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the caller went away, or the test is over
        finally:
            writer.close()

    server = await asyncio.start_server(play, "127.0.0.1", 0, limit=1024 * 1024, ssl=tls)
    peer.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield peer


@contextmanager
def listening_in_a_thread(script: Callable[[Exchange], Awaitable[None]]) -> Iterator[Peer]:
    """Listen beside a test that waits for other processes."""
    with in_a_thread(listening(script)) as peer:
        yield peer


@contextmanager
def in_a_thread(context: AbstractAsyncContextManager[Entered]) -> Iterator[Entered]:
    """Keep something asynchronous going beside a test that waits for other processes."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield asyncio.run_coroutine_threadsafe(context.__aenter__(), loop).result(10)
    finally:
        asyncio.run_coroutine_threadsafe(_end(context), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _end(context: AbstractAsyncContextManager[Entered]) -> None:
    await context.__aexit__(None, None, None)
    playing = asyncio.all_tasks() - {asyncio.current_task()}
    for task in playing:
        task.cancel()
    await asyncio.gather(*playing, return_exceptions=True)


async def order_placed(exchange: Exchange) -> None:
    """Answer every request like a broker that is well."""
    while True:
        request = await exchange.receive()
        order = json.loads(request.body or b"{}")
        await exchange.respond(200, json.dumps({"id": "1", **order}).encode())
