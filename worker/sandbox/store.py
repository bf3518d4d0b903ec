"""The ground truth on disk: SQLite in WAL mode, one writer, alive after a SIGKILL of the sandbox.

synchronous=NORMAL is enough for that: a killed process loses nothing that it handed to the kernel. Only a
crash of the whole machine may cost the last transactions.
"""

import fcntl
import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, astuple, fields, replace
from decimal import Decimal
from pathlib import Path
from typing import Final

from worker.sandbox.model import TERMINAL, Account, Asset, LateOrder, Order, Position, Quote, Settings
from worker.sandbox.values import decimal_text, decimal_text_or_none

_TERMINAL: Final = ", ".join(f"'{status}'" for status in sorted(TERMINAL))

_ORDER_COLUMNS: Final = tuple(field.name for field in fields(Order))
_ACCOUNT_COLUMNS: Final = tuple(field.name for field in fields(Account) if field.name != "reserved")
_ORDER_DECIMALS: Final = (
    "qty", "notional", "limit_price", "stop_price", "reserved", "filled_qty", "filled_avg_price",
)  # fmt: skip
_ORDER_FLAGS: Final = ("extended_hours", "triggered")
_ACCOUNT_DECIMALS: Final = ("cash", "multiplier", "long_cost", "short_cost")
_ACCOUNT_FLAGS: Final = ("shorting_enabled", "trading_blocked", "suspend_trade")

_SCHEMA: Final = f"""
create table if not exists accounts (
  name text primary key, id text not null unique, account_number text not null, created_ns integer not null,
  status text not null, cash text not null, multiplier text not null, shorting_enabled integer not null,
  trading_blocked integer not null, suspend_trade integer not null, long_cost text not null,
  short_cost text not null
) strict;

create table if not exists orders (
  seq integer primary key, id text not null unique, account text not null references accounts,
  client_order_id text not null, origin text not null, created_ns integer not null,
  updated_ns integer not null, submitted_ns integer not null, expires_ns integer not null,
  visible_ns integer not null, symbol text not null, asset_class text not null, side text not null,
  type text not null, time_in_force text not null, position_intent text not null, status text not null,
  qty text, notional text, limit_price text, stop_price text, extended_hours integer not null,
  reserved text not null, call_no integer, due_ns integer, due text, triggered integer not null,
  filled_qty text not null, filled_avg_price text,
  filled_ns integer, expired_ns integer, canceled_ns integer, failed_ns integer
) strict;
create index if not exists orders_client_order_id on orders (account, client_order_id);
create index if not exists orders_submitted on orders (account, submitted_ns, id);
create index if not exists orders_open on orders (symbol, account, side) where status not in ({_TERMINAL});

create index if not exists orders_due on orders (due_ns) where due_ns is not null;

create table if not exists positions (
  account text not null references accounts, symbol text not null, qty text not null, cost text not null,
  primary key (account, symbol)
) strict;

create table if not exists quotes (symbol text primary key, price text not null, size text) strict;
create table if not exists assets (symbol text primary key, flags text not null) strict;
create table if not exists settings (name text primary key, value text not null) strict;

create table if not exists late_orders (
  call_no integer primary key, due_ns integer not null, account text not null, body text not null,
  hide_s real not null, reject_after_s real
) strict;

create table if not exists calls (
  call_no integer primary key autoincrement, at_ns integer not null, ended_ns integer, account text,
  method text not null,
  path text not null, query text not null, client_order_id text, symbol text, body text, faults text not null,
  status integer, note text
) strict;
create index if not exists calls_under_way on calls (call_no) where ended_ns is null;
create index if not exists calls_posts on calls (account, client_order_id) where method = 'POST';
"""


_FLAT: Final = Position()
_ORDINARY: Final = Asset()


class DataInUseError(Exception):
    """Another sandbox runs on the same directory."""


