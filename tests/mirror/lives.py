"""What a broker shows of orders over their lives: every view and every activity, as they happened."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Document: TypeAlias = dict[str, object]


@dataclass(slots=True)
class Life:
    """A broker's memory of one decision's order and of all that hangs on it."""

    decision_hash: str
    symbol: str
    side: str
    views: list[Document] = field(default_factory=list)
    fills: list[Document] = field(default_factory=list)
    expected: dict[str, tuple[str, str]] = field(default_factory=dict)
    position: str = "0"
    _orders: dict[str, Document] = field(default_factory=dict)
    _moment: int = 0

    def order(self, order_id: str, **members: object) -> None:
        """A new order; the first one is the decision's own unless it names another client_order_id."""
        client_order_id = self.decision_hash if not self._orders else f"made-for-{order_id}"
        self._orders[order_id] = {
            "id": order_id,
            "client_order_id": client_order_id,
            "submitted_at": self._next(),
            "symbol": self.symbol,
            "qty": "10",
            "filled_qty": "0",
            "filled_avg_price": None,
            "type": "market",
            "side": self.side,
            "time_in_force": "day" if "/" not in self.symbol else "gtc",
            "status": "new",
            "legs": None,
        } | members
        self.show(order_id)

    def show(self, order_id: str, *, undated: bool = False, **members: object) -> None:
        """The order changes, and is seen so."""
        self._orders[order_id] |= members
        at = None if undated else self._next()
        self.views.append(self._orders[order_id] | {"updated_at": at})

    def nest(self, order_id: str, legs: Sequence[str]) -> None:
        """The order is seen with its legs inside, each as it is."""
        at = self._next()
        inside = [self._orders[leg] | {"updated_at": at} for leg in legs]
        self.views.append(self._orders[order_id] | {"updated_at": at, "legs": inside})

    def fill(self, order_id: str, execution: str, qty: str, price: str = "100", **members: object) -> None:
        """One activity; its id ends with the execution's."""
        self._moment += 1
        order = self._orders[order_id]
        self.fills.append(
            {
                "id": f"20260302{self._moment:09}::{execution}",
                "activity_type": "FILL",
                "type": "fill",
                "transaction_time": self._next(),
                "order_id": order_id,
                "symbol": order["symbol"],
                "side": order["side"],
                "qty": qty,
                "price": price,
            }
            | members
        )

    def book(self) -> Document:
        """What the broker's lists show in the end: each order as it is, legs inside theirs."""
        last = {str(view["id"]): view for view in self.views if view["legs"]}
        legs = {str(leg["id"]) for view in last.values() for leg in legs_of(view)}
        alone = {
            str(view["id"]): view for view in self.views if view["id"] not in legs and view["id"] not in last
        }
        return {"orders": [*last.values(), *alone.values()], "fills": self.fills}

    def _next(self) -> str:
        self._moment += 1
        return f"2026-03-02T15:{self._moment // 60:02}:{self._moment % 60:02}.{self._moment:09}Z"


def legs_of(view: Document) -> list[Document]:
    """The legs that a view has inside."""
    legs = view["legs"] or []
    assert isinstance(legs, list)
    return legs


def partly_filled_and_filled(life: Life) -> None:
    life.order("a", status="pending_new")
    life.show("a", status="new")
    life.show("a", status="partially_filled", filled_qty="4", filled_avg_price="100")
    life.fill("a", "x1", "4")
    life.show("a", status="partially_filled", filled_qty="7", filled_avg_price="101")
    life.fill("a", "x2", "3", "102.33")
    life.show("a", status="filled", filled_qty="10", filled_avg_price="101.5")
    life.fill("a", "x3", "3", "103")
    life.expected = {"a": ("filled", "10")}
    life.position = "10"


def canceled_after_a_part(life: Life) -> None:
    life.order("a")
    life.show("a", status="partially_filled", filled_qty="4", filled_avg_price="100")
    life.fill("a", "x1", "4")
    life.show("a", status="pending_cancel")
    life.show("a", status="canceled")
    life.expected = {"a": ("canceled", "4")}
    life.position = "4"


def filled_after_it_was_canceled(life: Life) -> None:
    life.order("a")
    life.show("a", status="pending_cancel")
    life.show("a", status="canceled", filled_qty="4", filled_avg_price="100")
    life.fill("a", "x1", "4")
    life.fill("a", "x2", "2", "101")
    life.show("a", status="canceled", filled_qty="6", filled_avg_price="100.333333")
    life.expected = {"a": ("canceled", "6")}
    life.position = "6"


def a_cancel_that_was_rejected(life: Life) -> None:
    life.order("a", status="accepted")
    life.show("a", status="pending_cancel")
    life.show("a", status="new")
    life.show("a", status="expired")
    life.expected = {"a": ("expired", "0")}


def words_that_nobody_knows(life: Life) -> None:
    life.order("a", status="pending_review")
    life.show("a", status="routed_elsewhere", filled_qty="1", filled_avg_price="99")
    life.fill("a", "x1", "1", "99")
    life.expected = {"a": ("routed_elsewhere", "1")}
    life.position = "1"


def views_without_a_time(life: Life) -> None:
    life.order("a", status="pending_new")
    life.show("a", undated=True, status="new")
    life.show("a", undated=True, status="partially_filled", filled_qty="4", filled_avg_price="100")
    life.fill("a", "x1", "4")
    life.show("a", undated=True, status="filled", filled_qty="10", filled_avg_price="100")
    life.fill("a", "x2", "6")
    life.expected = {"a": ("filled", "10")}
    life.position = "10"


