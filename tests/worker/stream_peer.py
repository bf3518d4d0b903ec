"""A broker's stream that does as the test says."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING

from websockets.asyncio.server import ServerConnection, serve

from tests.worker.peer import in_a_thread

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator

LISTENING = {"stream": "listening", "data": {"streams": ["trade_updates"]}}


def authorization(status: str) -> dict[str, object]:
    return {"stream": "authorization", "data": {"status": status, "action": "authenticate"}}


class StreamPeer:
    """Every connection plays the script; the words of clients are kept. Orders may come from any thread."""

    def __init__(self, script: Callable[[StreamPeer, ServerConnection], Awaitable[None]]) -> None:
        self.url = ""
        self.connections = 0
        self.said: list[dict[str, object]] = []
        self.listeners: list[ServerConnection] = []
        self.listened = asyncio.Event()
        self.takes: tuple[str, ...] = ("authenticate", "auth")
        self._script = script
        self._loop = asyncio.get_running_loop()

    async def play(self, connection: ServerConnection) -> None:
        """Serve one connection."""
        self.connections += 1
        await self._script(self, connection)

    async def hear(self, connection: ServerConnection) -> dict[str, object]:
        """Hear and keep what the client says next."""
        said: dict[str, object] = json.loads(await connection.recv())
        self.said.append(said)
        return said

    async def say(self, connection: ServerConnection, message: object) -> None:
        """Say something in JSON, in a binary frame as the paper environment does."""
        await connection.send(json.dumps(message).encode())

    async def admit(self, connection: ServerConnection) -> bool:
        """Go through the first words, as Alpaca does; false when the client was not authorized."""
        said = await self.hear(connection)
        if said["action"] not in self.takes:
            await self.say(connection, authorization("unauthorized"))
            return False
        await self.say(connection, authorization("authorized"))
        await self.hear(connection)
        await self.say(connection, LISTENING)
        return True

    def send(self, *messages: bytes | str) -> None:
        """Send to all who listen."""
        self._do(self._send(messages))

    def reset(self) -> None:
        """End the connections of all who listen, without a word."""
        self._do(self._reset())

    async def _reset(self) -> None:
        for listener in self.listeners:
            listener.transport.abort()

    async def _send(self, messages: tuple[bytes | str, ...]) -> None:
        for listener in tuple(self.listeners):
            for message in messages:
                await listener.send(message)

    def _do(self, work: Coroutine[None, None, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(30)


async def well(peer: StreamPeer, connection: ServerConnection) -> None:
    """Do what Alpaca does on a calm day: admit, and then only listen."""
    if await peer.admit(connection):
        peer.listeners.append(connection)
        peer.listened.set()
        try:
            await connection.wait_closed()
        finally:
            peer.listeners.remove(connection)
    else:
        await connection.wait_closed()


@asynccontextmanager
async def streaming(
    script: Callable[[StreamPeer, ServerConnection], Awaitable[None]] = well,
    *,
    tls: ssl.SSLContext | None = None,
) -> AsyncIterator[StreamPeer]:
    """Listen on a free port and play `script` on each connection, which is closed after it."""
    peer = StreamPeer(script)
    async with serve(peer.play, "127.0.0.1", 0, ssl=tls, ping_interval=None, close_timeout=1) as server:
        [socket] = server.sockets
        peer.url = f"{'ws' if tls is None else 'wss'}://127.0.0.1:{socket.getsockname()[1]}/stream"
        yield peer


@contextmanager
def streaming_in_a_thread(
    script: Callable[[StreamPeer, ServerConnection], Awaitable[None]] = well,
) -> Iterator[StreamPeer]:
    """Stream beside a test that waits for other processes."""
    with in_a_thread(streaming(script)) as peer:
        yield peer
