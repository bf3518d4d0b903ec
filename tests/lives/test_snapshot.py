"""A transaction that stays open keeps every dead row: a life reads no more for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.lives.test_history import propose
from tests.support.counts import counted

if TYPE_CHECKING:
    import psycopg

    from tests.support.servers import Database

BEFORE = 150
LIVES = 10
# Entries of indexes that a life reads, those of dead rows among them.
READ = """
select s.indexrelname, s.idx_tup_read
  from pg_stat_user_indexes as s
 where s.schemaname = 'orderlatch_data'
"""
MOST = 30


def submit(session: psycopg.Connection, worker: int) -> None:
    """Claim one call, and record that the broker has taken the order."""
    recorded = session.execute(
        "select r.meaning from orderlatch.record_responses((select jsonb_agg(test.answer_order(c.request_id))"
        " from test.claim(%s, 1) as c)) as r",
        [worker],
    ).fetchall()
    assert recorded == [("order_exists",)]


@pytest.mark.every_major
def test_a_life_reads_no_more_while_a_snapshot_keeps_what_is_dead(database: Database) -> None:
    with database.connect() as session, database.connect() as old:
        session.execute("select test_support.hold_clock('2026-03-02 12:00:00Z')")
        session.execute("select test.given_account('paper', '{\"max_in_doubt\": 1000}')")
        ((worker,),) = session.execute("select test.given_worker()").fetchall()
        session.execute("update orderlatch_data.broker_reads set next_page_at = 'infinity'")
        # a session plans at its first calls, with hardly a row there
        for number in range(3):
            propose(session, number, 1)
            submit(session, worker)
        session.execute("vacuum analyze")
        old.execute("begin isolation level repeatable read")
        old.execute("select count(*) from orderlatch_data.accounts")
        for number in range(3, BEFORE):
            propose(session, number, 1)
            submit(session, worker)
        # what was granted within the time for answers counts as under way: let that pass
        session.execute("select test_support.hold_clock('2026-03-02 12:10:00Z')")
        propose(session, BEFORE, 1)
        submit(session, worker)
        before: dict[str, int] = dict(counted(database, session, READ))
        for number in range(BEFORE + 1, BEFORE + 1 + LIVES):
            propose(session, number, 1)
            submit(session, worker)
        after: dict[str, int] = dict(counted(database, session, READ))
    read = {index: (after[index] - before[index]) / LIVES for index in after}
    much = {index: entries for index, entries in read.items() if entries > MOST}
    assert not much, f"entries of indexes that a life read, after {BEFORE} others: {much}"
