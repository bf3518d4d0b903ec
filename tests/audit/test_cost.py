"""What invariants reads does not depend on how much is sealed behind it; verify_all reads all of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.counts import rows_since, rows_touched

if TYPE_CHECKING:
    from tests.support.servers import Database

# A past as it would have been recorded: one settled decision, many times, with all its rows.
PAST = """
set session_replication_role = replica;
create temporary table model as
  select t.decision_id from orderlatch_data.trade_decisions as t order by t.decision_id limit 1;
insert into orderlatch_data.trade_decisions
select (jsonb_populate_record(t, jsonb_build_object('decision_id', 1000 + n, 'intent', n::text,
         'decision_hash', '\\x' || encode(sha256(n::text::bytea), 'hex')))).*
  from model as m join orderlatch_data.trade_decisions as t on t.decision_id = m.decision_id,
       generate_series(1, {decisions}) as n;
insert into orderlatch_data.risk_verdicts
select (jsonb_populate_record(v, jsonb_build_object('decision_id', 1000 + n))).*
  from model as m join orderlatch_data.risk_verdicts as v on v.decision_id = m.decision_id,
       generate_series(1, {decisions}) as n;
insert into orderlatch_data.broker_requests
select (jsonb_populate_record(q, jsonb_build_object('decision_id', 1000 + n, 'request_id', md5(n::text)::uuid,
         'claimed_at', '2026-02-02T15:00:00Z',
         'body', jsonb_build_object('client_order_id', encode(sha256(n::text::bytea), 'hex'))::text))).*
  from model as m
  join orderlatch_data.broker_requests as q on q.decision_id = m.decision_id and q.kind = 'submit_order',
       generate_series(1, {decisions}) as n;
insert into orderlatch_data.broker_responses
  (request_id, recorded_at, sent, status, meaning, broker_request_id, body, body_octets, elapsed_ms)
select md5(n::text)::uuid, r.recorded_at, r.sent, r.status, r.meaning, r.broker_request_id, r.body,
       r.body_octets, r.elapsed_ms
  from model as m
  join orderlatch_data.broker_requests as q on q.decision_id = m.decision_id and q.kind = 'submit_order'
  join orderlatch_data.broker_responses as r on r.request_id = q.request_id,
       generate_series(1, {decisions}) as n;
insert into orderlatch_data.decision_events
  (decision_id, from_status, to_status, moved_at, moved_by, reason, request_id, event_hash)
select 1000 + n, e.from_status, e.to_status, e.moved_at, e.moved_by, e.reason, null, sha256(n::text::bytea)
  from generate_series(1, {decisions}) as n, model as m
  join orderlatch_data.decision_events as e on e.decision_id = m.decision_id
 order by n, e.event_id;
insert into orderlatch_data.decision_outcomes (decision_id, status, event_id, clean, settled_at)
select 1000 + n, s.status, (
         select max(e.event_id) from orderlatch_data.decision_events as e where e.decision_id = 1000 + n
       ), s.clean, s.settled_at
  from model as m join orderlatch_data.decision_outcomes as s on s.decision_id = m.decision_id,
       generate_series(1, {decisions}) as n;
insert into orderlatch_data.broker_orders
  (account_id, broker_order_id, decision_id, relation, status, is_open, recorded_at, changed_at, symbol, side,
   fills_qty, fills_value)
select b.account_id, 'past-' || n, 1000 + n, 'order', 'filled', false, b.recorded_at, b.changed_at, 'PAST',
       'buy', 1, 1
  from model as m join orderlatch_data.broker_orders as b on b.decision_id = m.decision_id,
       generate_series(1, {decisions}) as n;
insert into orderlatch_data.fills
  (account_id, activity_id, entry, order_no, symbol, qty, price, activity, filled_at, recorded_at)
select b.account_id, b.broker_order_id, 'fill', b.order_no, 'PAST', 1, 1, 'fill', '2026-02-02T15:00:00Z',
       b.recorded_at
  from orderlatch_data.broker_orders as b where b.symbol = 'PAST';
insert into orderlatch_data.position_sums (account_id, symbol, qty, bought, sold)
select t.account_id, 'PAST', {decisions}, {decisions}, 0
  from model as m join orderlatch_data.trade_decisions as t on t.decision_id = m.decision_id;
insert into orderlatch_data.strategy_positions (account_id, strategy_id, symbol, qty)
select t.account_id, t.strategy_id, 'PAST', {decisions}
  from model as m join orderlatch_data.trade_decisions as t on t.decision_id = m.decision_id;
set session_replication_role = origin;
"""
LOOKED_AT = (
    "trade_decisions",
    "decision_events",
    "decision_outcomes",
    "open_decisions",
    "risk_verdicts",
    "broker_requests",
    "broker_responses",
    "lost_requests",
    "live_signals",
    "order_cancels",
    "broker_orders",
    "fills",
)
# The last block, which is not full: at most 10,000 events of 2,500 decisions, each looked at a few times.
BOUND = 40_000


def rows_read(database: Database, decisions: int) -> int:
    """Rows of decisions, events and calls that invariants reads after so many sealed decisions."""
    with database.connect() as session:
        session.execute("select test_support.hold_clock('2026-03-02 15:00:00Z')")
        session.execute("select test.given_account()")
        session.execute("select test.given_decision_in('submitted', test.given_worker())")
        session.execute(PAST.replace("{decisions}", str(decisions)).encode())
        session.execute("select orderlatch.audit_head()")
        ((sealed,),) = session.execute("select max(block_no) from orderlatch_data.event_seals").fetchall()
        assert int(sealed) == decisions * 4 // 10_000
        session.execute("select test_support.advance_clock('1 day')")
        session.execute("select orderlatch.ensure_decision('paper', test.a_decision())")
        session.execute("analyze")
        session.execute("set enable_seqscan = off")  # as a planner decides where tables are large
        before = rows_touched(database, session)
        session.execute("select i.promise, i.violations from orderlatch.invariants as i").fetchall()
        read = rows_since(before, rows_touched(database, session))
    return sum(read.get(table, (0, 0))[0] for table in LOOKED_AT)


@pytest.mark.parametrize("decisions", [5_100, pytest.param(20_100, marks=pytest.mark.thorough)])
def test_invariants_read_what_is_open_or_not_sealed_whatever_is_behind(
    database: Database, decisions: int
) -> None:
    read = rows_read(database, decisions)
    assert read < BOUND


def test_what_is_sealed_is_found_by_verify_all(database: Database) -> None:
    rows_read(database, 2_600)
    with database.connect() as session:
        broken = "select i.promise from orderlatch.invariants as i where i.violations > 0"
        before = session.execute(broken).fetchall()
        session.execute("set session_replication_role = replica")
        session.execute("delete from orderlatch_data.decision_outcomes where decision_id = 1010")
        assert session.execute(broken).fetchall() == before, (
            "it is sealed, and invariants does not look at it"
        )
        session.execute("update orderlatch_data.broker_orders set fills_qty = 2 where decision_id = 1011")
        found = session.execute(
            "select v.at_id, v.finding from orderlatch.verify_all(p_step => 100) as v "
            "where v.what = 'promises'"
        ).fetchall()
        assert any("promise 1 is broken 1 times" in str(finding) for _, finding in found)
        assert any("promise 13 is broken 1 times" in str(finding) for _, finding in found)
