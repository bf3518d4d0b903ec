"""The broker's book of one account, the truth: every order that exists, every trade, every view of them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

from tests.simulator.exits import entry_shown, exits_of, follow
from tests.simulator.world import S, ViolationError, short

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from tests.simulator.profile import AccountProfile
    from tests.simulator.world import World

Document = dict[str, object]
ENDED = ("filled", "canceled", "expired", "rejected", "replaced")
PRICE = Decimal(100)


@dataclass(slots=True)
class Order:
    """An order that exists."""

    order_id: str
    client_order_id: str
    created_at: int
    by_hand: bool
    late: bool
    """Whether it arrived when its caller had given up, or could not be seen at once."""
    mismatched: bool = False
    hidden: bool = False
    """Whether a read was answered as if it did not exist."""
    replaces: Order | None = None
    leg_of: Order | None = None
    legs: list[Order] = field(default_factory=list)
    views: list[tuple[int, Document]] = field(default_factory=list)

    @property
    def now(self) -> Document:
        """The order as it is."""
        return self.views[-1][1]

    @property
    def is_open(self) -> bool:
        """Whether it has not ended."""
        return self.now["status"] not in ENDED

    @property
    def left(self) -> Decimal:
        """What may still be filled."""
        whole = number(self.now["qty"]) or number(self.now["notional"]) / PRICE
        return whole - number(self.now["filled_qty"])

    def as_of(self, moment: int, *, nested: bool = True) -> Document | None:
        """The order as a read shows it that lags behind, its legs inside; null before it existed there."""
        shown = next((document for at, document in reversed(self.views) if at <= moment), None)
        if shown is None or not self.legs or not nested:
            return shown
        inside = [leg.as_of(moment) for leg in self.legs]
        return {**shown, "legs": [leg for leg in inside if leg is not None]}


@dataclass(slots=True)
class Trade:
    """An activity of type FILL: a trade, or one that takes a trade back."""

    at: int
    document: Document
    order: Order
    signed: Decimal
    """What it adds to the position."""
    undone: bool = False


def number(value: object) -> Decimal:
    """A decimal of a document."""
    return Decimal(str(value or 0))


class Book:
    """Takes orders, lets them live and shows them, as it is or as it was."""

    def __init__(self, world: World, account: AccountProfile) -> None:
        self._world = world
        self.account = account
        self.orders: dict[str, Order] = {}
        self.by_client_order_id: dict[str, list[Order]] = {}
        self.trades: list[Trade] = []
        self.moved: dict[str, Decimal] = {}
        """What positions gained without a trade: splits, transfers."""
        self.doubles: list[str] = []
        self.judge: Callable[[Order], None] = lambda order: None  # noqa: ARG005
        """Looks at each order that was asked for from here, once it has been taken."""
        self.adjusted = False
        """Whether an operator has entered what did not happen."""
        self.disturbed: set[str] = set()
        """Symbols in which something happened that no limit can foresee."""
        self.listeners: list[Callable[[str, str, Document], None]] = []
        self._number = 0

    # orders ------------------------------------------------------------------------------------------------

    def is_taken(self, client_order_id: str) -> bool:
        """Whether the broker refuses this id as a duplicate."""
        known = self.by_client_order_id.get(client_order_id, [])
        match self.account.memory.unique:
            case "forever":
                return bool(known)
            case "active":
                return any(order.is_open for order in known)
            case _:
                return False

    def place(
        self,
        body: Document,
        *,
        by_hand: bool = False,
        late: bool = False,
        replaces: Order | None = None,
        leg_of: Order | None = None,
    ) -> Order:
        """Take an order; from now on it exists."""
        client_order_id = str(body["client_order_id"])
        self._number += 1
        origin = f"{self._world.seed} {self.account.name} {client_order_id} {self._number}"
        digits = hashlib.md5(origin.encode(), usedforsecurity=False).hexdigest()
        order_id = f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
        order = Order(order_id, client_order_id, self._world.now, by_hand, late, replaces=replaces)
        order.leg_of = leg_of
        known = self.by_client_order_id.setdefault(client_order_id, [])
        if known and not by_hand:
            self.doubles.append(client_order_id)
            self.disturbed.add(str(body["symbol"]))
            if not self.account.memory.doubles:
                raise ViolationError(
                    f"two orders of decision {client_order_id}: {known[0].order_id}, {order_id}"
                )
        known.append(order)
        self.orders[order_id] = order
        dice = self._dice(order)
        self._show(
            order,
            {
                "id": order_id,
                "filled_qty": "0",
                "filled_avg_price": None,
                "order_class": "",
                "qty": None,
                "notional": None,
                "limit_price": None,
                "stop_price": None,
                "extended_hours": False,
                "legs": None,
                "replaced_by": None,
                "replaces": None if replaces is None else replaces.order_id,
                **entry_shown(body),
                "order_type": body["type"],
                "status": "held" if leg_of else "pending_new" if dice.random() < 0.8 else "accepted",
                "created_at": self.time(),
                "submitted_at": self.time(),
            },
        )
        self._world.say(
            "broker", f"has order {short(order_id)} of {short(client_order_id)} ({body['symbol']})"
        )
        for leg in [] if leg_of or replaces else exits_of(body):
            order.legs.append(self.place(leg, leg_of=order))
        if leg_of is None:
            self._world.after(dice.uniform(0.05, 3), lambda: self._live(order, 1))
        return order

    def change(self, order: Order, event: str, **members: object) -> None:
        """Show an order otherwise from now on, and tell the stream."""
        self._show(order, {**order.now, **members})
        for listener in self.listeners:
            listener(self.account.name, event, order.as_of(self._world.now) or order.now)
        if order.legs or order.leg_of:
            follow(order, self._follow, self._rest)

    def ask_cancel(self, order: Order) -> None:
        """Accept a cancel: the order is canceled in a while, unless it ends otherwise first."""
        dice = self._dice(order, "cancel")
        if order.now["status"] != "pending_cancel":
            self.change(order, "pending_cancel", status="pending_cancel")

        def decide() -> None:
            if order.is_open:
                if not self._world.calm and dice.random() < 0.1 and order.now["status"] == "pending_cancel":
                    self.change(order, "order_cancel_rejected", status="new")
                else:
                    self.change(order, "canceled", status="canceled")
                    if self.account.odd and not self._world.calm and dice.random() < 0.15:
                        self._world.after(dice.expovariate(1 / 100), lambda: self._fill_late(order))

        self._world.after(dice.uniform(0.1, 8), decide)

    def replace_by_hand(self, order: Order) -> None:
        """Somebody replaces an order in the broker's own pages."""
        self._number += 1
        members = ("symbol", "side", "type", "time_in_force", "limit_price", "stop_price", "qty", "notional")
        left = number(order.now["qty"]) - number(order.now["filled_qty"])
        body = {name: order.now[name] for name in members}
        body |= {"qty": str(left), "client_order_id": f"by-hand-{self._number}"}
        replacement = self.place(body, by_hand=True, replaces=order)
        if order.leg_of is not None:
            replacement.leg_of = order.leg_of
            replacement.leg_of.legs.append(replacement)
        self.change(order, "replaced", status="replaced", replaced_by=replacement.order_id)

    def fill(self, order: Order, quantity: Decimal) -> None:
        """Let an order trade."""
        document = order.now
        filled = number(document["filled_qty"]) + quantity
        whole = number(document["qty"]) or quantity
        complete = filled >= whole
        price = number(document["limit_price"]) or PRICE
        self._book(order, "fill" if complete else "partial_fill", quantity, price)
        status = "filled" if complete else "partially_filled"
        if document["status"] == "pending_cancel" and not complete:
            status = "pending_cancel"
        self.change(
            order,
            "fill" if complete else "partial_fill",
            status=status,
            filled_qty=str(filled),
            filled_avg_price=str(price),
        )

    def take_back(self, trade: Trade, dice: Random) -> None:
        """Bust a trade, or correct it to half of its quantity."""
        trade.undone = True
        self.disturbed.add(str(trade.document["symbol"]))
        order, quantity = trade.order, abs(trade.signed)
        busted = dice.random() < 0.5
        kept = Decimal(0) if busted else quantity / 2
        past = str(trade.document["id"]).partition("::")[2]
        kind = "trade_bust" if busted else "trade_correct"
        self._book(order, kind, quantity if busted else kept, number(trade.document["price"]), amends=past)
        self.trades[-1].signed = (kept - quantity) * (1 if trade.signed > 0 else -1)
        self.trades[-1].undone = True
        filled = number(order.now["filled_qty"]) - quantity + kept
        self.change(order, kind, filled_qty=str(filled))
        self._world.say("broker", f"{kind} of {quantity}, order {short(order.order_id)}")

    # what it shows -----------------------------------------------------------------------------------------

    def list_orders(self, query: Document, as_of: int) -> list[Document]:
        """A page of orders."""
        shown: list[Document] = []
        nested = query.get("nested") == "true"
        for order in self.orders.values():
            if (document := order.as_of(as_of, nested=nested)) is None:
                order.hidden = True
            elif order.leg_of is None or not nested:
                shown.append(document)
        if query.get("status") == "open":
            shown = [document for document in shown if document["status"] not in ENDED]
        if symbols := query.get("symbols"):
            shown = [document for document in shown if document["symbol"] in str(symbols).split(",")]
        shown.sort(key=lambda document: (str(document["submitted_at"]), str(document["id"])))
        if after := query.get("after"):
            shown = [document for document in shown if str(document["submitted_at"]) > str(after)]
        if behind := query.get("after_order_id"):
            places = [place for place, document in enumerate(shown) if document["id"] == behind]
            shown = shown[places[0] + 1 :] if places else shown
        return shown[: int(str(query["limit"]))]

    def list_fills(self, query: Document, as_of: int) -> list[Document]:
        """A page of activities."""
        shown = [trade.document for trade in self.trades if trade.at <= as_of]
        shown.sort(key=lambda document: (str(document["transaction_time"]), str(document["id"])))
        if after := query.get("after"):
            shown = [document for document in shown if str(document["transaction_time"]) > str(after)]
        if token := query.get("page_token"):
            places = [place for place, document in enumerate(shown) if document["id"] == token]
            shown = shown[places[0] + 1 :] if places else shown
        return shown[: int(str(query["page_size"]))]

    def positions(self) -> dict[str, Decimal]:
        """What is held, by the symbols of orders; flat ones left out."""
        held = dict(self.moved)
        for trade in self.trades:
            symbol = str(trade.document["symbol"])
            held[symbol] = held.get(symbol, Decimal(0)) + trade.signed
        return {symbol: quantity for symbol, quantity in held.items() if quantity}

    def time(self) -> str:
        """The time by the broker's clock."""
        moment = self._world.time(self._world.now + round(self.account.skew_s * S))
        return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")

    # -------------------------------------------------------------------------------------------------------

    def _resume(self, order: Order, odd: str) -> None:
        if order.now["status"] == odd:
            self.change(order, "new", status="new")

    def _fill_late(self, order: Order) -> None:
        """A trade that was made before the cancel, and is told of after it."""
        if order.left > 1 and order.leg_of is None and not order.legs:
            self.disturbed.add(str(order.now["symbol"]))
            price = number(order.now["limit_price"]) or PRICE
            self._book(order, "partial_fill", Decimal(1), price)
            filled = number(order.now["filled_qty"]) + 1
            self.change(order, "partial_fill", filled_qty=str(filled), filled_avg_price=str(price))

    def _follow(self, order: Order, event: str, status: str) -> None:
        self.change(order, event, status=status)

    def _rest(self, order: Order) -> None:
        rests_s = self._dice(order, "rests").expovariate(1 / self.account.rests_s)
        self._world.after(min(rests_s, 4) if self._world.calm else rests_s, lambda: self._live(order, 1))

    def _show(self, order: Order, document: Document) -> None:
        order.views.append((self._world.now, {**document, "updated_at": self.time()}))

    def _book(
        self, order: Order, kind: str, quantity: Decimal, price: Decimal, amends: str | None = None
    ) -> None:
        digits = f"{len(self.trades):08}"
        document: Document = {
            "id": f"{self._world.now:020}::{self.account.name}-{digits}",
            "activity_type": "FILL",
            "type": kind,
            "order_id": order.order_id,
            "symbol": order.now["symbol"],
            "side": order.now["side"],
            "qty": str(quantity),
            "price": str(price),
            "transaction_time": self.time(),
        }
        if amends is not None:
            document["previous_execution_id"] = amends
        signed = quantity if order.now["side"] == "buy" else -quantity
        self.trades.append(Trade(self._world.now, document, order, signed))

    def _live(self, order: Order, step: int) -> None:
        """One step in the life of an order, and a date for the next."""
        if not order.is_open:
            return
        dice = self._dice(order, step)
        status = order.now["status"]
        if status in ("pending_new", "accepted"):
            if dice.random() < 0.04:
                self.change(order, "rejected", status="rejected")
                return
            self.change(order, "new", status="new", submitted_at=self.time())
        elif self.account.odd and not self._world.calm and dice.random() < 0.1:
            odd = dice.choice(("suspended", "calculated", "done_for_day", "stopped", "pending_replace"))
            if status in ("new", "partially_filled"):
                self.change(order, odd, status=odd)
                self._world.after(dice.uniform(1, 300), lambda: self._resume(order, odd))
        elif dice.random() < 0.8:
            whole = number(order.now["qty"])
            left = whole - number(order.now["filled_qty"]) if whole else number(order.now["notional"]) / PRICE
            part = (left / 2).to_integral_value() if dice.random() < 0.3 and not order.leg_of else left
            if order.now["order_class"] == "oco" and not order.leg_of:
                # one of the two, and whole
                order, part = (order.legs[0] if dice.random() < 0.4 else order), left
            self.fill(order, part or left)
        elif status != "pending_cancel":
            ends = "expired" if dice.random() < 0.5 else "canceled"
            self.change(order, ends, status=ends)
            return
        rests_s = 4 if order.now["type"] == "market" or self._world.calm else self.account.rests_s
        self._world.after(dice.expovariate(1 / rests_s), lambda: self._live(order, step + 1))

    def _dice(self, order: Order, *about: object) -> Random:
        return self._world.dice("order", order.client_order_id, order.created_at, *about)