class Store:
    """Typed reads and writes. Everything runs on one thread, so a transaction is never shared.

    What every order needs (accounts, positions, quotes, assets) is kept in memory too; writes go through, and
    after a rollback it is read again.
    """

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._lock = (directory / "sandbox.lock").open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._lock.close()
            raise DataInUseError(f"{directory} is in use by another sandbox") from None
        self.db = sqlite3.connect(directory / "truth.sqlite3", isolation_level=None, check_same_thread=False)
        self.db.row_factory = sqlite3.Row
        self.db.executescript(
            "pragma journal_mode = wal; pragma synchronous = normal; pragma foreign_keys = on;"
        )
        self.db.executescript(_SCHEMA)
        self._depth = 0
        self._accounts: dict[str, Account] = {}
        self._positions: dict[tuple[str, str], Position] = {}
        self._quotes: dict[str, Quote] = {}
        self._assets: dict[str, Asset] = {}
        self._read_memory()

    def close(self) -> None:
        """Give the directory back."""
        self.db.close()
        self._lock.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; an inner transaction is part of the outer one."""
        if self._depth == 0:
            self.db.execute("begin immediate")
        self._depth += 1
        try:
            yield
        except BaseException:
            self._depth -= 1
            if self._depth == 0:
                self.db.execute("rollback")
                self._read_memory()
            raise
        self._depth -= 1
        if self._depth == 0:
            self.db.execute("commit")

    def _read_memory(self) -> None:
        self._accounts = {row["name"]: _account(row) for row in self.db.execute("select * from accounts")}
        held = f"select account, reserved from orders where status not in ({_TERMINAL}) and reserved <> '0'"
        for row in self.db.execute(held):
            self.reserve(row["account"], Decimal(row["reserved"]))
        self._positions = {
            (row["account"], row["symbol"]): Position(qty=Decimal(row["qty"]), cost=Decimal(row["cost"]))
            for row in self.db.execute("select * from positions")
        }
        self._quotes = {
            row["symbol"]: Quote(
                price=Decimal(row["price"]), size=None if row["size"] is None else Decimal(row["size"])
            )
            for row in self.db.execute("select * from quotes")
        }
        self._assets = {
            row["symbol"]: Asset(**json.loads(row["flags"]))
            for row in self.db.execute("select * from assets")
        }

    def forget_everything(self) -> None:
        """Empty every table but the accounts, which go back to their start."""
        accounts = self.accounts()
        with self.transaction():
            for table in ("orders", "late_orders", "positions", "quotes", "assets", "settings", "calls"):
                self.db.execute(f"delete from {table}")
            self._read_memory()
            for known in accounts:
                number, created_ns = known.account_number, known.created_ns
                self.save_account(
                    Account(name=known.name, id=known.id, account_number=number, created_ns=created_ns)
                )

    # Accounts

    def accounts(self) -> list[Account]:
        """Every account, by name."""
        return sorted(self._accounts.values(), key=lambda account: account.name)

    def account(self, name: str) -> Account:
        """One account that is known to exist."""
        return self._accounts[name]

    def save_account(self, account: Account) -> None:
        """Insert or overwrite."""
        self.db.execute(_UPSERT_ACCOUNT, _plain(account, _ACCOUNT_COLUMNS))
        self._accounts[account.name] = account

    def reserve(self, name: str, amount: Decimal) -> None:
        """Hold back buying power, or give it back; the orders' own rows say how much in all."""
        account = self._accounts[name]
        self._accounts[name] = replace(account, reserved=account.reserved + amount)

    # Orders

    def insert_order(self, order: Order) -> None:
        """Add a new order."""
        self.db.execute(_INSERT_ORDER, _plain(order, _ORDER_COLUMNS))

    def update_order(self, before: Order, after: Order) -> None:
        """Write what changed."""
        changed = [name for name in _ORDER_COLUMNS if getattr(before, name) != getattr(after, name)]
        if changed:
            assignments = ", ".join(f"{name} = ?" for name in changed)
            self.db.execute(
                f"update orders set {assignments} where id = ?", [*_plain(after, tuple(changed)), after.id]
            )

    def order(self, order_id: str) -> Order | None:
        """One order by the broker's id, whoever owns it."""
        row = self.db.execute("select * from orders where id = ?", (order_id,)).fetchone()
        return _order(row) if row else None

    def newest_with_client_order_id(self, account: str, client_order_id: str, seen_ns: int) -> Order | None:
        """The latest order with this id that a reader may see at that time."""
        row = self.db.execute(
            "select * from orders where account = ? and client_order_id = ? and visible_ns <= ?"
            " order by seq desc limit 1",
            (account, client_order_id, seen_ns),
        ).fetchone()
        return _order(row) if row else None

    def is_taken(self, account: str, client_order_id: str, *, only_open: bool) -> bool:
        """Whether the id was used, by any order or by one that is still open."""
        sql = "select 1 from orders where account = ? and client_order_id = ?"
        sql += f" and status not in ({_TERMINAL})" if only_open else ""
        return self.db.execute(sql, (account, client_order_id)).fetchone() is not None

    def open_orders(self, symbol: str, account: str | None = None, side: str | None = None) -> list[Order]:
        """Open orders of a symbol in the order in which they came."""
        sql = f"select * from orders where status not in ({_TERMINAL}) and symbol = ?"
        arguments = [symbol]
        for column, value in (("account", account), ("side", side)):
            if value is not None:
                sql += f" and {column} = ?"
                arguments.append(value)
        return [_order(row) for row in self.db.execute(f"{sql} order by seq", arguments)]

    def orders_where(
        self, condition: str, arguments: list[str | int], order_by: str, limit: int
    ) -> list[Order]:
        """Orders by a condition that the caller built from fixed pieces."""
        sql = f"select * from orders where {condition} order by {order_by} limit ?"
        return [_order(row) for row in self.db.execute(sql, [*arguments, limit])]

    # Positions, quotes, assets, settings

    def position(self, account: str, symbol: str) -> Position:
        """What an account holds of a symbol."""
        return self._positions.get((account, symbol), _FLAT)

    def positions(self) -> list[tuple[str, str, Position]]:
        """Every position that is not flat: (account, symbol, position)."""
        return [(*key, position) for key, position in sorted(self._positions.items()) if position.qty]

    def save_position(self, account: str, symbol: str, position: Position) -> None:
        """Insert or overwrite."""
        self.db.execute(
            "insert or replace into positions (account, symbol, qty, cost) values (?, ?, ?, ?)",
            (account, symbol, decimal_text(position.qty), decimal_text(position.cost)),
        )
        self._positions[account, symbol] = position

    def quote(self, symbol: str) -> Quote | None:
        """The price that was given for a symbol."""
        return self._quotes.get(symbol)

    def quotes(self) -> dict[str, Quote]:
        """Every given price."""
        return dict(sorted(self._quotes.items()))

    def save_quote(self, symbol: str, quote: Quote | None) -> None:
        """Insert, overwrite, or forget."""
        if quote is None:
            self.db.execute("delete from quotes where symbol = ?", (symbol,))
            self._quotes.pop(symbol, None)
            return
        self.db.execute(
            "insert or replace into quotes values (?, ?, ?)",
            (symbol, decimal_text(quote.price), decimal_text_or_none(quote.size)),
        )
        self._quotes[symbol] = quote

    def asset(self, symbol: str) -> Asset:
        """What a symbol allows; everything when nobody said otherwise."""
        return self._assets.get(symbol, _ORDINARY)

    def save_asset(self, symbol: str, asset: Asset) -> None:
        """Insert or overwrite."""
        self.db.execute("insert or replace into assets values (?, ?)", (symbol, json.dumps(asdict(asset))))
        self._assets[symbol] = asset

    def settings(self) -> Settings:
        """The stored settings over the defaults."""
        stored = {
            row["name"]: json.loads(row["value"])
            for row in self.db.execute("select name, value from settings")
        }
        if "checks" in stored:
            stored["checks"] = tuple(stored["checks"])
        return Settings(**stored)

    def save_settings(self, settings: Settings) -> None:
        """Overwrite all settings."""
        self.db.executemany(
            "insert or replace into settings values (?, ?)",
            [(name, json.dumps(value)) for name, value in asdict(settings).items()],
        )

    # What falls due later

    def due(self) -> list[tuple[int, str, str]]:
        """Everything that is still to happen: (when, what, subject)."""
        return [
            (row["due_ns"], row["due"], row["id"])
            for row in self.db.execute("select due_ns, due, id from orders where due_ns is not null")
        ] + [
            (row["due_ns"], "insert", str(row["call_no"]))
            for row in self.db.execute("select due_ns, call_no from late_orders")
        ]

    def add_late_order(self, late: LateOrder) -> None:
        """Keep an order that is to be judged and created later."""
        self.db.execute("insert into late_orders values (?, ?, ?, ?, ?, ?)", astuple(late))

    def take_late_order(self, call_no: int) -> LateOrder | None:
        """Remove and return a late order."""
        row = self.db.execute("delete from late_orders where call_no = ? returning *", (call_no,)).fetchone()
        return LateOrder(*row) if row else None

    def count_late_orders(self) -> int:
        """How many orders are still to be created."""
        return int(self.db.execute("select count(*) from late_orders").fetchone()[0])

    # The call log

    def begin_call(
        self,
        *,
        at_ns: int,
        account: str | None,
        method: str,
        path: str,
        query: str,
        client_order_id: str | None,
        symbol: str | None,
        body: str | None,
        faults: str,
    ) -> int:
        """Note a call before anything else happens to it, so that a SIGKILL cannot hide it."""
        cursor = self.db.execute(
            "insert into calls (at_ns, account, method, path, query, client_order_id, symbol, body, faults)"
            " values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (at_ns, account, method, path, query, client_order_id, symbol, body, faults),
        )
        return int(cursor.lastrowid or 0)

    def end_calls_of_last_life(self, now_ns: int) -> None:
        """Calls that were under way when the sandbox was killed were cut by that."""
        self.db.execute(
            "update calls set ended_ns = ?, note = coalesce(note, 'cut by the end of the sandbox')"
            " where ended_ns is null",
            (now_ns,),
        )

    def annotate_call(self, call_no: int, note: str) -> None:
        """Add a remark to a call."""
        self.db.execute("update calls set note = ? where call_no = ?", (note, call_no))

    def end_call(self, call_no: int, ended_ns: int, status: int | None) -> None:
        """Note what was answered; no status means that the connection was cut."""
        self.db.execute(
            "update calls set ended_ns = ?, status = ? where call_no = ?", (ended_ns, status, call_no)
        )


