"""How the worker reaches Postgres: one small pool for work, and what its errors mean for the work.

Nothing here knows what is asked of the database; that is worker/database.py.
"""

from __future__ import annotations

import asyncio
import random
import time
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, TypeVar

import psycopg
import structlog
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.rows import class_row
from psycopg_pool import AsyncConnectionPool

from worker import OrderlatchError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Iterator, Mapping

Row = TypeVar("Row")
Result = TypeVar("Result")

APART = 2
"""What was refused, and may have to wait for a lock, is recorded over so many connections of its own."""

CONNECTIONS = 2 + APART
"""One connection claims while another records; more would only wait for the same locks."""

_POOL_WAIT_S = 3.0
# Short, because the pool doubles its pauses up to this, and an outage of a minute would end a minute late.
# Whoever still needs a connection asks again, and with that the pool tries again.
_RECONNECT_S = 2.0

_SESSION: Mapping[str, str | int] = {
    "application_name": "orderlatch-worker",
    "connect_timeout": 5,
    # A server that vanished without a word is noticed within half a minute.
    "keepalives": 1,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 25_000,
}
# A statement ends on the server after 30 s, and here a little later: a server that is frozen keeps no time.
_STATEMENT_S = 35.0
# The session that proves the worker alive is idle by its nature, and its end gives up what is on its way.
_SESSION_OPTIONS = (
    r"-c statement_timeout=30s -c idle_session_timeout=0 -c default_transaction_isolation=read\ committed"
)

# SQLSTATEs that speak of the server's condition and not of the statement: a lost connection, no resources, a
# shutdown, a system error, and the read-only standby that is met in a failover.
_READ_ONLY = "25006"
_STANDBY = "the server takes no writes (is it a standby?): "
_AWAY = ("08", "53", "57P", "58", _READ_ONLY)

# SQLSTATEs that say no more than that another session was in the way: Orderlatch's own class (account_busy,
# decision_busy), rolled back for another's sake, a lock not had in time.
_LOST_A_RACE = ("OL2", "40", "55P03")

_log: structlog.stdlib.BoundLogger = structlog.get_logger()


class DatabaseAwayError(Exception):
    """The server cannot be reached or cannot work now. Whether the statement took effect is not known."""


class StatementRefusedError(Exception):
    """The server refused the statement, which has had no effect."""

    def __init__(self, error: psycopg.Error) -> None:
        super().__init__(error.diag.message_primary or type(error).__name__)
        self.sqlstate = error.sqlstate or ""
        self.hint = error.diag.message_hint
        self.lost_a_race = self.sqlstate.startswith(_LOST_A_RACE) or _is_outdated(error)


