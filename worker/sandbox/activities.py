"""The table of executions: fills, busts and corrections."""

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Final

from worker.sandbox.model import Activity
from worker.sandbox.records import (
    ACTIVITY_COLUMNS,
    Row,
    activity_of,
    activity_values,
    insertion,
)

_INSERT: Final = insertion("activities", ACTIVITY_COLUMNS)


class Activities:
    """Typed reads and writes of one table."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def insert(self, activity: Activity) -> None:
        """Add an execution."""
        self._db.execute(_INSERT, activity_values(activity))

    def insert_rows(self, rows: Iterable[Row]) -> None:
        """Add many rows at once, each with its members in the order of the columns."""
        self._db.executemany(_INSERT, (tuple(row.values()) for row in rows))

    def supersede(self, activity: Activity) -> None:
        """A bust or a correction takes the place of an execution: it counts no more."""
        self._db.execute("update activities set live = 0 where id = ?", (activity.id,))

    def get(self, execution_id: str) -> Activity | None:
        """One execution."""
        sql = "select * from activities where execution_id = ?"
        row = self._db.execute(sql, (execution_id,)).fetchone()
        return activity_of(row) if row else None

    def of_order(self, order_id: str) -> list[Activity]:
        """Every execution of an order, dead ones included, in the order in which they happened."""
        sql = "select * from activities where order_id = ? order by seq"
        return [activity_of(row) for row in self._db.execute(sql, (order_id,))]

    def page(
        self, conditions: Sequence[str], arguments: Sequence[str | int], direction: str, limit: int
    ) -> list[Activity]:
        """A page in the order of the ids, by conditions that the caller built from fixed pieces."""
        sql = f"select * from activities where {' and '.join(conditions)} order by id {direction} limit ?"
        return [activity_of(row) for row in self._db.execute(sql, [*arguments, limit])]
