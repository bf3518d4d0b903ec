"""Faults: which calls they hit, what they do, and the gates at which they hold calls."""

import asyncio
import itertools
import json
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Final, Literal, TypeAlias

from worker.sandbox.bodies import BODIES
from worker.sandbox.members import BadRequestError, Members
from worker.sandbox.values import Json, time_text, to_json

When: TypeAlias = Literal["before", "after"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call of the trading API, as far as faults care."""

    call_no: int
    method: str
    path: str
    account: str | None
    symbols: frozenset[str]
    client_order_id: str | None


@dataclass(frozen=True, slots=True)
class AnswerWith:
    """Answer something else than the truth, before or instead of telling it."""

    when: When
    body: str  # name of one of BODIES
    status: int | None
    content: bytes | None
    content_type: str | None
    headers: tuple[tuple[str, str], ...]
    with_ratelimit: bool


@dataclass(frozen=True, slots=True)
class Endless:
    """Answer with a body that goes on until the client leaves."""

    when: When
    status: int
    chunk_bytes: int
    pace_ms: int


@dataclass(frozen=True, slots=True)
class Close:
    """End the connection in good order without a response."""

    when: When


@dataclass(frozen=True, slots=True)
class Reset:
    """Reset the connection, perhaps after the response's headers."""

    when: When
    after_headers: bool


@dataclass(frozen=True, slots=True)
class Hang:
    """Never answer; wait until the client leaves."""

    when: When


@dataclass(frozen=True, slots=True)
class Delay:
    """Go on only after some seconds of sandbox time, whether the client waits or not."""

    when: When
    seconds: float


@dataclass(frozen=True, slots=True)
class Gate:
    """Hold the call until it is released."""

    when: When
    name: str


@dataclass(frozen=True, slots=True)
class Refuse:
    """Reset this connection and all others, and refuse new ones for some seconds."""

    when: When
    seconds: float


@dataclass(frozen=True, slots=True)
class LateOrder:
    """Judge and create the POST's order only some seconds later; the POST hangs unless cut."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Hide:
    """Keep a new order out of lookups and lists for some seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class RejectLater:
    """Reject a new order some seconds after its 200."""

    seconds: float


StagedAction: TypeAlias = AnswerWith | Endless | Close | Reset | Hang | Delay | Gate | Refuse
Action: TypeAlias = StagedAction | LateOrder | Hide | RejectLater

ACTIONS: Final = (
    "answer", "endless", "close", "reset", "hang", "delay", "gate", "refuse",
    "late_order", "hide", "reject_later",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """Which calls a fault looks at; what is not said matches everything."""

    method: str | None
    path: str | None
    account: str | None
    symbol: str | None
    client_order_id: str | None

    def fits(self, call: Call) -> bool:
        """Whether a call is one of those."""
        return (
            self.method in (None, call.method)
            and (self.path is None or fnmatchcase(call.path, self.path))
            and self.account in (None, call.account)
            and (self.symbol is None or self.symbol in call.symbols)
            and self.client_order_id in (None, call.client_order_id)
        )


@dataclass(slots=True, kw_only=True)
class Fault:
    """An action for the nth and the following calls that match."""

    fault_id: int
    match: Match
    nth: int
    count: int | None
    action: Action
    source: dict[str, Json]
    seen: int = 0
    fired: int = 0

    def fires(self, call: Call) -> bool:
        """Count a call, and say whether the fault hits it."""
        if not self.match.fits(call):
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


class Faults:
    """All faults that are set, in the order in which they were set. They do not outlive the process."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._faults: dict[int, Fault] = {}
        self.bell = Bell()

    def add(self, body: Json) -> Fault:
        """Set a fault from its JSON. Raises BadRequestError."""
        fault = read_fault(body, next(self._numbers))
        self._faults[fault.fault_id] = fault
        return fault

    def remove(self, fault_id: int) -> bool:
        """Clear one fault."""
        return self._faults.pop(fault_id, None) is not None

    def clear(self) -> None:
        """Clear all faults."""
        self._faults.clear()

    def get(self, fault_id: int) -> Fault | None:
        """One fault."""
        return self._faults.get(fault_id)

    def all(self) -> list[Fault]:
        """Every fault."""
        return list(self._faults.values())

    def fire(self, call: Call) -> list[Fault]:
        """Count a call everywhere, and return the faults that hit it."""
        if not self._faults:
            return []
        hits = [fault for fault in self._faults.values() if fault.fires(call)]
        if hits:
            self.bell.ring()
        return hits


def read_fault(body: Json, fault_id: int) -> Fault:
    """Read {"match": {…}, "nth": 1, "count": 1, "action": "…", …options}. Raises BadRequestError."""
    members = Members(body, "fault")
    source: dict[str, Json] = json.loads(to_json(body))
    matching = Members(members.json("match") or {}, "match")
    match = Match(
        method=matching.text_or_none("method"),
        path=matching.text_or_none("path"),
        account=matching.text_or_none("account"),
        symbol=matching.text_or_none("symbol"),
        client_order_id=matching.text_or_none("client_order_id"),
    )
    matching.finish()
    # "count": null means for as long as the fault is set; an absent count is 1.
    count = members.integer_or_none("count", least=1) if members.has("count") else 1
    nth = members.integer("nth", 1, least=1)
    action = _read_action(members)
    members.finish()
    return Fault(fault_id=fault_id, match=match, nth=nth, count=count, action=action, source=source)


def _read_action(members: Members) -> Action:
    name = members.text("action", among=ACTIONS)
    match name:
        case "late_order":
            return LateOrder(members.seconds("seconds"))
        case "hide":
            return Hide(members.seconds("seconds"))
        case "reject_later":
            return RejectLater(members.seconds("seconds"))
    default = "before" if name == "refuse" else "after"
    when: When = "before" if members.text("when", default, among=("before", "after")) == "before" else "after"
    match name:
        case "answer":
            return _read_answer(members, when)
        case "endless":
            return Endless(
                when,
                members.integer("status", 200, least=200),
                members.integer("chunk_bytes", 65_536, least=1),
                members.integer("pace_ms", 1),
            )
        case "close":
            return Close(when)
        case "reset":
            after_headers = members.flag("after_headers", default=False)
            if after_headers and when == "before":
                raise BadRequestError("fault.after_headers needs the answer: use it with when=after")
            return Reset(when, after_headers)
        case "hang":
            return Hang(when)
        case "delay":
            return Delay(when, members.seconds("seconds"))
        case "gate":
            return Gate(when, members.text("gate"))
        case "refuse":
            return Refuse(when, members.seconds("seconds"))
    raise AssertionError(name)


def _read_answer(members: Members, when: When) -> AnswerWith:
    headers = Members(members.json("headers") or {}, "headers")
    given = tuple((name, headers.text(name)) for name in headers.names())
    content, content_type = None, members.text_or_none("content_type")
    if members.has("text"):
        content, content_type = members.text("text").encode(), content_type or "text/plain"
    elif members.has("json"):
        content = to_json(members.json("json"))
    status = members.integer_or_none("status", least=200)
    body = members.text("body", "truth", among=BODIES)
    with_ratelimit = members.flag("ratelimit_headers", default=True)
    return AnswerWith(when, body, status, content, content_type, given, with_ratelimit)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A call that stands at a gate."""

    gate: str
    when: When
    since_ns: int
    call: Call
    released: asyncio.Event = field(default_factory=asyncio.Event)

    def shown(self) -> dict[str, Json]:
        """Who is held, where, and since when."""
        return {
            "gate": self.gate,
            "when": self.when,
            "since": time_text(self.since_ns),
            "call_no": self.call.call_no,
            "method": self.call.method,
            "path": self.call.path,
            "account": self.call.account,
            "client_order_id": self.call.client_order_id,
        }


class Gates:
    """Calls that are held until someone lets them go, for forced interleavings."""

    def __init__(self) -> None:
        self._held: list[Held] = []
        self.bell = Bell()

    def held(self, gate: str | None = None) -> list[Held]:
        """Who is held, first come first; at one gate or at any."""
        return [held for held in self._held if gate in (None, held.gate)]

    async def hold(self, gate: Gate, call: Call, now_ns: int) -> None:
        """Stand at a gate until released. The call stays held when its client leaves."""
        held = Held(gate=gate.name, when=gate.when, since_ns=now_ns, call=call)
        self._held.append(held)
        self.bell.ring()
        try:
            await held.released.wait()
        finally:
            if held in self._held:
                self._held.remove(held)

    def release(self, gate: str | None, call_no: int | None) -> int:
        """Let go those who are held now: at one gate, of one call, or all. Returns how many."""
        freed = [held for held in self.held(gate) if call_no in (None, held.call.call_no)]
        for held in freed:
            held.released.set()
            self._held.remove(held)
        self.bell.ring()
        return len(freed)
