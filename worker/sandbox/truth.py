"""What really happened, for tests to compare with what others believe."""

import json
import sqlite3
from typing import Final

from worker.sandbox.model import Activity, Order
from worker.sandbox.records import activity_of
from worker.sandbox.shown import order_json
from worker.sandbox.store import Store
from worker.sandbox.values import Json, decimal_text, time_text, time_text_or_none

_POSTS: Final = """
select account, client_order_id, count(*) as posts,
       count(*) filter (where status between 200 and 299) as answered_2xx,
       count(*) filter (where status >= 400) as answered_error,
       count(*) filter (where status is null) as cut_or_under_way,
       json_group_array(status) as statuses, min(at_ns) as first_ns, max(at_ns) as last_ns,
       (select count(*) from orders where orders.account = calls.account
           and orders.client_order_id = calls.client_order_id) as orders
  from calls
 where method = 'POST' and path = '/v2/orders' and client_order_id is not null and account is not null
       and (:account is null or account = :account)
       and (:client_order_id is null or client_order_id = :client_order_id)
 group by account, client_order_id
 order by min(call_no)
"""

_ORDERS: Final = """
select id from orders
 where (:account is null or account = :account)
       and (:client_order_id is null or client_order_id = :client_order_id)
 order by seq
"""

_CALLS: Final = """
select calls.*, orders.id as order_id
  from calls left join orders on orders.call_no = calls.call_no
 where calls.call_no > :after and (:account is null or calls.account = :account)
       and (:client_order_id is null or calls.client_order_id = :client_order_id)
 order by calls.call_no limit :limit
"""

_FAMILY: Final = """
select seq, id from orders
 where seq > :after and (:account is null or account = :account)
 order by seq limit :limit
"""

_FILLS: Final = """
select activities.* from activities join orders on orders.id = activities.order_id
 where orders.seq > :after and orders.seq <= :last and (:account is null or orders.account = :account)
 order by activities.seq
"""

_DUPLICATES: Final = """
select coalesce(sum(copies - 1), 0) from (
  select count(*) as copies from orders where origin in ('post', 'late') group by account, client_order_id)
"""


class Truth:
    """Reads the store the way tests want to see it."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def orders(self, account: str | None, client_order_id: str | None) -> list[Json]:
        """Every order that exists, visible or not, with the POSTs that were seen for its id."""
        chosen = {"account": account, "client_order_id": client_order_id}
        posts = {
            (row["account"], row["client_order_id"]): row["posts"] for row in self._rows(_POSTS, **chosen)
        }
        shown: list[Json] = []
        for row in self._rows(_ORDERS, **chosen):
            order = self._store.orders.there(row["id"])
            shown.append(
                {
                    "account": order.account,
                    "client_order_id": order.client_order_id,
                    "id": order.id,
                    "origin": order.origin,
                    "status": order.status,
                    "created_at": time_text(order.created_ns),
                    "visible_at": time_text(order.visible_ns),
                    "posts": posts.get((order.account, order.client_order_id), 0),
                    "order": order_json(order),
                }
            )
        return shown

    def posts(self, account: str | None, client_order_id: str | None) -> list[Json]:
        """For each client_order_id how often it was POSTed and what came of it, refused ones included."""
        return [
            {
                "account": row["account"],
                "client_order_id": row["client_order_id"],
                "posts": row["posts"],
                "orders": row["orders"],
                "answered_2xx": row["answered_2xx"],
                "answered_error": row["answered_error"],
                "cut_or_under_way": row["cut_or_under_way"],
                "statuses": json.loads(row["statuses"]),
                "first_at": time_text(row["first_ns"]),
                "last_at": time_text(row["last_ns"]),
            }
            for row in self._rows(_POSTS, account=account, client_order_id=client_order_id)
        ]

    def calls(self, account: str | None, client_order_id: str | None, after: int, limit: int) -> list[Json]:
        """The call log, oldest first. It never held a header, so it holds no key."""
        rows = self._rows(_CALLS, account=account, client_order_id=client_order_id, after=after, limit=limit)
        return [
            {
                "call_no": row["call_no"],
                "at": time_text(row["at_ns"]),
                "ended_at": time_text_or_none(row["ended_ns"]),
                "account": row["account"],
                "method": row["method"],
                "path": row["path"],
                "query": row["query"],
                "client_order_id": row["client_order_id"],
                "symbol": row["symbol"],
                "body": row["body"],
                "faults": [int(number) for number in row["faults"].split(",") if number],
                "status": row["status"],
                "order_id": row["order_id"],
                "note": row["note"],
            }
            for row in rows
        ]

    def everything(self, account: str | None, *, after: int, limit: int) -> dict[str, Json]:
        """Orders in the order in which they came, with their chains and executions, and what is held."""
        rows = self._rows(_FAMILY, account=account, after=after, limit=limit)
        last = rows[-1]["seq"] if rows else after
        fills: dict[str, list[Json]] = {}
        for row in self._rows(_FILLS, account=account, after=after, last=last):
            fills.setdefault(row["order_id"], []).append(_execution_json(activity_of(row)))
        orders = [self._store.orders.there(row["id"]) for row in rows]
        return {
            "orders": [_order_json(order, fills.get(order.id, [])) for order in orders],
            "next": last if len(rows) == limit else None,
            "positions": [
                {"account": owner, "symbol": symbol, "qty": decimal_text(position.qty)}
                for owner, symbol, position in self._store.positions(account)
            ],
        }

    def summary(self) -> dict[str, Json]:
        """The numbers that a test looks at first."""
        return {
            "orders": self._count("select count(*) from orders"),
            "client_order_ids": self._count(
                "select count(*) from (select distinct account, client_order_id from orders)"
            ),
            "duplicates": self._count(_DUPLICATES),
            "foreign": self._count("select count(*) from orders where origin = 'admin'"),
            "posts": self._count("select count(*) from calls where method = 'POST' and path = '/v2/orders'"),
            "calls": self._count("select count(*) from calls"),
            "calls_under_way": self._count("select count(*) from calls where ended_ns is null"),
            "late_orders_due": self._store.count_late_orders(),
        }

    def _rows(self, sql: str, **arguments: str | int | None) -> list[sqlite3.Row]:
        return self._store.db.execute(sql, arguments).fetchall()

    def _count(self, sql: str) -> int:
        return int(self._store.db.execute(sql).fetchone()[0])


def _order_json(order: Order, fills: list[Json]) -> dict[str, Json]:
    return {
        "account": order.account,
        "id": order.id,
        "client_order_id": order.client_order_id,
        "origin": order.origin,
        "status": order.status,
        "parent_id": order.parent_id,
        "leg": order.leg,
        "replaces": order.replaces,
        "replaced_by": order.replaced_by,
        "visible_at": time_text(order.visible_ns),
        "order": order_json(order),
        "fills": fills,
    }


def _execution_json(execution: Activity) -> Json:
    return {
        "id": execution.id,
        "execution_id": execution.execution_id,
        "previous_execution_id": execution.previous_execution_id,
        "type": execution.type,
        "qty": decimal_text(execution.qty),
        "price": decimal_text(execution.price),
        "at": time_text(execution.at_ns),
        "visible_at": time_text_or_none(execution.visible_ns),
        "counts": execution.live,
    }
