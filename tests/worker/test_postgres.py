"""What an error of Postgres' means for the work, and that no server can hold the worker for ever."""

from __future__ import annotations

import asyncio
import os
import signal
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import pytest

import worker.postgres
from tests.worker.script import wait_until
from worker.database import Database
from worker.life import Life
from worker.postgres import DatabaseAwayError, Postgres, StatementRefusedError, errors_named, pauses

if TYPE_CHECKING:
    from tests.support.servers import Database as TestDatabase
    from tests.worker.script import Script


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    value: str


RAISE = b"do $$ begin raise exception using errcode = '%s'; end $$"


@pytest.mark.parametrize("sqlstate", ["08006", "53100", "57P01", "58030", "25006"])
async def test_the_server_s_condition_is_not_the_statement_s_fault(
    blank_database: TestDatabase, sqlstate: str
) -> None:
    async with Postgres(blank_database.url).session() as session:
        with pytest.raises(DatabaseAwayError), errors_named():
            await session.execute(RAISE.replace(b"%s", sqlstate.encode()))


@pytest.mark.parametrize(
    ("sqlstate", "lost_a_race"),
    [("OL201", True), ("40P01", True), ("55P03", True), ("OL131", False), ("57014", False), ("22P05", False)],
)
async def test_a_refused_statement_says_whether_it_only_lost_a_race(
    blank_database: TestDatabase, sqlstate: str, lost_a_race: bool
) -> None:
    async with Postgres(blank_database.url).session() as session:
        with pytest.raises(StatementRefusedError) as caught, errors_named():
            await session.execute(RAISE.replace(b"%s", sqlstate.encode()))
    assert (caught.value.sqlstate, caught.value.lost_a_race) == (sqlstate, lost_a_race)


async def test_a_connection_to_a_server_that_takes_no_writes_is_given_up(
    blank_database: TestDatabase,
) -> None:
    """Where the primary was found may be a standby now; where it has gone, a new connection finds it."""
    ask = b"select pg_backend_pid()::text as value"
    postgres = Postgres(blank_database.url, connections=1)
    async with postgres.opened():
        [standby] = await postgres.rows(Value, ask, {})
        with pytest.raises(DatabaseAwayError, match="takes no writes"):
            await postgres.rows(Value, RAISE.replace(b"%s", b"25006"), {})
        [primary] = await postgres.rows(Value, ask, {})
    assert primary != standby


async def test_sessions_are_read_committed_whatever_the_database_says(blank_database: TestDatabase) -> None:
    with blank_database.connect() as admin:
        admin.execute(
            f"alter database {blank_database.name} set default_transaction_isolation = serializable".encode()
        )
    postgres = Postgres(blank_database.url)
    async with postgres.opened():
        [isolation] = await postgres.rows(
            Value, b"select current_setting('transaction_isolation') as value", {}
        )
    assert isolation.value == "read committed"


async def test_a_life_outlasts_whatever_the_database_says_of_idle_sessions(
    blank_database: TestDatabase,
) -> None:
    """Its session is idle by its nature; when it ends, what is on its way for it is given up as lost."""
    with blank_database.connect() as connection:
        set_default = f"alter database {blank_database.name} set idle_session_timeout = '100ms'"
        connection.execute(set_default.encode())
    async with Database(blank_database.url).listening() as session:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(aiter(session.notifications())), timeout=1)


async def test_a_frozen_server_does_not_hold_a_statement_for_ever(
    blank_database: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker.postgres, "_STATEMENT_S", 1.0)
    sleeping = "select s.pid from pg_stat_activity as s where s.datname = %s and s.wait_event = 'PgSleep'"
    postgres = Postgres(blank_database.url)
    async with postgres.opened():
        statement = asyncio.create_task(postgres.rows(Value, b"select pg_sleep(60)::text as value", {}))
        with blank_database.connect() as watcher:
            pids = partial(watcher.execute, sleeping, [blank_database.name])
            await asyncio.to_thread(wait_until, lambda: pids().rowcount == 1, what="the statement runs")
            [(pid,)] = pids().fetchall()
        os.kill(pid, signal.SIGSTOP)
        try:
            with pytest.raises(DatabaseAwayError, match="no answer within 1 s"):
                await statement
        finally:
            os.kill(pid, signal.SIGCONT)
        [value] = await postgres.rows(Value, b"select 'again' as value", {})
    assert value.value == "again"


