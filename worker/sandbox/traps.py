"""Faults in general: an action for the nth and the following things that match, and how often that was."""

import asyncio
import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from worker.sandbox.members import Members
from worker.sandbox.values import Json, to_json

Thing = TypeVar("Thing", contravariant=True)
Deed = TypeVar("Deed")


class Match(Protocol[Thing]):
    """Which things a fault looks at."""

    def fits(self, thing: Thing) -> bool:
        """Whether a thing is one of those."""
        ...


@dataclass(slots=True, kw_only=True)
class Fault(Generic[Thing, Deed]):
    """An action for the nth and the following things that match."""

    fault_id: int
    match: Match[Thing]
    nth: int
    count: int | None
    action: Deed
    source: dict[str, Json]
    seen: int = 0
    fired: int = 0

    def fires(self, thing: Thing) -> bool:
        """Count a thing, and say whether the fault hits it."""
        if not self.match.fits(thing):
            return False
        self.seen += 1
        last = None if self.count is None else self.nth + self.count - 1
        if self.seen < self.nth or (last is not None and self.seen > last):
            return False
        self.fired += 1
        return True

    def shown(self) -> dict[str, Json]:
        """The fault as it was set, and how often it matched and fired."""
        return {"id": self.fault_id, **self.source, "seen": self.seen, "fired": self.fired}


class Faults(Generic[Thing, Deed]):
    """All faults that are set, in the order in which they were set. They do not outlive the process."""

    def __init__(
        self, read_match: Callable[[Members], Match[Thing]], read_action: Callable[[Members], Deed]
    ) -> None:
        self._read_match = read_match
        self._read_action = read_action
        self._numbers = itertools.count(1)
        self._faults: dict[int, Fault[Thing, Deed]] = {}
        self.bell = Bell()

    def add(self, body: Json) -> Fault[Thing, Deed]:
        """Set {"match": {…}, "nth": 1, "count": 1, "action": "…", …options}. Raises BadRequestError."""
        members = Members(body, "fault")
        source: dict[str, Json] = json.loads(to_json(body))
        matching = Members(members.json("match") or {}, "match")
        match = self._read_match(matching)
        matching.finish()
        # "count": null means for as long as the fault is set; an absent count is 1.
        count = members.integer_or_none("count", least=1) if members.has("count") else 1
        nth = members.integer("nth", 1, least=1)
        action = self._read_action(members)
        members.finish()
        fault = Fault(
            fault_id=next(self._numbers), match=match, nth=nth, count=count, action=action, source=source
        )
        self._faults[fault.fault_id] = fault
        return fault

    def remove(self, fault_id: int) -> bool:
        """Clear one fault."""
        return self._faults.pop(fault_id, None) is not None

    def clear(self) -> None:
        """Clear all faults."""
        self._faults.clear()

    def get(self, fault_id: int) -> Fault[Thing, Deed] | None:
        """One fault."""
        return self._faults.get(fault_id)

    def all(self) -> list[Fault[Thing, Deed]]:
        """Every fault."""
        return list(self._faults.values())

    def fire(self, thing: Thing) -> list[Fault[Thing, Deed]]:
        """Count a thing everywhere, and return the faults that hit it."""
        if not self._faults:
            return []
        hits = [fault for fault in self._faults.values() if fault.fires(thing)]
        if hits:
            self.bell.ring()
        return hits


class Bell:
    """Wakes whoever waits for something to change."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def ring(self) -> None:
        """Something changed."""
        self._event.set()
        self._event = asyncio.Event()

    async def heard(self) -> None:
        """Return at the next ring."""
        await self._event.wait()
