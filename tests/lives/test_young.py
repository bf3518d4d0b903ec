"""A session that planned while all tables were empty reads no more when they have grown."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.lives.test_history import propose, submit
from tests.support.counts import counted

if TYPE_CHECKING:
    from tests.support.servers import Database

LIVES = 10
BETWEEN = 200
# Entries of indexes and rows of scans, those of dead rows among them.
READ = """
select s.indexrelname, s.idx_tup_read from pg_stat_user_indexes as s where s.schemaname = 'orderlatch_data'
union all
select t.relname, t.seq_tup_read from pg_stat_user_tables as t where t.schemaname = 'orderlatch_data'
"""
# The tables of a queue keep their dead rows until autovacuum comes, which looks once a minute.
STILL = "alter table orderlatch_data.{table} set (autovacuum_enabled = off)"
TABLES = "select t.tablename from pg_tables as t where t.schemaname = 'orderlatch_data'"
MORE = 10


@pytest.mark.every_major
@pytest.mark.parametrize("at_once", [1, LIVES])
def test_a_session_that_planned_on_empty_tables_reads_no_more_later(database: Database, at_once: int) -> None:
    with database.connect() as session:
        for (table,) in session.execute(TABLES).fetchall():
            session.execute(STILL.format(table=table).encode())
        session.execute("select test_support.hold_clock('2026-03-02 12:00:00Z')")
        session.execute("select test.given_account('paper', '{\"max_in_doubt\": 1000}')")
        ((worker,),) = session.execute("select test.given_worker()").fetchall()
        session.execute("update orderlatch_data.broker_reads set next_page_at = 'infinity'")
        lived = 0

        def live(many: int) -> None:
            nonlocal lived
            for _ in range(many // at_once):
                propose(session, lived, at_once)
                submit(session, worker, at_once)
                lived += at_once

        live(2 * LIVES)
        seen = []
        for between in (0, BETWEEN):
            live(between)
            before: dict[str, int] = dict(counted(database, session, READ))
            live(LIVES)
            after: dict[str, int] = dict(counted(database, session, READ))
            seen.append({name: (after[name] - before[name]) / LIVES for name in after})
    early, late = seen
    grown = {name: (early[name], late[name]) for name in early if late[name] > early[name] + MORE}
    assert not grown, f"read by a life at first, and after {BETWEEN} more: {grown}"
