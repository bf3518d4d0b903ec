"""Watches one call of httpcore's, step by step: whether it has left yet, and that it ends in time."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

import httpcore

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from worker.messages import Sent

_WAITS = frozenset(
    {
        "connection.connect_tcp.started",
        "connection.start_tls.started",
        "http11.send_request_headers.started",
        "http11.send_request_body.started",
        "http11.receive_response_headers.started",
        "http11.receive_response_body.started",
    }
)
"""Where waiting for the network begins. Only from here to the next step may a call be cancelled: httpcore,
cancelled while it tidies up, takes the connection for one in use for ever, until no call finds one."""


class DeadlinePassedError(Exception):
    """The request may not leave any more; nothing of it has."""


class UnaskedResponseError(Exception):
    """The response was there before the request left, so it answers another."""


class Crossing:
    """Watches one call cross the line between not sent and perhaps sent, and stops it there when it is late.

    httpcore reports its steps to `observe` and takes an exception from it as its own. Between the report
    that headers are about to be sent and the system call that sends them, it does not yield.
    """

    def __init__(
        self, *, clock: Callable[[], float], send_by: float, end_by: float, timeout_s: float
    ) -> None:
        self.sent: Sent = "no"
        self.time_out = asyncio.timeout(None)  # observe lets it run while the call waits for the network
        self._loop = asyncio.get_running_loop()
        self._ends_at = self._loop.time() + timeout_s
        self._may_have_come = False
        self._opened: httpcore.AsyncNetworkStream | None = None
        self._clock = clock
        self._send_by = send_by
        self._end_by = end_by

    async def give_up(self) -> None:
        """Close the socket of a call that never left: httpcore forgets one whose TLS handshake is cut off."""
        if self.sent == "no" and self._opened is not None:
            await self._opened.aclose()

    async def observe(self, step: str, info: Mapping[str, object]) -> None:
        """Take note of a step of httpcore's; raise to stop the call there."""
        with suppress(RuntimeError):  # the time has run out, or the call is over
            self.time_out.reschedule(self._ends_at if step in _WAITS else None)
        match step:
            case "connection.connect_tcp.complete":
                opened = info["return_value"]
                assert isinstance(opened, httpcore.AsyncNetworkStream)
                self._opened = opened
            case "http11.send_request_headers.started":
                assert self.sent == "no", "a request is sent once"
                if self._clock() >= self._send_by:
                    raise DeadlinePassedError
                self.sent = "maybe"
            case "http11.send_request_headers.failed":
                # Raised while the headers are put together, before any of them is written.
                if isinstance(info["exception"], httpcore.LocalProtocolError):
                    self.sent = "no"
            case "http11.send_request_body.started":
                # A process that was frozen in between must not complete the order long after.
                if self._clock() >= self._end_by:
                    raise TimeoutError
            case "http11.receive_response_headers.started":
                # To read from the network takes a turn of the loop. What is had without one was left over
                # from the call before: a gateway may answer twice.
                self._loop.call_soon(self._let_it_come)
            case "http11.receive_response_headers.complete":
                if not self._may_have_come:
                    raise UnaskedResponseError
            case _:
                pass

    def _let_it_come(self) -> None:
        self._may_have_come = True
