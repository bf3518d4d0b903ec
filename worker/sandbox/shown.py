"""The JSON of the trading API: orders, accounts, positions, activities, assets and stream messages."""

import os
import uuid
from collections.abc import Sequence
from decimal import Decimal
from functools import cache
from operator import attrgetter
from typing import Final

from worker.sandbox.model import Account, Activity, Asset, Order, Position, Quote, Update
from worker.sandbox.values import Json, decimal_text, time_text

# Every key of the recorded answer of a simple order, in its order [M REC], and the column behind it, if any.
ORDER_MEMBERS: Final = {
    "id": "id",
    "client_order_id": "client_order_id",
    "created_at": "created_ns",
    "updated_at": "updated_ns",
    "submitted_at": "submitted_ns",
    "filled_at": "filled_ns",
    "expired_at": "expired_ns",
    "expires_at": "expires_ns",
    "canceled_at": "canceled_ns",
    "failed_at": "failed_ns",
    "replaced_at": "replaced_ns",
    "replaced_by": "replaced_by",
    "replaces": "replaces",
    "asset_id": "symbol",
    "symbol": "symbol",
    "asset_class": "asset_class",
    "notional": "notional",
    "qty": "qty",
    "filled_qty": "filled_qty",
    "filled_avg_price": "filled_avg_price",
    "order_class": "order_class",
    "order_type": "type",
    "type": "type",
    "side": "side",
    "position_intent": "position_intent",
    "time_in_force": "time_in_force",
    "limit_price": "limit_price",
    "stop_price": "stop_price",
    "status": "status",
    "extended_hours": "extended_hours",
    "legs": None,
    "trail_percent": "trail_percent",
    "trail_price": "trail_price",
    "hwm": "hwm",
    "subtag": None,
    "source": None,
}
_TIMES: Final = tuple(name for name, column in ORDER_MEMBERS.items() if column and column.endswith("_ns"))

SHOWN_COLUMNS: Final = tuple(column for column in ORDER_MEMBERS.values() if column)
_BLANK: Final[dict[str, Json]] = dict.fromkeys(ORDER_MEMBERS)
_SHOWN: Final = tuple(name for name, column in ORDER_MEMBERS.items() if column)
_shown_values: Final = attrgetter(*SHOWN_COLUMNS)

Plain = str | int | None


