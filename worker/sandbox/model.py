"""What the sandbox remembers: orders, fills, accounts, holdings and prices."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final, NamedTuple

# [D WWO/OAS26]: done_for_day, stopped, suspended and calculated may still come back to life.
TERMINAL: Final = frozenset({"filled", "canceled", "expired", "rejected", "replaced"})
STATUSES: Final = TERMINAL | {
    "new", "partially_filled", "done_for_day", "pending_cancel", "pending_replace", "accepted", "pending_new",
    "accepted_for_bidding", "stopped", "suspended", "calculated", "held",
}  # fmt: skip
WORKING: Final = frozenset({"new", "partially_filled"})

SIMPLE: Final = ""  # the order class of an order that stands alone


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRequest:
    """The body of a POST that passed the rules that need no account."""

    symbol: str
    side: str
    type: str
    time_in_force: str
    qty: Decimal | None
    notional: Decimal | None
    limit_price: Decimal | None
    stop_price: Decimal | None
    extended_hours: bool
    client_order_id: str
    position_intent: str | None
    trail_price: Decimal | None = None
    trail_percent: Decimal | None = None
    order_class: str = SIMPLE
    take_profit: Decimal | None = None  # limit price of the exit at a gain
    stop_loss: Decimal | None = None  # stop price of the exit at a loss,
    stop_loss_limit: Decimal | None = None  # and its limit price, if it has one

    @property
    def is_crypto(self) -> bool:
        """Pairs are written BTC/USD."""
        return "/" in self.symbol

    @property
    def is_fractional(self) -> bool:
        """By amount of money, or by a part of a share."""
        return self.qty is None or self.qty != self.qty.to_integral_value()


class Order(NamedTuple):
    """One order at the broker. Names are the columns of the table and, where they exist there, Alpaca's.

    A tuple, because it is its own row, and is made and changed thousands of times a second.
    """

    id: str
    account: str
    client_order_id: str
    # 'post', 'late' (created after its POST had ended), 'leg' and 'replace' (made by the broker), 'admin'
    # (hand-made) or 'history' (loaded).
    origin: str
    created_ns: int
    updated_ns: int
    submitted_ns: int
    expires_ns: int
    visible_ns: int
    symbol: str
    asset_class: str
    side: str
    type: str
    time_in_force: str
    position_intent: str
    status: str
    qty: Decimal | None
    notional: Decimal | None
    limit_price: Decimal | None
    stop_price: Decimal | None
    extended_hours: bool
    reserved: Decimal  # buying power that this order holds back
    call_no: int | None  # of the POST or PATCH behind it
    trail_price: Decimal | None = None
    trail_percent: Decimal | None = None
    hwm: Decimal | None = None  # the best price that a trailing stop has seen
    # When the next thing happens to it by itself, and what: see book.py.
    due_ns: int | None = None
    due: str | None = None
    due_qty: Decimal | None = None  # of a fill that is part of it
    due_price: Decimal | None = None
    resumes: str | None = None  # the status to go back to when a cancel or a replace comes to nothing
    triggered: bool = False  # the stop price was reached
    filled_qty: Decimal = Decimal(0)
    filled_avg_price: Decimal | None = None
    filled_ns: int | None = None
    expired_ns: int | None = None
    canceled_ns: int | None = None
    failed_ns: int | None = None
    replaced_ns: int | None = None
    replaced_by: str | None = None
    replaces: str | None = None
    order_class: str = SIMPLE
    parent_id: str | None = None
    leg: str | None = None  # 'take_profit' or 'stop_loss'
    waits: bool = False  # a leg whose entry has not filled

    @property
    def is_open(self) -> bool:
        """Alpaca's `open` is whatever is not terminal, held and pending_* included [D]."""
        return self.status not in TERMINAL

    @property
    def is_replaced_soon(self) -> bool:
        """Whether a replacement waits for it."""
        return self.due is not None and self.due.endswith("replace")

    def leaves_qty(self, price: Decimal) -> Decimal:
        """What is still to be filled; a notional order's rest depends on the price, to nine places [M]."""
        if self.qty is not None:
            return self.qty - self.filled_qty
        spent = self.filled_qty * (self.filled_avg_price or Decimal(0))
        return (((self.notional or Decimal(0)) - spent) / price).quantize(Decimal("1e-9"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """An execution: a fill, or what took it back or set it right. Names are the columns of the table."""

    id: str  # YYYYMMDDHHMMSSmmm of New York, two colons, the execution_id
    execution_id: str
    previous_execution_id: str | None
    account: str
    order_id: str
    type: str  # 'fill', 'partial_fill', 'trade_bust' or 'trade_correct'
    at_ns: int
    visible_ns: int | None  # null: in no list ever
    symbol: str
    side: str
    qty: Decimal
    price: Decimal
    cum_qty: Decimal
    leaves_qty: Decimal
    order_status: str
    live: bool  # it counts: neither a bust, nor busted or corrected


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """Something happened to an order, as the stream tells it."""

    event: str
    order: Order
    at_ns: int
    execution: Activity | None = None
    position_qty: Decimal | None = None


@dataclass(frozen=True, slots=True)
class LateOrder:
    """An order whose POST has ended and that will be judged and created later. Columns of the table."""

    call_no: int
    due_ns: int
    account: str
    body: str
    hide_s: float
    reject_after_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A brokerage account. Money is kept in a simple model: see buying_power."""

    name: str
    id: str
    account_number: str
    created_ns: int
    status: str = "ACTIVE"
    cash: Decimal = Decimal(100_000)
    multiplier: Decimal = Decimal(4)
    shorting_enabled: bool = True
    trading_blocked: bool = False
    suspend_trade: bool = False
    long_cost: Decimal = Decimal(0)  # cost of long positions at entry
    short_cost: Decimal = Decimal(0)  # proceeds of short positions at entry, positive
    reserved: Decimal = Decimal(0)  # held back by open orders; never stored, always their sum

    @property
    def equity(self) -> Decimal:
        """Cash and positions at their entry prices."""
        return self.cash + self.long_cost - self.short_cost

    @property
    def buying_power(self) -> Decimal:
        """The multiplied equity less what positions and open orders use."""
        used = self.long_cost + self.short_cost + self.reserved
        return max(Decimal(0), self.multiplier * self.equity - used)


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """A holding: negative when short. Cost is at entry and has the sign of the quantity."""

    qty: Decimal = Decimal(0)
    cost: Decimal = Decimal(0)

    def after(self, qty: Decimal, price: Decimal) -> "Position":
        """The holding after a trade; what is closed leaves at its average cost."""
        total = self.qty + qty
        if self.qty == 0 or (self.qty > 0) == (qty > 0):
            return Position(qty=total, cost=self.cost + qty * price)
        if total == 0:
            return Position()
        if (total > 0) == (self.qty > 0):
            return Position(qty=total, cost=self.cost * total / self.qty)
        return Position(qty=total, cost=total * price)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """The given price of a symbol and how much may still trade at it (None: no bound)."""

    price: Decimal
    size: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """What a symbol allows. Every symbol that nobody described is an ordinary share or pair."""

    exists: bool = True
    active: bool = True
    tradable: bool = True
    fractionable: bool = True
    shortable: bool = True
