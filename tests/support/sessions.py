"""Forcing two sessions into a chosen order, without sleeping and hoping."""

from __future__ import annotations

import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol, TypeVar

import psycopg

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.servers import Database

Value = TypeVar("Value")

WAITING = """
select count(*) from pg_stat_activity as a
where a.datname = current_database() and (a.pid = %(pid)s or %(pid)s::integer is null)
  and a.wait_event_type = 'Lock' and cardinality(pg_blocking_pids(a.pid)) > 0
"""


def wait_until_blocked(
    database: Database,
    session: psycopg.Connection | int | None = None,
    timeout: float = 10,
    *,
    waiting: int = 1,
) -> None:
    """Return once a session (or its pid; none: so many of any) waits for a lock that another one holds."""
    pid = session.info.backend_pid if isinstance(session, psycopg.Connection) else session
    deadline = time.monotonic() + timeout
    with database.connect() as watcher:
        while time.monotonic() < deadline:
            row = watcher.execute(WAITING, {"pid": pid}).fetchone()
            assert row is not None
            if row[0] >= waiting:
                return
            time.sleep(0.005)
    raise AssertionError(f"session {pid or ''} did not come to wait for a lock within {timeout} s")


def in_background(work: Callable[[], Value]) -> Future[Value]:
    """Run a call that is going to block in a thread; `.result(timeout=10)` gives its value or raises."""
    pool = ThreadPoolExecutor(1)
    future = pool.submit(work)
    pool.shutdown(wait=False)
    return future


class Connect(Protocol):
    """The fixture `connect`."""

    def __call__(self, *, login: str = "postgres", autocommit: bool = True) -> psycopg.Connection:
        """Open a session of the test's database; it is closed after the test."""
        ...


@dataclass(frozen=True, slots=True)
class Clock:
    """Orderlatch's clock in one test database, held still."""

    database: Database

    def set(self, at: datetime | None = None) -> datetime:
        """Hold the clock at a time; without one, at the real time."""
        return self._ask("select test_support.hold_clock(coalesce(%s, clock_timestamp()))", at)

    def advance(self, **by: float) -> datetime:
        """Move the clock on by `seconds=30`, `minutes=1` and so on; negative moves it back."""
        return self._ask("select test_support.advance_clock(%s)", timedelta(**by))

    def now(self) -> datetime:
        """What Orderlatch takes the time to be."""
        return self._ask("select orderlatch_data.clock()")

    def _ask(self, query: str, *values: datetime | timedelta | None) -> datetime:
        with self.database.connect() as connection:
            row = connection.execute(query.encode(), values).fetchone()
        assert row is not None
        assert isinstance(row[0], datetime)
        return row[0]
