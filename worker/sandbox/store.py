"""The ground truth on disk: SQLite in WAL mode, one writer, alive after a SIGKILL of the sandbox.

synchronous=NORMAL is enough for that: a killed process loses nothing that it handed to the kernel. Only a
crash of the whole machine may cost the last transactions.
"""

import fcntl
import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, astuple, replace
from decimal import Decimal
from pathlib import Path
from typing import Final

from worker.sandbox.activities import Activities
from worker.sandbox.calls import Calls
from worker.sandbox.model import Account, Asset, LateOrder, Position, Quote
from worker.sandbox.orders import Orders
from worker.sandbox.records import ACCOUNT_COLUMNS, account_of, account_values, insertion
from worker.sandbox.schema import EMPTIED, INDEXES, IS_OPEN, SCHEMA
from worker.sandbox.settings import Settings, settings_json, stored_settings
from worker.sandbox.values import decimal_text, decimal_text_or_none, parse_json, to_json

_FLAT: Final = Position()
_ORDINARY: Final = Asset()
_UPSERT_ACCOUNT: Final = insertion("accounts", ACCOUNT_COLUMNS) + (
    " on conflict (name) do update set "
    + ", ".join(f"{column} = excluded.{column}" for column in ACCOUNT_COLUMNS if column != "name")
)


class DataInUseError(Exception):
    """Another sandbox runs on the same directory."""


class Store:
    """Typed reads and writes. Everything runs on one thread, so a transaction is never shared.

    What every order needs (accounts, positions, quotes, assets) is kept in memory too; writes go through, and
    after a rollback it is read again.
    """

    def __init__(self, db: sqlite3.Connection) -> None:
        self.db = db
        self.db.row_factory = sqlite3.Row
        self.orders = Orders(db)
        self.activities = Activities(db)
        self.calls = Calls(db)
        self.committed: Callable[[], None] = _ignore
        self.rolled_back: Callable[[], None] = _ignore
        self._depth = 0
        self._accounts: dict[str, Account] = {}
        self._positions: dict[str, dict[str, Position]] = {}  # by account and symbol
        self._quotes: dict[str, Quote] = {}
        self._assets: dict[str, Asset] = {}
        self._read_memory()

    def snapshot(self) -> "Store":
        """A copy of everything as it is now, in memory."""
        copy = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        self.db.backup(copy)
        return Store(copy)

    def close(self) -> None:
        """Close the connection."""
        self.db.close()

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
                self.rolled_back()
            raise
        self._depth -= 1
        if self._depth == 0:
            self.db.execute("commit")
            self.committed()

    @contextmanager
    def bulk_load(self) -> Iterator[None]:
        """A transaction for many thousands of rows: the indexes are built once, at its end."""
        with self.transaction():
            for name in INDEXES:
                self.db.execute(f"drop index {name}")
            yield
            for definition in INDEXES.values():
                self.db.execute(f"create {definition}")

    def _read_memory(self) -> None:
        self.orders.forget_memory()
        self.calls.forget_memory()
        self._accounts = {row["name"]: account_of(row) for row in self.db.execute("select * from accounts")}
        held = f"select account, reserved from orders where {IS_OPEN} and reserved <> '0'"
        for row in self.db.execute(held):
            self.reserve(row["account"], Decimal(row["reserved"]))
        self._positions = {}
        for row in self.db.execute("select * from positions"):
            position = Position(qty=Decimal(row["qty"]), cost=Decimal(row["cost"]))
            self._positions.setdefault(row["account"], {})[row["symbol"]] = position
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
            for table in EMPTIED:
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
        self.db.execute(_UPSERT_ACCOUNT, account_values(account))
        self._accounts[account.name] = account

    def reserve(self, name: str, amount: Decimal) -> None:
        """Hold back buying power, or give it back; the orders' own rows say how much in all."""
        account = self._accounts[name]
        self._accounts[name] = replace(account, reserved=account.reserved + amount)

    # Positions, quotes, assets, settings

    def position(self, account: str, symbol: str) -> Position:
        """What an account holds of a symbol."""
        return self._positions.get(account, {}).get(symbol, _FLAT)

    def positions(self, account: str | None = None) -> list[tuple[str, str, Position]]:
        """Every position that is not flat, of one account or of all: (account, symbol, position)."""
        return [
            (owner, symbol, position)
            for owner in (sorted(self._positions) if account is None else (account,))
            for symbol, position in sorted(self._positions.get(owner, {}).items())
            if position.qty
        ]

    def save_position(self, account: str, symbol: str, position: Position) -> None:
        """Insert or overwrite."""
        self.db.execute(
            "insert or replace into positions (account, symbol, qty, cost) values (?, ?, ?, ?)",
            (account, symbol, decimal_text(position.qty), decimal_text(position.cost)),
        )
        self._positions.setdefault(account, {})[symbol] = position

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

    def assets(self) -> dict[str, Asset]:
        """Every symbol that somebody described or priced."""
        return {symbol: self.asset(symbol) for symbol in sorted({*self._assets, *self._quotes})}

    def save_asset(self, symbol: str, asset: Asset) -> None:
        """Insert or overwrite."""
        self.db.execute("insert or replace into assets values (?, ?)", (symbol, json.dumps(asdict(asset))))
        self._assets[symbol] = asset

    def settings(self) -> Settings:
        """The stored settings over the defaults."""
        rows = self.db.execute("select name, value from settings")
        return stored_settings({row["name"]: parse_json(row["value"]) for row in rows})

    def save_settings(self, settings: Settings) -> None:
        """Overwrite all settings."""
        self.db.executemany(
            "insert or replace into settings values (?, ?)",
            [(name, to_json(value).decode()) for name, value in settings_json(settings).items()],
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


class StoreOnDisk(Store):
    """A store in a directory that no other sandbox may use at the same time."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._lock = (directory / "sandbox.lock").open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._lock.close()
            raise DataInUseError(f"{directory} is in use by another sandbox") from None
        db = sqlite3.connect(directory / "truth.sqlite3", isolation_level=None, check_same_thread=False)
        db.executescript(
            "pragma journal_mode = wal; pragma synchronous = normal; pragma foreign_keys = on;"
            " pragma cache_size = -262144; pragma temp_store = memory;"
        )
        _prepare(db)
        super().__init__(db)

    def close(self) -> None:
        """Give the directory back."""
        super().close()
        self._lock.close()


class StoreInMemory(Store):
    """A store that ends with its process, for measurements."""

    def __init__(self) -> None:
        db = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        db.execute("pragma page_size = 16384")  # a commit in memory takes time for every page there is
        _prepare(db)
        super().__init__(db)


def _prepare(db: sqlite3.Connection) -> None:
    db.executescript(SCHEMA)
    there = {row[0] for row in db.execute("select name from sqlite_schema where type = 'index'")}
    for name, definition in INDEXES.items():
        if name not in there:
            db.execute(f"create {definition}")


def _ignore() -> None:
    """Nobody listens."""