def _plain(record: Order | Account, columns: tuple[str, ...]) -> list[str | int | None]:
    values: list[str | int | None] = []
    for column in columns:
        value = getattr(record, column)
        values.append(decimal_text(value) if isinstance(value, Decimal) else value)
    return values


def _order(row: sqlite3.Row) -> Order:
    values = dict(row)
    del values["seq"]
    _retype(values, _ORDER_DECIMALS, _ORDER_FLAGS)
    return Order(**values)


def _account(row: sqlite3.Row) -> Account:
    values = dict(row)
    _retype(values, _ACCOUNT_DECIMALS, _ACCOUNT_FLAGS)
    return Account(**values)


def _retype(values: dict[str, object], decimals: tuple[str, ...], flags: tuple[str, ...]) -> None:
    for name in decimals:
        if (text := values[name]) is not None:
            values[name] = Decimal(str(text))
    for name in flags:
        values[name] = bool(values[name])


_INSERT_ORDER: Final = (
    f"insert into orders ({', '.join(_ORDER_COLUMNS)}) values ({', '.join('?' for _ in _ORDER_COLUMNS)})"
)
_UPSERT_ACCOUNT: Final = (
    f"insert into accounts ({', '.join(_ACCOUNT_COLUMNS)})"
    f" values ({', '.join('?' for _ in _ACCOUNT_COLUMNS)})"
    " on conflict (name) do update set "
    + ", ".join(f"{column} = excluded.{column}" for column in _ACCOUNT_COLUMNS if column != "name")
)
