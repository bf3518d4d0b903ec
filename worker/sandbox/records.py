"""Between records and rows: decimals are text in the tables, flags are 0 and 1."""

import sqlite3
from collections.abc import Sequence
from dataclasses import fields
from decimal import Decimal
from operator import attrgetter
from typing import Final

from worker.sandbox.model import Account, Activity, Order
from worker.sandbox.shown import Plain, plain
from worker.sandbox.values import decimal_text

Row = dict[str, Plain]

ORDER_COLUMNS: Final = Order._fields
ACTIVITY_COLUMNS: Final = tuple(field.name for field in fields(Activity))
ACCOUNT_COLUMNS: Final = tuple(field.name for field in fields(Account) if field.name != "reserved")

_ORDER_DECIMALS: Final = (
    "qty", "notional", "limit_price", "stop_price", "reserved", "trail_price", "trail_percent", "hwm",
    "due_qty", "due_price", "filled_qty", "filled_avg_price",
)  # fmt: skip
_ORDER_FLAGS: Final = ("extended_hours", "triggered", "waits")
_ACTIVITY_DECIMALS: Final = ("qty", "price", "cum_qty", "leaves_qty")
_ACCOUNT_DECIMALS: Final = ("cash", "multiplier", "long_cost", "short_cost")
_ACCOUNT_FLAGS: Final = ("shorting_enabled", "trading_blocked", "suspend_trade")


def insertion(table: str, columns: Sequence[str]) -> str:
    """The statement that inserts one row."""
    return f"insert into {table} ({', '.join(columns)}) values ({', '.join('?' for _ in columns)})"


def row_of(record: Order | Activity, columns: Sequence[str]) -> Row:
    """A record as a row."""
    return {column: plain(getattr(record, column)) for column in columns}


# SQLite takes decimals as the text that the tables hold.
sqlite3.register_adapter(Decimal, decimal_text)

activity_values: Final = attrgetter(*ACTIVITY_COLUMNS)
account_values: Final = attrgetter(*ACCOUNT_COLUMNS)


def order_of(row: sqlite3.Row) -> Order:
    """The order of a row that was selected whole."""
    values = dict(row)
    _retype(values, _ORDER_DECIMALS, _ORDER_FLAGS)
    return Order(**values)


def activity_of(row: sqlite3.Row) -> Activity:
    """The activity of a row that was selected whole."""
    values = dict(row)
    _retype(values, _ACTIVITY_DECIMALS, ("live",))
    return Activity(**values)


def account_of(row: sqlite3.Row) -> Account:
    """The account of a row."""
    values = dict(row)
    _retype(values, _ACCOUNT_DECIMALS, _ACCOUNT_FLAGS)
    return Account(**values)


def _retype(values: dict[str, object], decimals: Sequence[str], flags: Sequence[str]) -> None:
    values.pop("seq", None)
    for name in decimals:
        if (text := values[name]) is not None:
            values[name] = Decimal(str(text))
    for name in flags:
        values[name] = bool(values[name])
