"""The log of calls. It never holds a header, so it holds no key."""

import sqlite3
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import Final

from worker.sandbox.records import insertion


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedCall:
    """One line. Names are the columns of the table."""

    call_no: int
    at_ns: int
    ended_ns: int | None = None
    account: str | None
    method: str
    path: str
    query: str
    client_order_id: str | None
    symbol: str | None
    body: str | None
    faults: str
    status: int | None = None  # null: the connection was cut, or the call is under way


_COLUMNS: Final = tuple(field.name for field in fields(LoggedCall))
_INSERT: Final = insertion("calls", _COLUMNS)
_values: Final = attrgetter(*_COLUMNS)


class Calls:
    """Typed writes of one table; `truth` reads it."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self.forget_memory()

    def forget_memory(self) -> None:
        """The table changed behind our back."""
        self._last = int(self._db.execute("select coalesce(max(call_no), 0) from calls").fetchone()[0])

    def next_no(self) -> int:
        """The number of a call that comes in."""
        self._last += 1
        return self._last

    def insert(self, call: LoggedCall) -> None:
        """Note a call: before anything else happens to it, or whole in the transaction that performs it."""
        self._db.execute(_INSERT, _values(call))

    def end(self, call_no: int, ended_ns: int, status: int | None) -> None:
        """Note what was answered; no status means that the connection was cut."""
        sql = "update calls set ended_ns = ?, status = ? where call_no = ?"
        self._db.execute(sql, (ended_ns, status, call_no))

    def annotate(self, call_no: int, note: str) -> None:
        """Add a remark to a call."""
        self._db.execute("update calls set note = ? where call_no = ?", (note, call_no))

    def end_those_of_last_life(self, now_ns: int) -> None:
        """Calls that were under way when the sandbox was killed were cut by that."""
        self._db.execute(
            "update calls set ended_ns = ?, note = coalesce(note, 'cut by the end of the sandbox')"
            " where ended_ns is null",
            (now_ns,),
        )
