"""Faults of calls: which calls they hit, and what they do."""

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final, Literal, TypeAlias

from worker.sandbox.bodies import BODIES
from worker.sandbox.changes import OUTCOMES, Outcome
from worker.sandbox.members import BadRequestError, Members
from worker.sandbox.traps import Faults
from worker.sandbox.values import to_json

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


@dataclass(frozen=True, slots=True)
class CancelEnds:
    """Say what comes of a cancel that this call asks for."""

    outcome: Outcome


@dataclass(frozen=True, slots=True)
class ReplaceEnds:
    """Say what comes of a replace that this call asks for."""

    outcome: Outcome


StagedAction: TypeAlias = AnswerWith | Endless | Close | Reset | Hang | Delay | Gate | Refuse
Fateful: TypeAlias = LateOrder | Hide | RejectLater | CancelEnds | ReplaceEnds
Action: TypeAlias = StagedAction | Fateful

ACTIONS: Final = (
    "answer", "endless", "close", "reset", "hang", "delay", "gate", "refuse",
    "late_order", "hide", "reject_later", "cancel_ends", "replace_ends",
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


def call_faults() -> Faults[Call, Action]:
    """No faults yet."""
    return Faults(read_match, read_action)


def read_match(matching: Members) -> Match:
    """Read which calls. Raises BadRequestError."""
    return Match(
        method=matching.text_or_none("method"),
        path=matching.text_or_none("path"),
        account=matching.text_or_none("account"),
        symbol=matching.text_or_none("symbol"),
        client_order_id=matching.text_or_none("client_order_id"),
    )


def read_action(members: Members) -> Action:
    """Read what to do with them. Raises BadRequestError."""
    name = members.text("action", among=ACTIONS)
    match name:
        case "late_order":
            return LateOrder(members.seconds("seconds"))
        case "hide":
            return Hide(members.seconds("seconds"))
        case "reject_later":
            return RejectLater(members.seconds("seconds"))
        case "cancel_ends":
            return CancelEnds(_read_outcome(members))
        case "replace_ends":
            return ReplaceEnds(_read_outcome(members))
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


def _read_outcome(members: Members) -> Outcome:
    return Outcome(
        end=members.text("as", among=OUTCOMES),
        qty=members.decimal_or_none("qty"),
        price=members.decimal_or_none("price"),
    )


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
