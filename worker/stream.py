"""The only module that speaks WebSocket: hears the trade_updates stream of one account, and reads none of it.

Only the first words are its own: the keys, and what to listen to. Every message after them is handed over as
it came. How a connection ended is a value.
"""

from __future__ import annotations

import json
import logging
from asyncio import timeout
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException
from websockets.frames import CloseCode

from worker.broker import name_failure, trusted_certificates
from worker.mailbox import Ending
from worker.messages import elapsing

if TYPE_CHECKING:
    import ssl

    from worker.mailbox import Mailbox
    from worker.settings import Account

MAX_MESSAGE_BYTES = 1024 * 1024
"""A longer message ends the connection: an update is about 2 KB, with three legs 8."""

MAX_PASSED_OVER = 100
"""How many other messages may come before an answer to the first words."""

_UPDATES = "trade_updates"
_LISTEN = json.dumps({"action": "listen", "data": {"streams": [_UPDATES]}})

# At its lowest level websockets writes down each frame, and one of them holds the keys. This logger is in no
# hierarchy, so no setting of the program can make it speak.
_SILENT = logging.Logger("websockets")
_SILENT.disabled = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long to wait for what, in seconds."""

    open_s: float = 10.0
    answer_s: float = 10.0
    ping_every_s: float = 15.0
    pong_s: float = 30.0
    close_s: float = 1.0


class _Straight(connect):
    """Follows no redirect: keys go where the settings say, or nowhere."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


class Stream:
    """One account's way to its broker's stream."""

    def __init__(
        self, *, account: Account, tls: ssl.SSLContext | None = None, patience: Patience | None = None
    ) -> None:
        """`tls`: trusted_certificates(), one for all streams."""
        self._url = account.stream_url
        self._tls = (tls or trusted_certificates()) if self._url.startswith("wss:") else None
        self._key_id = account.key_id
        self._secret_key = account.secret_key
        self._patience = patience or Patience()
        self._newer_form = False

    async def hear(self, mailbox: Mailbox) -> Ending:
        """Connect once, and put what is heard into the mailbox until that ends."""
        try:
            connection = await self._connect()
        except InvalidStatus as refused:
            return Ending(why="unreachable", detail=f"HTTP {refused.response.status_code}")
        except (WebSocketException, OSError, ValueError) as error:  # OSError: also time-outs and TLS
            return Ending(why="unreachable", detail=name_failure(error))
        try:
            return await self._introduce(connection) or await self._listen(connection, mailbox)
        except ConnectionClosed as closed:
            return _closed(closed)
        finally:
            await connection.close()

    async def _connect(self) -> ClientConnection:
        return await _Straight(
            self._url,
            ssl=self._tls,
            proxy=None,  # one meant for other programs must not see keys
            compression=None,
            user_agent_header=f"orderlatch/{version('orderlatch')}",
            open_timeout=self._patience.open_s,
            ping_interval=self._patience.ping_every_s,
            ping_timeout=self._patience.pong_s,
            close_timeout=self._patience.close_s,
            max_size=MAX_MESSAGE_BYTES,
            logger=_SILENT,
        )

    async def _introduce(self, connection: ClientConnection) -> Ending | None:
        """Say who we are and what we want to hear; returns why that came to nothing."""
        try:
            async with timeout(self._patience.answer_s):
                await connection.send(self._credentials())
                for _ in range(MAX_PASSED_OVER):
                    match _read(await connection.recv(decode=False)):
                        case {"stream": "authorization", "data": {"status": "authorized"}}:
                            await connection.send(_LISTEN)
                        case {"stream": "listening", "data": {"streams": [*streams]}} if _UPDATES in streams:
                            return None
                        case {"stream": "authorization"}:
                            self._newer_form = not self._newer_form
                            return Ending(why="unauthorized")
                        case {"stream": "listening"} | {"action": "error"}:
                            self._newer_form = not self._newer_form
                            return Ending(why="refused")
                        case _:
                            pass
        except TimeoutError:
            pass
        return Ending(why="no_answer")

    def _credentials(self) -> str:
        """The SDKs' form; or the newer one, when the last connection was not authorized with the other."""
        key, secret = self._key_id.get_secret_value(), self._secret_key.get_secret_value()
        if self._newer_form:
            return json.dumps({"action": "auth", "key": key, "secret": secret})
        return json.dumps({"action": "authenticate", "data": {"key_id": key, "secret_key": secret}})

    async def _listen(self, connection: ClientConnection, mailbox: Mailbox) -> Ending:
        """Hand over every message until the connection is lost, or the mailbox is full."""
        began = elapsing()
        mailbox.begin()
        try:
            while mailbox.put(await connection.recv(decode=False)):
                pass
        except ConnectionClosed as closed:
            return _closed(closed, heard_s=elapsing() - began)
        return Ending(why="overrun", heard_s=elapsing() - began)


def _read(message: bytes) -> object:
    """Read an answer to the first words; none when it is no JSON."""
    try:
        read: object = json.loads(message)
    except (ValueError, RecursionError):
        return None
    return read


def _closed(closed: ConnectionClosed, *, heard_s: float = 0.0) -> Ending:
    """Say how a connection was closed: in numbers, because the words are the broker's."""
    if closed.rcvd is not None:
        return Ending(why="closed", detail=f"code {closed.rcvd.code}", heard_s=heard_s)
    if closed.sent is None:
        cause = closed.__cause__
        return Ending(why="closed", detail=None if cause is None else name_failure(cause), heard_s=heard_s)
    if closed.sent.code == CloseCode.INTERNAL_ERROR:  # what websockets says when a ping was not answered
        return Ending(why="silent", heard_s=heard_s)
    return Ending(why="closed", detail=f"code {closed.sent.code} of ours", heard_s=heard_s)
