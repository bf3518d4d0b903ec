"""A past of settled and sealed decisions, made of one that was lived."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import psycopg

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


def given_past(session: psycopg.Connection, decisions: int) -> None:
    """Settle one decision and repeat it so many times, then seal it all and let a day pass.

    Raises psycopg.Error where the session may not replace the clock or switch triggers off.
    """
    session.execute("select test_support.hold_clock('2026-03-02 15:00:00Z')")
    session.execute("select test.given_account()")
    session.execute("select test.given_decision_in('submitted', test.given_worker())")
    session.execute(PAST.replace("{decisions}", str(decisions)).encode())
    session.execute("select orderlatch.audit_head()")
    ((sealed,),) = session.execute("select max(block_no) from orderlatch_data.event_seals").fetchall()
    assert int(sealed) == decisions * 4 // 10_000
    session.execute("select test_support.advance_clock('1 day')")
