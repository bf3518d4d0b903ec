"""What a connection of the stream has brought and the database is still to be told, and how it ended."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from asyncio import Event

MAX_WAITING = 10_000
MAX_WAITING_BYTES = 32 * 1024 * 1024
"""What may wait for the database, for each account: some minutes of a busy day."""

Why = Literal[
    "unreachable",  # no connection, or no WebSocket: refused, DNS, TLS, an HTTP status, a time-out
    "unauthorized",  # the broker does not take these keys in this form
    "refused",  # it takes the keys, and will not be listened to; or does not know this form
    "no_answer",  # it does not answer the first words
    "silent",  # it does not answer a ping
    "closed",  # it ended the connection
    "overrun",  # it says more than the database can be told
    "not_taken",  # the database refuses what it is told
    "failed",  # a mistake in this program
    "stopped",  # the worker ends
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """Why a connection ended or never began, and for how long it was listened to."""

    why: Why
    detail: str | None = None
    heard_s: float = 0.0


class Mailbox:
    """What one connection has brought and the database has not been told yet. Bounded, never waited for."""

    def __init__(self, stirred: Event) -> None:
        """`stirred` is set whenever something has changed here."""
        self.listening = False
        self.overrun = False
        self.ending: Ending | None = None
        self._stirred = stirred
        self._messages: deque[bytes] = deque()
        self._size = 0

    def begin(self) -> None:
        """From now on every message comes here."""
        self.listening = True
        self._stirred.set()

    def put(self, message: bytes) -> bool:
        """Take one more message; false when there is no room for it."""
        self.overrun = len(self._messages) >= MAX_WAITING or self._size + len(message) > MAX_WAITING_BYTES
        if self.overrun:
            return False
        self._messages.append(message)
        self._size += len(message)
        self._stirred.set()
        return True

    def end(self, ending: Ending) -> None:
        """Nothing comes any more. What was not taken from here may still be told."""
        self.listening = False
        self.ending = self.ending or ending
        self._stirred.set()

    def first(self) -> bytes | None:
        """Look at the oldest message."""
        return self._messages[0] if self._messages else None

    def remove(self, told: bytes) -> None:
        """Remove the oldest message, which is told."""
        assert self._messages[0] is told
        self._size -= len(self._messages.popleft())

    def clear(self) -> int:
        """Remove all messages; returns how many there were."""
        dropped = len(self._messages)
        self._messages.clear()
        self._size = 0
        return dropped
