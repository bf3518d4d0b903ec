"""The WebSocket /stream: authenticating, listening, and the task that pushes what falls due [D WS; S PY]."""

import asyncio
import contextlib
from typing import TYPE_CHECKING, Final

from worker.sandbox.auth import KeyRing
from worker.sandbox.book import Book
from worker.sandbox.clock import Clock
from worker.sandbox.errors import ApiError
from worker.sandbox.hub import Cut, Frame, Hub, Item
from worker.sandbox.transport import transport_of
from worker.sandbox.validation import read_members
from worker.sandbox.values import Json, time_text, to_json

if TYPE_CHECKING:
    from starlette.types import Message, Receive, Scope, Send

PATH: Final = "/stream"
STREAMS: Final = ("trade_updates",)
MAX_WAITING: Final = 10_000  # a reader that is further behind is cut


class SocketSession:
    """One connection: what its client says, and what it is sent, in order."""

    def __init__(self, book: Book, keys: KeyRing, hub: Hub, scope: "Scope", send: "Send") -> None:
        self.account: str | None = None
        self.listens = False
        self._book = book
        self._keys = keys
        self._hub = hub
        self._scope = scope
        self._send = send
        self._since_ns = book.clock.now_ns()
        self._waiting: asyncio.Queue[bytes | Cut] = asyncio.Queue()
        self._frames = 0

    def put(self, item: Item) -> None:
        """Send an item after all that was put before."""
        if self._waiting.qsize() >= MAX_WAITING:
            transport_of(self._scope).reset()
        self._waiting.put_nowait(item.data if isinstance(item, Frame) else item)

    async def drained(self) -> None:
        """Return when everything that was put is on its way."""
        await self._waiting.join()

    def shown(self) -> dict[str, Json]:
        """Whose it is, and what it got."""
        return {
            "account": self.account,
            "listens": self.listens,
            "since": time_text(self._since_ns),
            "frames": self._frames,
        }

    async def write(self) -> None:
        """Send what is put, until the connection ends."""
        while True:
            item = await self._waiting.get()
            try:
                if isinstance(item, Cut):
                    await self._cut(item.how)
                else:
                    await self._send(self._framed(item))
                    self._frames += 1
            except OSError:  # the client has gone; the reader hears of it too
                pass
            finally:
                self._waiting.task_done()

    async def _cut(self, how: str) -> None:
        if how == "reset":
            transport_of(self._scope).reset()
        else:
            await self._send({"type": "websocket.close", "code": 1001, "reason": "going away"})

    def _framed(self, data: bytes) -> "Message":
        """Paper sends binary frames that hold JSON, live sends text [D WS]."""
        if self._book.settings.stream_frames == "text":
            with contextlib.suppress(UnicodeDecodeError):
                return {"type": "websocket.send", "text": data.decode()}
        return {"type": "websocket.send", "bytes": data}

    def take(self, message: "Message") -> None:
        """Hear one message of the client."""
        raw = message.get("bytes")
        said = read_members(message.get("text") or "" if raw is None else bytes(raw))
        match said:
            case {"action": "authenticate", "data": dict(data)}:
                self._authenticate(data.get("key_id"), data.get("secret_key"))
            case {"action": "auth", "key": key, "secret": secret}:
                self._authenticate(key, secret)
            case {"action": "listen", "data": {"streams": list(streams)}}:
                self._listen(streams)
            case {"action": _}:
                self._answer({"action": "error", "data": {"error_message": "unknown action"}})
            case _:
                self._answer({"action": "error", "data": {"error_message": "invalid message"}})

    def _authenticate(self, key: Json, secret: Json) -> None:
        self.account, self.listens = None, False
        self._hub.listen(self, None)
        with contextlib.suppress(ApiError):
            _, self.account = self._keys.open(str(key).encode(), str(secret).encode())
        self._authorization("authenticate")

    def _listen(self, streams: list[Json]) -> None:
        """Each listen replaces the set; what is not offered is left out of the answer [D WS]."""
        if self.account is None:
            self._authorization("listen")
            return
        known: list[Json] = [name for name in streams if name in STREAMS]
        self.listens = bool(known)
        self._answer({"stream": "listening", "data": {"streams": known}})
        self._hub.listen(self, self.account if known else None)

    def _authorization(self, action: str) -> None:
        status = "unauthorized" if self.account is None else "authorized"
        self._answer({"stream": "authorization", "data": {"status": status, "action": action}})

    def _answer(self, message: Json) -> None:
        self._waiting.put_nowait(to_json(message))


class StreamServer:
    """The ASGI application of the WebSocket."""

    def __init__(self, book: Book, hub: Hub, keys: KeyRing) -> None:
        self._book = book
        self._hub = hub
        self._keys = keys
        self._pusher: asyncio.Task[None] | None = None

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Serve one connection to its end."""
        await receive()
        if self._hub.is_unplugged:
            transport_of(scope).reset()
            await receive()  # that the client has gone
            return
        if scope["path"] != PATH:
            await send({"type": "websocket.close"})
            return
        await send({"type": "websocket.accept"})
        session = SocketSession(self._book, self._keys, self._hub, scope, send)
        self._hub.join(session)
        if self._pusher is None:
            self._pusher = asyncio.create_task(push_what_falls_due(self._book, self._hub, self._book.clock))
        writer = asyncio.create_task(session.write())
        try:
            while (message := await receive())["type"] == "websocket.receive":
                session.take(message)
        finally:
            writer.cancel()
            self._hub.leave(session)
            if not self._hub.sockets:
                self._pusher.cancel()
                self._pusher = None


async def push_what_falls_due(book: Book, hub: Hub, clock: Clock) -> None:
    """Settle the book and send when the next thing falls due, for as long as somebody is connected.

    It decides nothing: it only asks what is due, as every call does. With a clock that stands still it wakes
    when that is pushed forward.
    """
    with clock.alarm() as alarm:
        book.agenda.stirred = hub.stirred = alarm.set
        while True:
            alarm.clear()
            book.settle()
            hub.flush()
            due = [ns for ns in (book.agenda.next_ns(), hub.next_ns()) if ns is not None]
            await clock.wait_for(alarm, min(due, default=None))
