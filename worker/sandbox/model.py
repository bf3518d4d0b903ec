"""What the sandbox remembers: orders, accounts, prices and its own settings."""

import uuid
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Final

from worker.sandbox.values import Json, decimal_text, decimal_text_or_none, time_text, time_text_or_none

# [D WWO/OAS26]: done_for_day, stopped, suspended and calculated may still come back to life.
TERMINAL: Final = frozenset({"filled", "canceled", "expired", "rejected", "replaced"})
STATUSES: Final = TERMINAL | {
    "new", "partially_filled", "done_for_day", "pending_cancel", "pending_replace", "accepted", "pending_new",
    "accepted_for_bidding", "stopped", "suspended", "calculated", "held",
}  # fmt: skip
WORKING: Final = frozenset({"new", "partially_filled"})

CHECKS: Final = ("buying_power", "quantity", "wash_trade", "uniqueness")


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

    @property
    def is_crypto(self) -> bool:
        """Pairs are written BTC/USD."""
        return "/" in self.symbol

    @property
    def is_fractional(self) -> bool:
        """By amount of money, or by a part of a share."""
        return self.qty is None or self.qty != self.qty.to_integral_value()


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One order at the broker. Names are the columns of the table and, where they exist there, Alpaca's."""

    id: str
    account: str
    client_order_id: str
    origin: str  # 'post', 'late' (created after its POST had ended) or 'admin' (hand-made)
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
    call_no: int | None  # of the POST behind it
    due_ns: int | None = None  # when the next thing happens to it by itself,
    due: str | None = None  # and what: 'accept' or 'reject'
    triggered: bool = False  # the stop price was reached
    filled_qty: Decimal = Decimal(0)
    filled_avg_price: Decimal | None = None
    filled_ns: int | None = None
    expired_ns: int | None = None
    canceled_ns: int | None = None
    failed_ns: int | None = None

    @property
    def is_open(self) -> bool:
        """Alpaca's `open` is whatever is not terminal, held and pending_* included [D]."""
        return self.status not in TERMINAL

    def leaves_qty(self, price: Decimal) -> Decimal:
        """What is still to be filled; a notional order's rest depends on the price, to nine places [M]."""
        if self.qty is not None:
            return self.qty - self.filled_qty
        spent = self.filled_qty * (self.filled_avg_price or Decimal(0))
        return (((self.notional or Decimal(0)) - spent) / price).quantize(Decimal("1e-9"))


@dataclass(frozen=True, slots=True)
class LateOrder:
    """An order whose POST has ended and that will be judged and created later. Columns of the table."""

    call_no: int
    due_ns: int
    account: str
    body: str
    hide_s: float
    reject_after_s: float | None


@cache
def asset_id(symbol: str) -> str:
    """A made-up id that is the same in every sandbox."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"sandbox-asset:{symbol}"))


def order_json(order: Order) -> dict[str, Json]:
    """The order with every key of the recorded answer of a simple order [M REC]."""
    return {
        "id": order.id,
        "client_order_id": order.client_order_id,
        "created_at": time_text(order.created_ns),
        "updated_at": time_text(order.updated_ns),
        "submitted_at": time_text(order.submitted_ns),
        "filled_at": time_text_or_none(order.filled_ns),
        "expired_at": time_text_or_none(order.expired_ns),
        "expires_at": time_text(order.expires_ns),
        "canceled_at": time_text_or_none(order.canceled_ns),
        "failed_at": time_text_or_none(order.failed_ns),
        "replaced_at": None,
        "replaced_by": None,
        "replaces": None,
        "asset_id": asset_id(order.symbol),
        "symbol": order.symbol,
        "asset_class": order.asset_class,
        "notional": decimal_text_or_none(order.notional),
        "qty": decimal_text_or_none(order.qty),
        "filled_qty": decimal_text(order.filled_qty),
        "filled_avg_price": decimal_text_or_none(order.filled_avg_price),
        "order_class": "",
        "order_type": order.type,
        "type": order.type,
        "side": order.side,
        "position_intent": order.position_intent,
        "time_in_force": order.time_in_force,
        "limit_price": decimal_text_or_none(order.limit_price),
        "stop_price": decimal_text_or_none(order.stop_price),
        "status": order.status,
        "extended_hours": order.extended_hours,
        "legs": None,
        "trail_percent": None,
        "trail_price": None,
        "hwm": None,
        "subtag": None,
        "source": None,
    }


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


def account_json(account: Account, now_ns: int) -> dict[str, Json]:
    """The account with the recorded keys; the PDT fields are gone since 2026-07-06 [M REC; D]."""
    power = decimal_text(account.buying_power)
    equity = decimal_text(account.equity)
    margin = decimal_text((account.long_cost + account.short_cost) / 2)
    return {
        "id": account.id,
        "account_number": account.account_number,
        "status": account.status,
        "crypto_status": "ACTIVE",
        "currency": "USD",
        "cash": decimal_text(account.cash),
        "buying_power": power,
        "regt_buying_power": power,
        "effective_buying_power": power,
        "non_marginable_buying_power": decimal_text(max(Decimal(0), account.cash)),
        "options_buying_power": decimal_text(max(Decimal(0), account.cash)),
        "portfolio_value": equity,
        "equity": equity,
        "last_equity": equity,
        "long_market_value": decimal_text(account.long_cost),
        "short_market_value": decimal_text(-account.short_cost),
        "position_market_value": decimal_text(account.long_cost + account.short_cost),
        "initial_margin": margin,
        "maintenance_margin": margin,
        "last_maintenance_margin": margin,
        "sma": equity,
        "multiplier": decimal_text(account.multiplier),
        "accrued_fees": "0",
        "pending_reg_taf_fees": "0",
        "intraday_adjustments": "0",
        "balance_asof": time_text(now_ns)[:10],
        "created_at": time_text(account.created_ns),
        "account_blocked": False,
        "trading_blocked": account.trading_blocked,
        "transfers_blocked": False,
        "trade_suspended_by_user": account.suspend_trade,
        "shorting_enabled": account.shorting_enabled,
        "options_approved_level": 0,
        "options_trading_level": 0,
        "crypto_tier": 0,
        "admin_configurations": {},
        "user_configurations": None,
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """A holding: negative when short. Cost is at entry and has the sign of the quantity."""

    qty: Decimal = Decimal(0)
    cost: Decimal = Decimal(0)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How this Alpaca behaves where the sources are silent or contradict each other."""

    # Which checks of the account run, in this order. Recorded behaviour suggests uniqueness last [X]; what is
    # left out is not checked (without 'uniqueness' the venue forgets ids at once).
    checks: tuple[str, ...] = CHECKS
    uniqueness: str = "forever"  # or 'active': only ids of open orders are taken (LEARN's claim, unmeasured)
    duplicate_status: int = 422  # [M REC]; 409 is a third-party claim
    duplicate_code: int = 40010001  # [M REC, LEARN]; 42210000 was recorded too
    rewrite_buy_stop: bool = True  # a buy stop becomes a stop limit [D]
    accept_after_ms: int | None = 4  # pending_new becomes new [M REC]; None: stuck in pending_new
    shift_submitted_at: bool = True  # and submitted_at moves with it [M REC]
    market: str = "open"  # closed: orders queue as accepted [D/M]
    rate_limit: int = 200  # requests a window and key [D/I]; 0: no limit and no headers
    rate_window_s: int = 60
