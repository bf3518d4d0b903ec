"""Faults of the stream: which messages they hit, and what becomes of them on their way."""

from dataclasses import dataclass
from typing import Final, TypeAlias

from worker.sandbox.members import BadRequestError, Members
from worker.sandbox.model import Update
from worker.sandbox.traps import Faults
from worker.sandbox.values import Json


@dataclass(frozen=True, slots=True)
class Drop:
    """The message never goes out."""


@dataclass(frozen=True, slots=True)
class Duplicate:
    """It goes out more than once."""

    times: int


@dataclass(frozen=True, slots=True)
class Late:
    """It goes out only some seconds of sandbox time later."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Overtaken:
    """It goes out only after so many later ones of its account."""

    after: int


@dataclass(frozen=True, slots=True)
class Early:
    """It goes out before the response of the call that caused it."""


@dataclass(frozen=True, slots=True)
class Disconnect:
    """The sockets of its account are cut before it, which loses it, or after it."""

    before: bool
    how: str


@dataclass(frozen=True, slots=True)
class Garbage:
    """Bytes that are no message go out before it, or instead of it."""

    body: str
    text: str | None
    instead: bool


@dataclass(frozen=True, slots=True)
class Alter:
    """Members of its data are other than they should be: an unknown event, an unknown status."""

    data: dict[str, Json]


StreamAction: TypeAlias = Drop | Duplicate | Late | Overtaken | Early | Disconnect | Garbage | Alter

STREAM_ACTIONS: Final = (
    "drop", "duplicate", "delay", "reorder", "early", "disconnect", "garbage", "alter",
)  # fmt: skip
CUTS: Final = ("reset", "close")
GARBAGE: Final = ("not_json", "truncated", "empty", "scalar", "html", "not_utf8")


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateMatch:
    """Which messages a fault looks at; what is not said matches everything."""

    account: str | None
    event: str | None
    symbol: str | None
    client_order_id: str | None
    order_id: str | None

    def fits(self, update: Update) -> bool:
        """Whether a message is one of those."""
        order = update.order
        return (
            self.account in (None, order.account)
            and self.event in (None, update.event)
            and self.symbol in (None, order.symbol)
            and self.client_order_id in (None, order.client_order_id)
            and self.order_id in (None, order.id)
        )


def stream_faults() -> Faults[Update, StreamAction]:
    """No faults yet."""
    return Faults(_read_match, _read_action)


def _read_match(matching: Members) -> UpdateMatch:
    return UpdateMatch(
        account=matching.text_or_none("account"),
        event=matching.text_or_none("event"),
        symbol=matching.text_or_none("symbol"),
        client_order_id=matching.text_or_none("client_order_id"),
        order_id=matching.text_or_none("order_id"),
    )


def _read_action(members: Members) -> StreamAction:
    match members.text("action", among=STREAM_ACTIONS):
        case "drop":
            return Drop()
        case "duplicate":
            return Duplicate(members.integer("times", 2, least=2))
        case "delay":
            return Late(members.seconds("seconds"))
        case "reorder":
            return Overtaken(members.integer("after", 1, least=1))
        case "early":
            return Early()
        case "disconnect":
            before = members.text("when", "after", among=("before", "after")) == "before"
            return Disconnect(before, members.text("how", "reset", among=CUTS))
        case "garbage":
            return Garbage(
                members.text("body", "not_json", among=GARBAGE),
                members.text_or_none("text"),
                members.flag("instead", default=False),
            )
        case _:
            data = members.json("data")
            if not isinstance(data, dict):
                raise BadRequestError("fault.data must be a JSON object")
            return Alter(data)