class Postgres:
    """A server, reached through a small pool. Every statement is a transaction of its own."""

    def __init__(
        self, url: str, *, connections: int = CONNECTIONS, purpose: str = "requests", prepares: bool = False
    ) -> None:
        """`purpose`: what the log calls this pool. `prepares`: what recurs, as no pooler is in between."""
        try:
            parts = conninfo_to_dict(url)
        except psycopg.ProgrammingError:  # its message quotes the URL, password and all
            raise OrderlatchError("DATABASE_URL: must be a Postgres connection URL") from None
        options = f"{parts.get('options') or ''} {_SESSION_OPTIONS}".strip()
        self._conninfo = make_conninfo(url, **_SESSION, options=options)
        self._pool = AsyncConnectionPool(
            self._conninfo,
            kwargs={"autocommit": True, "prepare_threshold": 1 if prepares else None},
            min_size=1,
            max_size=connections,
            timeout=_POOL_WAIT_S,
            reconnect_timeout=_RECONNECT_S,
            open=False,
        )
        self._purpose = purpose
        self._away_since: float | None = None

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """Keep the pool open for the block; raises DatabaseAwayError at once when there is no server."""
        async with self.session():  # the pool itself would hide why it cannot connect
            pass
        async with self._pool:
            yield

    async def rows(
        self, row_type: type[Row], statement: bytes, parameters: Mapping[str, object]
    ) -> list[Row]:
        """Run one statement; raises DatabaseAwayError or StatementRefusedError."""
        cancelled = _times_cancelled()
        try:
            with errors_named():
                async with (
                    self._pool.connection() as connection,
                    _not_cancelled_since(cancelled),
                    asyncio.timeout(_STATEMENT_S),
                    connection.cursor(row_factory=class_row(row_type)) as cursor,
                ):
                    # of a standby: a new connection may find where the primary has gone
                    spent = connection.info.parameter_status("in_hot_standby") == "on"
                    try:
                        await cursor.execute(statement, parameters)
                        rows = await cursor.fetchall()
                    except psycopg.Error as error:
                        spent |= error.sqlstate == _READ_ONLY or _is_outdated(error)
                        raise
                    finally:
                        if spent:
                            await connection.close()
        except DatabaseAwayError as error:
            if self._away_since is None:
                self._away_since = time.monotonic()
                _log.warning("database_away", purpose=self._purpose, reason=str(error))
            raise
        if self._away_since is not None:
            away_s = round(time.monotonic() - self._away_since, 1)
            _log.info("database_back", purpose=self._purpose, away_s=away_s)
            self._away_since = None
        return rows

    @asynccontextmanager
    async def session(self) -> AsyncIterator[psycopg.AsyncConnection]:
        """Open a connection outside the pool, for what belongs to a session: locks and notifications."""
        with errors_named():
            async with await psycopg.AsyncConnection.connect(
                self._conninfo, autocommit=True, prepare_threshold=None
            ) as connection:
                yield connection


async def in_time(statement: Awaitable[Result]) -> Result:
    """Return what a statement of a session's own returns; TimeoutError when a frozen server never says."""
    async with asyncio.timeout(_STATEMENT_S):
        return await statement


def _times_cancelled() -> int:
    task = asyncio.current_task()
    return 0 if task is None else task.cancelling()


@asynccontextmanager
async def _not_cancelled_since(times: int) -> AsyncIterator[None]:
    """Do not begin when the task was cancelled since then, but never heard of it.

    Before Python 3.12 the pool forgets a cancellation that comes just when it hands over a connection.
    """
    if _times_cancelled() > times:
        raise asyncio.CancelledError
    yield


@contextmanager
def errors_named() -> Iterator[None]:
    """Turn psycopg's errors into the two that matter here."""
    try:
        yield
    except TimeoutError as error:
        raise DatabaseAwayError(f"no answer within {_STATEMENT_S:.0f} s") from error
    except psycopg.Error as error:
        if _is_away(error):
            standby = _STANDBY if error.sqlstate == _READ_ONLY else ""
            raise DatabaseAwayError(standby + str(error).strip()) from error
        raise StatementRefusedError(error) from error


async def pauses(*, longest_s: float = 5.0) -> AsyncIterator[int]:
    """Count tries from 1; before each further one is a pause that doubles from 50 ms, half of it random."""
    tries, pause_s = 0, 0.05
    while True:
        yield (tries := tries + 1)
        await asyncio.sleep(pause_s * random.uniform(0.5, 1))
        pause_s = min(pause_s * 2, longest_s)


def gathering_s(took_s: float) -> float:
    """How long to let more come together after a statement that took `took_s`: as long again, at most 0.1 s.

    It costs the database about as much for one as for ten; so the busier it is, the more are done at once.
    """
    return min(took_s, 0.1)


def _is_outdated(error: psycopg.Error) -> bool:
    """Whether a function was replaced by one with another result since the statement was prepared.

    Postgres plans a prepared statement anew by itself, but promises that its result keeps its types.
    """
    return error.diag.source_function == "RevalidateCachedQuery"


def _is_away(error: psycopg.Error) -> bool:
    if error.sqlstate is None:  # the client's own: no connection, a lost one, none free in the pool
        return isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
    return error.sqlstate.startswith(_AWAY)
