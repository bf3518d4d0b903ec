"""The table of orders. What is asked for again and again is kept in memory too; writes go through."""

import sqlite3
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from typing import Final

from worker.sandbox.model import Order
from worker.sandbox.records import ORDER_COLUMNS, Row, insertion, order_of
from worker.sandbox.schema import IS_OPEN
from worker.sandbox.shown import SHOWN_COLUMNS, order_json, row_json
from worker.sandbox.values import Json

MAX_REMEMBERED: Final = 20_000

_INSERT: Final = insertion("orders", ORDER_COLUMNS)
_SHOWN: Final = ", ".join(SHOWN_COLUMNS)

_BY_CLIENT_ORDER_ID: Final = """
select * from orders
 where account = ? and client_order_id = ? and visible_ns <= ?
 order by exists (select 1 from orders as old
                   where old.id = orders.replaces and old.client_order_id = orders.client_order_id), seq desc
 limit 1
"""

# A replacement is a leg once it is in force.
_LEGS: Final = """
select * from orders
 where parent_id = ? and status <> 'replaced'
       and not (replaces is not null and status in ('pending_new', 'rejected'))
 order by leg = 'stop_loss', seq
"""


class Orders:
    """Typed reads and writes of one table."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._remembered: OrderedDict[str, Order] = OrderedDict()

    def insert(self, order: Order) -> None:
        """Add a new order."""
        self._db.execute(_INSERT, order)
        self._remember(order)

    def insert_rows(self, rows: Iterable[Row]) -> None:
        """Add many rows at once, each with its members in the order of the columns."""
        self._db.executemany(_INSERT, (tuple(row.values()) for row in rows))

    def update(self, before: Order, after: Order) -> None:
        """Write what changed."""
        pairs = zip(ORDER_COLUMNS, before, after, strict=True)
        changed = {name: new for name, old, new in pairs if new is not old and new != old}
        if changed:
            assignments = ", ".join(f"{name} = ?" for name in changed)
            self._db.execute(f"update orders set {assignments} where id = ?", [*changed.values(), after.id])
        self._remember(after)

    def forget_memory(self) -> None:
        """The tables changed behind our back: read them again."""
        self._remembered.clear()

    def get(self, order_id: str) -> Order | None:
        """One order by the broker's id, whoever owns it."""
        known = self._remembered.get(order_id)
        if known is None:
            row = self._db.execute("select * from orders where id = ?", (order_id,)).fetchone()
            if row is None:
                return None
            known = order_of(row)
            self._remember(known)
        return known

    def there(self, order_id: str) -> Order:
        """One order that is known to exist."""
        order = self.get(order_id)
        assert order is not None
        return order

    def with_client_order_id(self, account: str, client_order_id: str, seen_ns: int) -> Order | None:
        """The order with this id that a reader may see at that time: of several the latest.

        A replacement that kept the id of what it replaced is not found by it [D MCP text].
        """
        row = self._db.execute(_BY_CLIENT_ORDER_ID, (account, client_order_id, seen_ns)).fetchone()
        return order_of(row) if row else None

    def is_taken(self, account: str, client_order_id: str, *, only_open: bool) -> bool:
        """Whether the id was used, by any order or by one that is still open."""
        sql = "select 1 from orders where account = ? and client_order_id = ?"
        sql += f" and {IS_OPEN}" if only_open else ""
        return self._db.execute(sql, (account, client_order_id)).fetchone() is not None

    def open_of(self, symbol: str, account: str | None = None, side: str | None = None) -> list[Order]:
        """Open orders of a symbol in the order in which they came."""
        sql = f"select * from orders where {IS_OPEN} and symbol = ?"
        arguments = [symbol]
        for column, value in (("account", account), ("side", side)):
            if value is not None:
                sql += f" and {column} = ?"
                arguments.append(value)
        return [order_of(row) for row in self._db.execute(f"{sql} order by seq", arguments)]

    def open_of_account(self, account: str) -> list[Order]:
        """Open orders of an account in the order in which they came."""
        sql = f"select * from orders where {IS_OPEN} and account = ? order by seq"
        return [order_of(row) for row in self._db.execute(sql, (account,))]

    def with_status(self, status: str) -> list[Order]:
        """Orders of a status in the order in which they came."""
        sql = "select * from orders where status = ? order by seq"
        return [order_of(row) for row in self._db.execute(sql, (status,))]

    def legs(self, parent_id: str) -> list[Order]:
        """The legs of an order, first the take profit; of a leg that was replaced what replaced it."""
        return [order_of(row) for row in self._db.execute(_LEGS, (parent_id,))]

    def replacement_of(self, order_id: str) -> Order | None:
        """The order that was made to replace another."""
        sql = "select * from orders where replaces = ? order by seq desc limit 1"
        row = self._db.execute(sql, (order_id,)).fetchone()
        return order_of(row) if row else None

    def page(
        self,
        conditions: Sequence[str],
        arguments: Sequence[str | int],
        order_by: str,
        limit: int,
        *,
        nested: bool,
    ) -> list[Json]:
        """A page as the API shows it, by conditions that the caller built from fixed pieces."""
        sql = f"select {_SHOWN} from orders where {' and '.join(conditions)} order by {order_by} limit ?"
        cursor = self._db.cursor()
        cursor.row_factory = None
        page = [row_json(row) for row in cursor.execute(sql, [*arguments, limit])]
        if nested:
            for shown in page:
                if shown["order_class"]:
                    legs = self.legs(str(shown["id"]))
                    shown["legs"] = [order_json(leg) for leg in legs] or None
        return list(page)

    def _remember(self, order: Order) -> None:
        self._remembered[order.id] = order
        self._remembered.move_to_end(order.id)
        if len(self._remembered) > MAX_REMEMBERED:
            self._remembered.popitem(last=False)
