"""Below HTTP: the socket of a request, and the door through which connections come.

ASGI has no word for a reset. uvicorn hands each protocol instance the application's state and copies it into
the scope of each request; our protocol adds its transport to it there, so that a request can reach its own
socket as ``scope["state"]["transport"]``. A reset is ``SO_LINGER`` of zero seconds and ``transport.abort()``.
"""

import asyncio
import contextlib
import socket
import struct
from typing import TYPE_CHECKING, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from worker.sandbox.bodies import Answer
from worker.sandbox.clock import NS, Clock
from worker.sandbox.faults import Endless

if TYPE_CHECKING:
    from starlette.types import Message, Receive, Scope, Send
    from uvicorn import Server

LINGER_NOT: Final = struct.pack("ii", 1, 0)
MAX_REQUEST_BYTES: Final = 1 << 20


class ClientGoneError(Exception):
    """The client left before its request was complete."""


class SandboxProtocol(HttpToolsProtocol):
    """uvicorn's protocol, with the transport shown to the application and a door that may be shut."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Show the transport to the requests of this connection, or hang up."""
        corked = Corked(transport)
        super().connection_made(corked)  # type: ignore[arg-type]
        self.app_state = {**self.app_state, "transport": corked}
        door = self.app_state.get("door")
        if isinstance(door, Door) and door.hangs_up:
            transport.abort()


class Corked:
    """A transport that sends what one turn of the loop writes together: head and body in one packet."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._waiting: list[bytes] = []
        self._loop = asyncio.get_running_loop()

    def write(self, data: bytes) -> None:
        """Send data with whatever else comes in this turn."""
        if not self._waiting:
            self._loop.call_soon(self.flush)
        self._waiting.append(data)

    def flush(self) -> None:
        """Send what waits."""
        if self._waiting:
            data = b"".join(self._waiting)
            self._waiting.clear()
            self._transport.write(data)

    def close(self) -> None:
        """Send what waits, and end the connection in good order (FIN)."""
        self.flush()
        self._transport.close()

    def reset(self) -> None:
        """Send what waits, and end the connection with a reset (RST)."""
        self.flush()
        sock = self._transport.get_extra_info("socket")
        if sock is not None and not self._transport.is_closing():
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NOT)
        self._transport.abort()

    def __getattr__(self, name: str) -> object:
        """Everything else is the transport's own."""
        return getattr(self._transport, name)


class Wire:
    """One request's way back to its client, fair or foul."""

    def __init__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        self._scope = scope
        self._receive = receive
        self._send = send

    async def body(self) -> bytes:
        """The request's body, cut at a megabyte. Raises ClientGoneError."""
        whole = b""
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise ClientGoneError
            whole += bytes(message.get("body", b""))
            if not message.get("more_body", False) or len(whole) > MAX_REQUEST_BYTES:
                return whole

    async def answer(self, answer: Answer, headers: list[tuple[str, str]]) -> None:
        """Send a response."""
        body = answer.body
        if answer.status == 204:
            body = b""  # whatever a fault made of it
        else:
            headers = [*headers, ("Content-Length", str(len(body)))]
        await self._send(_start(answer, headers))
        await self._send({"type": "http.response.body", "body": body})

    async def close(self) -> None:
        """End the connection in good order (FIN), with nothing said."""
        transport_of(self._scope).close()
        await self.client_gone()

    async def reset(self) -> None:
        """End the connection with a reset (RST)."""
        transport_of(self._scope).reset()
        await self.client_gone()

    async def reset_after_headers(self, answer: Answer, headers: list[tuple[str, str]]) -> None:
        """Promise a body, then reset."""
        await self._send(_start(answer, [*headers, ("Content-Length", str(len(answer.body)))]))
        await self.reset()

    async def endless(self, fault: Endless, content_type: str, headers: list[tuple[str, str]]) -> None:
        """Send chunk upon chunk until the client leaves."""
        await self._send(_start(Answer(fault.status, b"", content_type), headers))
        gone = asyncio.create_task(self.client_gone())
        chunk = b'{"message":"' + b"x" * fault.chunk_bytes
        try:
            while not gone.done():
                await self._send(
                    {"type": "http.response.body", "body": chunk[: fault.chunk_bytes], "more_body": True}
                )
                chunk = b"x" * fault.chunk_bytes
                await asyncio.sleep(fault.pace_ms / 1000)
        finally:
            gone.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await gone

    async def client_gone(self) -> None:
        """Return when the connection is no more."""
        while (await self._receive())["type"] != "http.disconnect":
            pass


def _start(answer: Answer, headers: list[tuple[str, str]]) -> "Message":
    own = [("Content-Type", answer.content_type)] if answer.body or answer.status != 204 else []
    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in (*own, *headers)]
    return {"type": "http.response.start", "status": answer.status, "headers": raw}


def transport_of(scope: "Scope") -> Corked:
    """The connection of a request or of a WebSocket."""
    transport = scope.get("state", {}).get("transport")
    if not isinstance(transport, Corked):
        raise TypeError("this fault needs a real connection: run the sandbox under its own server")
    return transport


class Door:
    """The listening socket: open, refusing (nobody listens), or hanging up on whoever comes in."""

    def __init__(self, server: "Server", clock: Clock) -> None:
        self._server = server
        self._clock = clock
        self._address: tuple[str, int] | None = None
        self._timer: asyncio.Task[None] | None = None
        self.hangs_up = False

    async def refuse(self, seconds: float, spare: object = None) -> None:
        """Stop listening and reset every connection but one, for some seconds of sandbox time."""
        until_ns = self._clock.now_ns() + round(seconds * NS)
        await self.open()
        self._address = self._server.servers[0].sockets[0].getsockname()
        for listener in self._server.servers:
            listener.close()
        self._shake_off(spare)
        self._timer = asyncio.create_task(self._open_at(until_ns))

    async def hang_up(self, seconds: float, spare: object = None) -> None:
        """Accept connections and drop them unread, for some seconds of sandbox time."""
        until_ns = self._clock.now_ns() + round(seconds * NS)
        await self.open()
        self.hangs_up = True
        self._shake_off(spare)
        self._timer = asyncio.create_task(self._open_at(until_ns))

    async def open(self) -> None:
        """Let connections in again."""
        if self._timer is not None and self._timer is not asyncio.current_task():
            self._timer.cancel()
        self._timer = None
        self.hangs_up = False
        if self._address is None:
            return
        server, loop = self._server, asyncio.get_running_loop()
        listener = await loop.create_server(
            lambda: SandboxProtocol(
                config=server.config, server_state=server.server_state, app_state=server.lifespan.state
            ),
            sock=listening_socket(*self._address),
        )
        server.servers = [listener]
        self._address = None

    async def _open_at(self, until_ns: int) -> None:
        # A point in time, not a span: the clock may be pushed before this task first runs.
        await self._clock.sleep_until(until_ns)
        await self.open()

    def _shake_off(self, spare: object) -> None:
        for connection in tuple(self._server.server_state.connections):
            transport: object = connection.transport
            if isinstance(transport, Corked) and transport is not spare:
                transport.reset()


def listening_socket(host: str, port: int) -> socket.socket:
    """A bound socket; port 0 takes a free one.

    asyncio switches Nagle's algorithm off only for sockets that say they are TCP; without that each answer
    would wait 40 ms for the client's delayed acknowledgement.
    """
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((host, port))
    except OSError:
        sock.close()
        raise
    return sock
