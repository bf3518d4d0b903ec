"""What a life costs does not depend on how many have ended before it: no step reads what is settled."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.support.counts import rows_since, rows_touched
from tests.support.decisions import a_limit_order

if TYPE_CHECKING:
    import psycopg

    from tests.support.servers import Database

LIVES = 100
PAST = 5000
# The rows of a past life: copies of those of one that was lived, with keys of their own.
KEYS = {
    "trade_decisions": "'decision_id', d.id, 'decision_hash', '\\x' || encode(sha256(n::text::bytea), 'hex')",
    "live_signals": "'decision_id', d.id, 'signal_key', md5('signal' || n)",
    "risk_verdicts": "'decision_id', d.id",
    "decision_outcomes": "'decision_id', d.id, 'event_id', 1000000 + 10 * n",
    "decision_events": "'decision_id', d.id, 'event_id', 1000000 + 10 * n + t.event_id % 10",
    "broker_requests": "'decision_id', d.id, 'request_id', md5('request' || n)",
    "broker_responses": "'request_id', md5('request' || n)",
    "broker_orders": "'decision_id', d.id, 'order_no', d.id, 'broker_order_id', 'past-' || n",
}
COLUMNS = """
select string_agg(a.attname, ', ' order by a.attnum)
  from pg_attribute as a
 where a.attrelid = ('orderlatch_data.' || %s)::regclass
   and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
"""
CLONE = """
insert into orderlatch_data.{table} ({columns}) overriding system value
select {chosen}
  from orderlatch_data.{table} as t
 cross join generate_series(1, {past}) as n
 cross join lateral (select 100000 + n as id) as d
 cross join lateral jsonb_populate_record(t, jsonb_build_object({keys})) as c
 where to_jsonb(t) ->> 'request_id' is null or exists (
   select 1 from orderlatch_data.broker_requests as q
    where q.request_id::text = to_jsonb(t) ->> 'request_id' and q.kind = 'submit_order'
 )
"""
# A row is found by its key, a few times in a life.
BOUND = 20 * LIVES


def propose(session: psycopg.Connection, first: int, many: int) -> None:
    """Propose decisions over as many symbols; all are approved."""
    decisions = [
        a_limit_order(
            number,
            strategy_id="history",
            symbol="H" + chr(65 + number % 26) + chr(65 + number // 26 % 26) + chr(65 + number // 676),
            event_ts="2026-03-02T11:59:00Z",
            limit_price="1.5",
        )
        for number in range(first, first + many)
    ]
    taken = session.execute(
        "select p.status from orderlatch.propose_decisions('paper', %s) as p", [json.dumps(decisions)]
    ).fetchall()
    assert taken == [("approved",)] * many, str(taken)


def submit(session: psycopg.Connection, worker: int, many: int) -> None:
    """Claim all that is due, and record that the broker has filled each order at once."""
    ((answered,),) = session.execute(
        "select count(*) from orderlatch.record_responses((select jsonb_agg(test.answer_order(c.request_id,"
        ' \'{"status": "filled", "filled_qty": "10", "filled_avg_price": "1.5"}\'))'
        " from test.claim(%s, 500) as c where c.kind = 'submit_order')) as r",
        [worker],
    ).fetchall()
    assert answered == many


def given_past(session: psycopg.Connection) -> int:
    """Live one life and repeat it; the worker that carried it."""
    session.execute("select test_support.hold_clock('2026-03-02 12:00:00Z')")
    session.execute("select test.given_account('paper', '{\"max_in_doubt\": 1000}')")
    ((worker,),) = session.execute("select test.given_worker()").fetchall()
    propose(session, 0, 1)
    submit(session, worker, 1)
    session.execute("set session_replication_role = replica")
    for table, keys in KEYS.items():
        ((columns,),) = session.execute(COLUMNS, [table]).fetchall()
        chosen = ", ".join(f"c.{column}" for column in columns.split(", "))
        clone = CLONE.format(table=table, columns=columns, chosen=chosen, keys=keys, past=PAST)
        session.execute(clone.encode())
    session.execute("set session_replication_role = origin")
    session.execute("analyze")
    return int(worker)


@pytest.mark.every_major
def test_a_life_reads_as_much_after_a_long_past_as_after_none(database: Database) -> None:
    with database.connect() as session:
        worker = given_past(session)
        before = rows_touched(database, session)
        propose(session, 1, LIVES)
        proposed = rows_touched(database, session)
        submit(session, worker, LIVES)
        after = rows_touched(database, session)
    for step, read in (
        ("proposing", rows_since(before, proposed)),
        ("submitting", rows_since(proposed, after)),
    ):
        much = {table: read[table][0] for table in KEYS if table in read and read[table][0] > BOUND}
        assert not much, f"{step} reads {much}"


def test_a_cool_down_reads_its_own_span_and_not_the_day(database: Database) -> None:
    with database.connect() as session:
        given_past(session)
        session.execute("select orderlatch.set_limit('cool_down', 60, 'paper')")
        session.execute("select test_support.advance_clock('2 minutes')")
        before = rows_touched(database, session)
        propose(session, 1, 1)
        read = rows_since(before, rows_touched(database, session))
    assert read["risk_verdicts"][0] < BOUND


# As if every fill of the past had been booked.
BOOKED = """
update orderlatch_data.broker_orders set fills_qty = shown_filled_qty, fills_value = 15 where not is_open
"""


def test_limits_of_a_day_read_its_ended_orders_once(database: Database) -> None:
    with database.connect() as session:
        given_past(session)
        session.execute(BOOKED)
        for kind in ("orders_a_day", "notional_a_day"):
            session.execute("select orderlatch.set_limit(%s, 1000000000, 'paper')", [kind])
        session.execute("select test_support.advance_clock('2 minutes')")
        propose(session, 1, 1)
        added = session.execute("select sum(s.orders) from orderlatch_data.day_sums as s").fetchall()
        before = rows_touched(database, session)
        propose(session, 2, 1)
        read = rows_since(before, rows_touched(database, session))
    assert added == [(PAST + 1,)]
    much = {table: read[table][0] for table in (*KEYS, "day_sums") if read.get(table, (0,))[0] > BOUND}
    assert not much, f"proposing reads {much}"
