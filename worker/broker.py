"""The only module that speaks HTTP: makes one call, once, and says for certain how far it got.

An order must never leave late and never leave twice, so three things are built in rather than hoped for.
The deadline is checked between the ready connection and the first byte. Nothing is retried or redirected.
And every socket closes with a reset, so that of a call that was given up nothing leaves later.
"""

from __future__ import annotations

import socket
import struct
from contextlib import aclosing
from importlib.metadata import version
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import httpcore
import httpx

from worker.crossing import Crossing, DeadlinePassedError, UnaskedResponseError
from worker.messages import Answer, Request, elapsing

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Mapping

    from worker.settings import Account

MAX_BODY_BYTES = 8 * 1024 * 1024
"""A longer answer is given up: no answer of Alpaca's comes near (500 orders are about 1 MB)."""

SAFE_HEADERS = frozenset(
    {
        "content-type",
        "date",
        "retry-after",
        "x-ratelimit-limit",
        "x-ratelimit-remaining",
        "x-ratelimit-reset",
        "x-request-id",
    }
)
"""The response headers that are handed on; any other might hold a secret, and none is needed."""

SHORTEST_SECRET = 8
"""A key of fewer characters is no secret, and may be in any text: it is not looked for in answers."""

IDLE_S = 4.0
"""How long an unused connection is kept: less than servers keep theirs (uvicorn 5 s, nginx 75 s), because a
submit that meets a connection just being closed ends in doubt."""

