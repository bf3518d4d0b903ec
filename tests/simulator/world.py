"""What everybody in a simulation shares: a clock, an agenda, dice of the seed, a trace."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

# Later than any real start of a server, so that what the database compares with its start is always past it.
BEGINNING = datetime(2035, 1, 8, 14, 30, tzinfo=UTC)
S = 1_000_000
"""A second of simulated time, which is counted in whole microseconds."""


class ViolationError(AssertionError):
    """A promise did not hold; the message says which, and what was seen."""


class StuckError(ViolationError):
    """What should have settled has not."""


@dataclass(slots=True)
class World:
    """The clock, what will happen, and what has happened."""

    seed: int
    now: int = 0
    trace: list[str] = field(default_factory=list)
    calm: bool = False
    """Faults have stopped: what is left must settle."""
    _agenda: list[tuple[int, int, Callable[[], None]]] = field(default_factory=list)
    _number: int = 0
    _digest: hashlib._Hash = field(default_factory=hashlib.sha256)

    def dice(self, *about: object) -> Random:
        """Dice for one question: the same for the same question, whatever else happened before."""
        return Random(f"{self.seed} {' '.join(map(str, about))}")

    def at(self, moment: int, act: Callable[[], None]) -> None:
        """Let something happen at a moment, or now if that is past."""
        self._number += 1
        heappush(self._agenda, (max(moment, self.now), self._number, act))

    def after(self, seconds: float, act: Callable[[], None]) -> None:
        """Let something happen in a while."""
        self.at(self.now + round(seconds * S), act)

    def run_until(self, moment: int) -> None:
        """Let everything happen that is due by a moment."""
        while self._agenda and self._agenda[0][0] <= moment:
            at, _, act = heappop(self._agenda)
            self.now = at
            act()
        self.now = max(self.now, moment)

    def time(self, moment: int | None = None) -> datetime:
        """A moment as the database has it."""
        return BEGINNING + timedelta(microseconds=self.now if moment is None else moment)

    def micros(self, time: datetime) -> int:
        """The moment of a time of the database."""
        return (time - BEGINNING) // timedelta(microseconds=1)

    def say(self, who: str, what: str) -> None:
        """Write a line of the trace."""
        line = f"{self._stamp()}  {who:<10} {what}"
        self.trace.append(line)
        self._digest.update(line.encode() + b"\n")

    def digest(self) -> str:
        """A digest over the whole trace: two runs with one digest did the same."""
        return self._digest.hexdigest()

    def _stamp(self) -> str:
        seconds, micros = divmod(self.now, S)
        minutes, seconds = divmod(seconds, 60)
        hours, minutes = divmod(minutes, 60)
        return f"{hours:3}:{minutes:02}:{seconds:02}.{micros // 1000:03}"


def short(name: object) -> str:
    """As much of an id as a reader can tell apart."""
    return str(name)[:8]
