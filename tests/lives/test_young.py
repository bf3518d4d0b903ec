"""A session that planned while the tables were empty, or nearly, reads no more when they have grown."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.lives.test_history import propose
from tests.support.counts import counted

if TYPE_CHECKING:
    import psycopg

    from tests.support.servers import Database

LIVES = 10
BETWEEN = 200
# Entries of indexes, those of dead rows among them: no function reads a table from its beginning. (The look
# of a foreign key may, if its table had a few rows when it was analyzed, until it is analyzed again.)
READ = """
select s.indexrelname, s.idx_tup_read from pg_stat_user_indexes as s where s.schemaname = 'orderlatch_data'
"""
# The tables of a queue keep their dead rows until autovacuum comes, which looks once a minute.
STILL = "alter table orderlatch_data.{table} set (autovacuum_enabled = off)"
TABLES = "select t.tablename from pg_tables as t where t.schemaname = 'orderlatch_data'"
MORE = 10
# As a worker does: without a look at a table.
SUBMIT = """
select r.meaning
  from orderlatch.record_responses((
         select jsonb_agg(test.answer_status(
                  c.request_id, 200, test.order_document(c.body::jsonb ->> 'client_order_id', %s)::text
                ))
           from orderlatch.claim_requests(%s, null, %s) as c
          where c.kind = 'submit_order'
       )) as r
"""
FILLED = '{"status": "filled", "filled_qty": "10", "filled_avg_price": "1.5"}'


def submit(session: psycopg.Connection, worker: int, many: int) -> None:
    """Claim as many calls, and record that the broker has filled each order at once."""
    recorded = session.execute(SUBMIT, [FILLED, worker, many]).fetchall()
    assert recorded == [("order_exists",)] * many


@pytest.mark.every_major
@pytest.mark.parametrize("at_once", [1, LIVES])
@pytest.mark.parametrize("analyzed", ["never", "empty", "young"])
def test_a_session_that_planned_early_reads_no_more_later(
    database: Database, at_once: int, analyzed: str
) -> None:
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

        if analyzed == "empty":  # as after an installation, or the restore of a dump
            session.execute("vacuum analyze")
        live(at_once)
        if analyzed == "young":
            session.execute("vacuum analyze")
        live(LIVES)
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


@pytest.mark.every_major
@pytest.mark.parametrize("analyzed", [False, True])
def test_a_proposal_reads_nothing_of_what_waits_for_other_symbols(database: Database, analyzed: bool) -> None:
    with database.connect() as session:
        for (table,) in session.execute(TABLES).fetchall():
            session.execute(STILL.format(table=table).encode())
        session.execute("select test.given_account('paper')")
        session.execute("select test_support.hold_clock('2026-03-02 12:00:00Z')")
        if analyzed:
            session.execute("vacuum analyze")
        propose(session, 0, LIVES)
        seen = []
        for waiting in (LIVES, BETWEEN):
            propose(session, waiting, waiting)
            before: dict[str, int] = dict(counted(database, session, READ))
            propose(session, 4 * waiting, LIVES)
            after: dict[str, int] = dict(counted(database, session, READ))
            seen.append({index: count - before[index] for index, count in after.items()})
        few, many = seen
        grown = {index: (few[index], many[index]) for index in many if many[index] > few[index] + MORE}
        assert not grown