async def test_a_frozen_server_does_not_hold_a_registration_for_ever(
    script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another may have taken its place at the same address, and be found by the next connection."""
    monkeypatch.setattr(worker.postgres, "_STATEMENT_S", 1.0)
    life = Life(database=Database(script.url), worker_name="w", accounts=(), schema_version=1)
    waiting = "select l.pid from pg_locks as l where not l.granted"
    with script.holding("lock table script.workers in exclusive mode"):
        keeping = asyncio.create_task(life.keep())
        await asyncio.to_thread(wait_until, lambda: len(script.rows(waiting)) == 1, what="it registers")
        [(pid,)] = script.rows(waiting)
        os.kill(pid, signal.SIGSTOP)
        try:
            await asyncio.to_thread(wait_until, lambda: len(script.rows(waiting)) > 1, what="it tries again")
        finally:
            os.kill(pid, signal.SIGCONT)
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)


@pytest.mark.every_major
async def test_what_was_prepared_outlives_a_function_that_is_replaced(blank_database: TestDatabase) -> None:
    """One of another type costs one refusal for each connection, as if a race had been lost."""
    ask = b"select f.value from answer() as f"
    prepared = b"""
        select count(*)::text as value from pg_prepared_statements as p where p.statement like '%%answer()%%'
    """
    postgres = Postgres(blank_database.url, connections=1, prepares=True)
    with blank_database.connect() as admin:
        admin.execute("create function answer(out value text) language sql as $$ select 'one' $$")
        async with postgres.opened():
            [[one], *_] = [await postgres.rows(Value, ask, {}) for _ in range(3)]
            [count] = await postgres.rows(Value, prepared, {})
            assert (one.value, count.value) == ("one", "1")
            admin.execute("drop function answer()")
            admin.execute("create function answer(out value text) language sql as $$ select 'two' $$")
            [two] = await postgres.rows(Value, ask, {})
            assert two.value == "two"
            admin.execute("drop function answer()")
            admin.execute("create function answer(out value integer) language sql as $$ select 3 $$")
            with pytest.raises(StatementRefusedError, match="cached plan") as refused:
                await postgres.rows(Value, ask, {})
            assert refused.value.lost_a_race
            [three] = await postgres.rows(Value, ask, {})
            assert str(three.value) == "3"


async def test_a_stop_is_never_lost_while_a_connection_is_handed_over(blank_database: TestDatabase) -> None:
    """Python's own wait_for forgets, before 3.12, that it was cancelled just when what it waited for came."""
    postgres = Postgres(blank_database.url, connections=1)
    loop = asyncio.get_running_loop()

    def cancel_after(turns: int, task: asyncio.Task[list[Value]]) -> None:
        if turns:
            loop.call_soon(cancel_after, turns - 1, task)
        else:
            task.cancel()

    async with postgres.opened():
        for turns in range(8):
            holding = asyncio.create_task(postgres.rows(Value, b"select pg_sleep(0.01)::text as value", {}))
            await asyncio.sleep(0.001)
            waiting = asyncio.create_task(postgres.rows(Value, b"select pg_sleep(60)::text as value", {}))
            await holding
            cancel_after(turns, waiting)
            done, _ = await asyncio.wait([waiting], timeout=20)
            assert done, f"{turns} turns after the connection was free the stop was lost"
            assert waiting.cancelled()


async def test_pauses_count_tries_and_the_first_comes_at_once() -> None:
    tries = []
    async for number in pauses():
        tries.append(number)
        if number == 3:
            break
    assert tries == [1, 2, 3]