@cache
def asset_id(symbol: str) -> str:
    """A made-up id that is the same in every sandbox."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"sandbox-asset:{symbol}"))


def plain(value: str | int | Decimal | None) -> Plain:
    """A value as the table holds it: decimals are text."""
    return decimal_text(value) if isinstance(value, Decimal) else value


def order_json(order: Order, legs: Sequence[Order] = ()) -> dict[str, Json]:
    """An order, with its legs if it has any."""
    values = [decimal_text(value) if type(value) is Decimal else value for value in _shown_values(order)]
    shown = row_json(values)
    if legs:
        shown["legs"] = [order_json(leg) for leg in legs]
    return shown


def row_json(values: Sequence[Plain]) -> dict[str, Json]:
    """An order straight from its row: the values of SHOWN_COLUMNS. Long lists are made of these."""
    shown = _BLANK | dict(zip(_SHOWN, values, strict=True))
    for name in _TIMES:
        ns = shown[name]
        if isinstance(ns, int):
            shown[name] = time_text(ns)
    shown["asset_id"] = asset_id(str(shown["symbol"]))
    shown["extended_hours"] = bool(shown["extended_hours"])
    return shown


def activity_json(activity: Activity) -> dict[str, Json]:
    """A FILL activity [D ACT, M]; the stream has nanoseconds, REST rounds to microseconds [M TG]."""
    shown: dict[str, Json] = {
        "id": activity.id,
        "activity_type": "FILL",
        "transaction_time": time_text(round(activity.at_ns, -3)),
        "type": activity.type,
        "price": decimal_text(activity.price),
        "qty": decimal_text(activity.qty),
        "side": activity.side,
        "symbol": activity.symbol,
        "leaves_qty": decimal_text(activity.leaves_qty),
        "order_id": activity.order_id,
        "cum_qty": decimal_text(activity.cum_qty),
        "order_status": activity.order_status,
    }
    if activity.previous_execution_id is not None:
        shown["previous_execution_id"] = activity.previous_execution_id
    return shown


def update_json(update: Update, legs: Sequence[Order]) -> dict[str, Json]:
    """A trade_updates message [D WS]: the order in full, the execution with its own price and quantity."""
    done = update.execution
    data: dict[str, Json] = {
        "event": update.event,
        "execution_id": None if done is None else done.execution_id,
        "event_id": ulid(update.at_ns),
        "at": time_text(update.at_ns),
        "timestamp": time_text(update.at_ns),
    }
    if done is not None:
        data["price"] = decimal_text(done.price)
        data["qty"] = decimal_text(done.qty)
        data["position_qty"] = decimal_text(update.position_qty or Decimal(0))
        if done.previous_execution_id is not None:
            data["previous_execution_id"] = done.previous_execution_id
    data["order"] = order_json(update.order, legs)
    return {"stream": "trade_updates", "data": data}


_CROCKFORD: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def ulid(at_ns: int) -> str:
    """48 bits of milliseconds and 80 of chance, in Crockford's base 32."""
    number = (at_ns // 1_000_000) << 80 | int.from_bytes(os.urandom(10))
    return "".join(_CROCKFORD[number >> shift & 31] for shift in range(125, -1, -5))


def position_symbol(symbol: str) -> str:
    """Orders say BTC/USD, positions BTCUSD [D/M]."""
    return symbol.replace("/", "")


def position_json(
    symbol: str, position: Position, available: Decimal, quote: Quote | None
) -> dict[str, Json]:
    """A holding at the given price of its symbol, or at its cost when there is none [D/M]."""
    qty, average = position.qty, position.cost / position.qty
    price = average if quote is None else quote.price
    gain = qty * price - position.cost
    share = gain / abs(position.cost) if position.cost else Decimal(0)
    is_crypto = "/" in symbol
    return {
        "asset_id": asset_id(symbol),
        "symbol": position_symbol(symbol),
        "exchange": "CRYPTO" if is_crypto else "NASDAQ",
        "asset_class": "crypto" if is_crypto else "us_equity",
        "asset_marginable": not is_crypto,
        "avg_entry_price": _money(average),
        "qty": decimal_text(qty),
        "qty_available": decimal_text(available),
        "side": "long" if qty > 0 else "short",
        "market_value": _money(qty * price),
        "cost_basis": _money(position.cost),
        "current_price": _money(price),
        "lastday_price": _money(average),
        "change_today": _money(price / average - 1 if average else Decimal(0)),
        "unrealized_pl": _money(gain),
        "unrealized_plpc": _money(share),
        "unrealized_intraday_pl": _money(gain),
        "unrealized_intraday_plpc": _money(share),
    }


def _money(number: Decimal) -> str:
    return decimal_text(number.quantize(Decimal("1e-9")))


def asset_json(symbol: str, asset: Asset) -> dict[str, Json]:
    """An asset with the recorded keys; pairs have increments of their own [D/M]."""
    is_crypto = "/" in symbol
    shown: dict[str, Json] = {
        "id": asset_id(symbol),
        "class": "crypto" if is_crypto else "us_equity",
        "exchange": "CRYPTO" if is_crypto else "NASDAQ",
        "symbol": symbol,
        "name": symbol,
        "status": "active" if asset.active else "inactive",
        "tradable": asset.tradable,
        "marginable": not is_crypto,
        "shortable": asset.shortable and not is_crypto,
        "easy_to_borrow": asset.shortable and not is_crypto,
        "borrow_status": "easy_to_borrow" if asset.shortable and not is_crypto else "not_available",
        "fractionable": asset.fractionable,
        "maintenance_margin_requirement": 100 if is_crypto else 30,
        "margin_requirement_long": "100" if is_crypto else "30",
        "margin_requirement_short": "100" if is_crypto else "30",
        "attributes": [],
    }
    if is_crypto:
        shown |= {"min_order_size": "0.0001", "min_trade_increment": "0.000000001", "price_increment": "0.01"}
    return shown


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