def a_bust(life: Life) -> None:
    life.order("a")
    life.show("a", status="filled", filled_qty="10", filled_avg_price="100")
    life.fill("a", "x1", "4")
    life.fill("a", "x2", "6")
    life.show("a", filled_qty="6", filled_avg_price="100")
    life.fill("a", "x3", "4", type="trade_bust", previous_execution_id="x1")
    life.expected = {"a": ("filled", "6")}
    life.position = "6"


def a_correction_of_a_correction(life: Life) -> None:
    life.order("a")
    life.show("a", status="filled", filled_qty="10", filled_avg_price="100")
    life.fill("a", "x1", "10")
    life.show("a", filled_qty="9", filled_avg_price="99")
    life.fill("a", "x2", "9", "99", type="trade_correct", previous_execution_id="x1")
    life.show("a", filled_qty="8", filled_avg_price="98")
    life.fill("a", "x3", "8", "98", type="trade_correct", previous_execution_id="x2")
    life.expected = {"a": ("filled", "8")}
    life.position = "8"


def a_bust_and_another_trade(life: Life) -> None:
    life.order("a")
    life.show("a", status="partially_filled", filled_qty="10", filled_avg_price="100")
    life.fill("a", "x1", "10")
    life.show("a", status="new", filled_qty="0", filled_avg_price=None)
    life.fill("a", "x2", "10", type="trade_bust", previous_execution_id="x1")
    life.show("a", status="filled", filled_qty="10", filled_avg_price="101")
    life.fill("a", "x3", "10", "101")
    life.expected = {"a": ("filled", "10")}
    life.position = "-10"


def replaced_twice(life: Life) -> None:
    life.order("a")
    life.show("a", status="partially_filled", filled_qty="2", filled_avg_price="100")
    life.fill("a", "x1", "2")
    life.order("b", replaces="a", qty="12")
    life.show("a", status="replaced", replaced_by="b")
    life.show("b", status="partially_filled", filled_qty="3", filled_avg_price="101")
    life.fill("b", "x2", "3", "101")
    life.order("c", replaces="b", qty="14")
    life.show("b", status="replaced", replaced_by="c")
    life.show("c", status="filled", filled_qty="9", filled_avg_price="102")
    life.fill("c", "x3", "9", "102")
    life.expected = {"a": ("replaced", "2"), "b": ("replaced", "3"), "c": ("filled", "9")}
    life.position = "14"


def replaced_by_one_that_carries_the_id_on(life: Life) -> None:
    life.order("a")
    life.order("b", replaces="a", client_order_id=life.decision_hash, qty="12")
    life.show("a", status="replaced", replaced_by="b")
    life.show("b", status="filled", filled_qty="12", filled_avg_price="101")
    life.fill("b", "x1", "12", "101")
    life.expected = {"a": ("replaced", "0"), "b": ("filled", "12")}
    life.position = "12"


def a_bracket(life: Life) -> None:
    life.order("a")
    life.order("t", side="sell", status="held")
    life.order("s", side="sell", status="held")
    life.nest("a", ["t", "s"])
    life.show("a", status="filled", filled_qty="10", filled_avg_price="100")
    life.fill("a", "x1", "10")
    life.show("t", status="new")
    life.nest("a", ["t", "s"])
    life.order("s2", side="sell", replaces="s", status="new")
    life.show("s", status="replaced", replaced_by="s2")
    life.nest("a", ["t", "s", "s2"])
    life.show("t", status="filled", filled_qty="10", filled_avg_price="110")
    life.fill("t", "x2", "10", "110")
    life.show("s2", status="canceled")
    life.nest("a", ["t", "s", "s2"])
    life.expected = {
        "a": ("filled", "10"), "t": ("filled", "10"), "s": ("replaced", "0"), "s2": ("canceled", "0")
    }  # fmt: skip


def a_pair_whose_fills_have_no_slash(life: Life) -> None:
    life.order("a")
    life.show("a", status="filled", filled_qty="10", filled_avg_price="100")
    life.fill("a", "x1", "10", symbol="BTCUSD")
    life.expected = {"a": ("filled", "10")}
    life.position = "10"


def a_stop_of_somebody_else_that_moves(life: Life) -> None:
    life.order("a", client_order_id="by-hand", type="trailing_stop", stop_price="90")
    life.show("a", stop_price="91")
    life.show("a", stop_price="93", qty="20")
    life.show("a", stop_price="92.5")
    life.expected = {"a": ("new", "0")}


@dataclass(frozen=True, slots=True)
class Story:
    """A life to be told, and the decision that it begins with."""

    tell: Callable[[Life], None]
    symbol: str = "GOOG"
    side: str = "buy"

    def __str__(self) -> str:
        return self.tell.__name__

    def told_of(self, decision_hash: str) -> Life:
        """The life of that decision's order."""
        life = Life(decision_hash, self.symbol, self.side)
        self.tell(life)
        return life


STORIES = [
    Story(partly_filled_and_filled),
    Story(canceled_after_a_part),
    Story(filled_after_it_was_canceled),
    Story(a_cancel_that_was_rejected),
    Story(words_that_nobody_knows),
    Story(views_without_a_time),
    Story(a_bust),
    Story(a_correction_of_a_correction),
    Story(a_bust_and_another_trade, side="sell"),
    Story(replaced_twice),
    Story(replaced_by_one_that_carries_the_id_on),
    Story(a_bracket),
    Story(a_pair_whose_fills_have_no_slash, symbol="BTC/USD"),
    Story(a_stop_of_somebody_else_that_moves),
]
