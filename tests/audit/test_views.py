"""What people look at reads as much after years as on the first day; so does what asks for one decision."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.counts import counted
from tests.support.past import given_past

if TYPE_CHECKING:
    import psycopg

    from tests.support.servers import Database

PAST = 2_600
# A board shows the newest forty of some kinds of rows; each is looked at a few times.
BOUND = 1_000
# Whatever is read through an index counts, whether its row is fetched or not.
READ = """
select sum(s.seq_tup_read)::bigint + (
         select sum(i.idx_tup_read) from pg_stat_user_indexes as i where i.schemaname = 'orderlatch_data'
       )::bigint
  from pg_stat_user_tables as s where s.schemaname = 'orderlatch_data'
"""
# Everything that there is, by their promise: asked for as they are, they are as long as the past.
BOARDS = """
select v.viewname from pg_views as v
 where v.schemaname = 'orderlatch'
   and (v.viewname like 'terse\\_%' or v.viewname in ('budgets', 'foreign_orders', 'in_doubt', 'in_flight',
        'metrics', 'open_incidents', 'positions', 'reconciliation', 'standing_halts', 'streams', 'stuck',
        'waiting'))
   and v.viewname <> 'terse_invariants'
 order by 1
"""
BLOCKS = """
select sum(s.heap_blks_read + s.heap_blks_hit)::bigint from pg_statio_user_tables as s
 where s.relname in ('trade_decisions', 'decision_events', 'fills', 'broker_requests')
"""
SPANS = {
    "decisions": "select v.status from orderlatch.decisions as v where v.recorded_at > {since}",
    "events": "select v.to_status from orderlatch.events as v where v.moved_at > {since}",
    "timeline": "select v.story from orderlatch.timeline as v where v.at > {since}",
    "wire": "select v.state from orderlatch.wire as v where v.claimed_at > {since}",
    "fills": "select v.qty from orderlatch.fills as v where v.filled_at > {since}",
}
OF_ONE = """
select v.viewname from pg_views as v
  join information_schema.columns as c
    on c.table_schema = 'orderlatch' and c.table_name = v.viewname and c.column_name = 'decision_id'
 where v.schemaname = 'orderlatch'
 order by 1
"""


def read_by(database: Database, session: psycopg.Connection, question: str) -> int:
    """How many rows it reads."""
    ((before,),) = counted(database, session, READ)
    session.execute(question.encode()).fetchall()
    ((after,),) = counted(database, session, READ)
    return int(after) - int(before)


@pytest.mark.every_major
def test_what_people_look_at_reads_no_more_after_a_long_past(database: Database) -> None:
    with database.connect() as session:
        given_past(session, PAST)
        session.execute("vacuum analyze")
        session.execute("set enable_seqscan = off")  # as a planner decides where tables are large
        session.execute("set enable_bitmapscan = off")
        boards = [str(name) for (name,) in session.execute(BOARDS.encode()).fetchall()]
        assert len(boards) > 25
        read = {board: read_by(database, session, f"table orderlatch.{board}") for board in boards}
        assert not {board: rows for board, rows in read.items() if rows > BOUND}


@pytest.mark.every_major
def test_what_is_about_one_decision_is_found_by_its_id(database: Database) -> None:
    with database.connect() as session:
        given_past(session, PAST)
        session.execute("vacuum analyze")
        session.execute("set enable_seqscan = off")
        ((decision_hash,),) = session.execute("select encode(sha256('42'::bytea), 'hex')").fetchall()
        views = [str(name) for (name,) in session.execute(OF_ONE.encode()).fetchall()]
        assert {"decisions", "events", "executions", "fills", "timeline", "wire"} <= set(views)
        read = {}
        for view in views:
            question = (
                f"select * from orderlatch.{view} as v where v.decision_id = "
                f"(select s.decision_id from orderlatch.decision_status('{decision_hash}') as s)"
            )
            rows = session.execute(question.encode()).fetchall()
            assert rows or view in {"cancels", "in_doubt"}, view
            read[view] = read_by(database, session, question)
        assert not {view: rows for view, rows in read.items() if rows > BOUND}


@pytest.mark.every_major
def test_who_asks_for_a_span_of_time_reads_no_more_than_the_span(database: Database) -> None:
    with database.connect() as session:
        given_past(session, PAST)
        session.execute("select orderlatch.ensure_decision('paper', test.a_decision())")
        for index in (
            "trade_decisions_by_time",
            "decision_events_by_time",
            "broker_requests_by_time",
            "fills_by_day",
        ):
            # a summary of every megabyte is one of all that there is here
            session.execute(f"alter index orderlatch_data.{index} set (pages_per_range = 4)".encode())
            session.execute(f"reindex index orderlatch_data.{index}".encode())
        session.execute("vacuum analyze")
        session.execute("set enable_seqscan = off")
        read = {}
        for since in ("'2026-03-03 09:00Z'", "'2026-01-01 09:00Z'"):
            for view, question in SPANS.items():
                ((before,),) = counted(database, session, BLOCKS)
                session.execute(question.format(since=since).encode()).fetchall()
                ((after,),) = counted(database, session, BLOCKS)
                read[view, since] = int(after) - int(before)
        for view in SPANS:
            last, every = (read[view, since] for since in ("'2026-03-03 09:00Z'", "'2026-01-01 09:00Z'"))
            assert last < every / 2, (view, last, every)