_RESET_ON_CLOSE = (socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
_SEND_AT_ONCE = (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


class _BodyTooLargeError(Exception):
    """The answer is longer than MAX_BODY_BYTES."""


# Every way in which httpcore, TLS and the system may fail a call. Anything else is a mistake in this program
# and ends it.
_FAILURES = (
    DeadlinePassedError,
    UnaskedResponseError,
    _BodyTooLargeError,
    httpcore.TimeoutException,
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.ProxyError,
    httpcore.UnsupportedProtocol,
    httpcore.ConnectionNotAvailable,
    httpx.InvalidURL,
    OSError,  # includes TimeoutError and ssl.SSLError
    ValueError,  # a request that cannot be written down, such as a path that is not text
    RuntimeError,  # a pool that was closed under the call
)


REASONS: Mapping[type[BaseException], str] = {
    DeadlinePassedError: "deadline_passed",
    UnaskedResponseError: "unasked_response",
    _BodyTooLargeError: "body_too_large",
    TimeoutError: "timeout",
    httpcore.PoolTimeout: "timeout",
}
"""What a failure is called; any other by its type. docs/runbooks/silence.md says what to do about each."""


class Broker:
    """One account's way to its broker: its address, its keys, its connections."""

    def __init__(
        self,
        *,
        account: Account,
        connections: int,
        tls: ssl.SSLContext | None = None,
        clock: Callable[[], float] = elapsing,
    ) -> None:
        """`connections`: as many as calls may be under way, so that a call never waits for another.

        `tls`: trusted_certificates(), one for all brokers: it takes a twentieth of a second to make.
        """
        self._clock = clock
        base_url = httpx.URL(account.base_url)
        self._origin = (base_url.raw_scheme, base_url.raw_host, base_url.port)
        keys = (account.key_id.get_secret_value(), account.secret_key.get_secret_value())
        self._secrets = [key.encode() for key in keys if len(key) >= SHORTEST_SECRET]
        # What lies below httpx makes one call, and no more. Its client would follow redirects, bring cookies
        # back, and heed a proxy or a netrc meant for other programs: they must not decide where orders go,
        # and a proxy that answers in the broker's place would make "refused" a guess. Its transport adds a
        # sixth to the time before the first byte, and nothing that is used here.
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=tls or trusted_certificates(),
            http1=True,
            http2=False,
            retries=0,
            max_connections=connections,
            keepalive_expiry=IDLE_S,
            socket_options=[_RESET_ON_CLOSE, _SEND_AT_ONCE],
        )
        self._headers = [
            (b"Host", base_url.netloc),
            (b"Accept", b"application/json"),
            (b"Accept-Encoding", b"identity"),  # so that the raw bytes are the answer
            (b"User-Agent", f"orderlatch/{version('orderlatch')}".encode()),
            (b"APCA-API-KEY-ID", keys[0].encode()),
            (b"APCA-API-SECRET-KEY", keys[1].encode()),
        ]

    async def call(self, request: Request, *, asked_at: float) -> Answer:
        """Make the call, once. Every outcome is an answer.

        `asked_at` is when the request was asked for, on this broker's clock: `send_within_ms` runs from
        there, `timeout_ms` from now.
        """
        started_at = self._clock()
        timeout_s = request.timeout_ms / 1000
        crossing = Crossing(
            clock=self._clock,
            send_by=asked_at + request.send_within_ms / 1000,
            end_by=started_at + timeout_s,
            timeout_s=timeout_s,
        )
        try:
            async with crossing.time_out:
                status, headers, body = await self._exchange(request, crossing)
        except _FAILURES as error:
            await crossing.give_up()
            return Answer(
                request_id=request.request_id,
                sent=crossing.sent,
                error=_reason(error),
                elapsed_ms=self._ms_since(started_at),
            )
        return Answer(
            request_id=request.request_id,
            sent="yes",
            status=status,
            headers={name: value for name, value in headers.items() if name in SAFE_HEADERS},
            body=self._without_secrets(body),
            elapsed_ms=self._ms_since(started_at),
        )

    async def close(self) -> None:
        """Close the connections that are kept."""
        await self._pool.aclose()

    async def _exchange(self, request: Request, crossing: Crossing) -> tuple[int, httpx.Headers, bytes]:
        scheme, host, port = self._origin
        if not request.path.startswith("/"):
            raise httpx.InvalidURL("a path begins with a slash")
        target = request.path + ("?" + urlencode(request.query) if request.query else "")
        content = None if request.body is None else request.body.encode()
        headers = self._headers
        if content is not None:
            headers = [
                *headers,
                (b"Content-Type", b"application/json"),
                (b"Content-Length", str(len(content)).encode()),
            ]
        sent = httpcore.Request(
            request.method,
            httpcore.URL(scheme=scheme, host=host, port=port, target=target.encode("ascii")),
            headers=headers,
            content=content,
            extensions={"trace": crossing.observe, "timeout": {"pool": request.timeout_ms / 1000}},
        )
        async with aclosing(await self._pool.handle_async_request(sent)) as response:
            body = bytearray()
            async for chunk in response.aiter_stream():
                body += chunk
                if len(body) > MAX_BODY_BYTES:
                    raise _BodyTooLargeError
            return response.status, httpx.Headers(response.headers), bytes(body)

    def _without_secrets(self, body: bytes) -> bytes:
        """Blank out our keys: a gateway may show, in the page that says it failed, what it was sent."""
        for secret in self._secrets:
            body = body.replace(secret, b"*" * len(secret))
        return body

    def _ms_since(self, started_at: float) -> int:
        return round((self._clock() - started_at) * 1000)


def trusted_certificates() -> ssl.SSLContext:
    """Whom every connection to a broker trusts: the authorities that httpx brings along, and no others."""
    return httpx.create_ssl_context(trust_env=False)


def _reason(error: BaseException) -> str:
    """Say in a few words what failed."""
    named = (name for kind, name in REASONS.items() if isinstance(error, kind))
    return next(named, None) or name_failure(error)


def name_failure(error: BaseException) -> str:
    """Name an error, with what the system said. Never a library's message: it may quote what was sent."""
    system_error = _system_error(error)
    return type(error).__name__ + ("" if system_error is None else f": {system_error}")


def _system_error(error: BaseException) -> str | None:
    """Find what the system said, at the root of the chain of errors: it quotes nothing of the call."""
    found = None
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.strerror:
            found = cause.strerror
        cause = cause.__cause__ or cause.__context__
    return found
