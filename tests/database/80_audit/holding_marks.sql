-- What fills added up to is noted once they are old; nothing depends on the note.
begin;
select plan(13);

select test_support.hold_clock('2026-03-02 15:00:00Z');
select test.given_account();
create temporary table worlds as select test.given_worker() as worker_id;
create temporary table decisions as
  select test.given_decision_in('submitted', w.worker_id, '{"symbol": "GOOG"}') as decision_hash from worlds as w;
create temporary table orders as
  select b.broker_order_id from decisions as d join orderlatch_data.broker_orders as b on b.decision_id = test.decision_id(d.decision_hash);
create function pg_temp.book(p_order_id text, p_id text, p_filled_at text) returns bigint language sql as $$
  select test.take_fills(jsonb_build_array(
    test.a_fill(p_order_id, p_id, jsonb_build_object('qty', '2', 'transaction_time', p_filled_at))))
$$;
create function pg_temp.found(p_promise text) returns bigint language sql as $$
  select count(*) from orderlatch.verify_all() as v where v.finding like p_promise
$$;
select pg_temp.book(o.broker_order_id, 'one', '2026-03-02T15:00:00Z') from orders as o;
select pg_temp.book('by hand', 'two', '2026-03-02T15:00:00Z');
select is(test.broken_promises(), '{}', 'positions are what was traded');
select orderlatch.audit_head();
select is((select sum(m.qty) from orderlatch_data.holding_marks as m), 0::numeric, 'a young fill is in no mark');

select test_support.advance_clock('10 days');
select orderlatch.audit_head();
select set_eq(
  $$ select m.symbol, m.strategy_id, m.qty from orderlatch_data.holding_marks as m $$,
  $$ select 'GOOG' as symbol, '' as strategy_id, 4::numeric as qty union all
     select 'GOOG', t.strategy_id, 2::numeric from decisions as d join orderlatch_data.trade_decisions as t on t.decision_id = test.decision_id(d.decision_hash) $$,
  'an old one is, in that of its symbol and in that of its strategy'
);
select pg_temp.book(o.broker_order_id, 'three', '2026-03-12T15:00:00Z') from orders as o;
select is(test.broken_promises(), '{}', 'what was traded since is added to it');
select pg_temp.book(o.broker_order_id, 'late', '2026-03-01T15:00:00Z') from orders as o;
select is(test.broken_promises(), '{}', 'a fill that comes late, from before the mark, is no violation');
select test_support.advance_clock('10 days');
select orderlatch.audit_head();
select is(
  (select m.qty from orderlatch_data.holding_marks as m where m.strategy_id = ''), 8::numeric,
  'where the one before does not fit, the next mark is over all fills: what came late is in it');
select is(test.broken_promises(), '{}', 'and fits');
select test.take_fills(jsonb_build_array(
  test.a_fill(o.broker_order_id, 'renamed', '{"qty": "2", "symbol": "GOOGL", "transaction_time": "2026-03-22T15:00:00Z"}'))) from orders as o;
select is(test.broken_promises(), '{}', 'a strategy holds what its order is in, whatever symbol a fill has');

set local session_replication_role = replica;
update orderlatch_data.position_sums set qty = qty + 1;
select is(
  test.broken_promises(), '{"a position is what its fills and adjustments add up to"}', 'a position that was edited is found');
update orderlatch_data.position_sums set qty = qty - 1;
update orderlatch_data.strategy_positions set qty = qty + 1;
select is(test.broken_promises(), '{"a strategy holds what the fills of its orders add up to"}', 'so is one of a strategy');
update orderlatch_data.strategy_positions set qty = qty - 1;
-- an old fill that was edited, and a mark that was edited to fit: invariants trusts it, verify_all does not
update orderlatch_data.fills set qty = qty + 1, price = price * 2 / 3 where activity_id like '%one%';
update orderlatch_data.holding_marks set qty = qty + 2;
select is(pg_temp.found('promise 14 %'), 1::bigint, 'verify_all trusts no mark');
update orderlatch_data.fills set qty = qty - 1 where activity_id like '%one%';
update orderlatch_data.broker_orders set fills_qty = fills_qty + 1 where decision_id is not null;
select is(pg_temp.found('promise 19 %'), 1::bigint, 'nor does it of strategies');
select is(pg_temp.found('promise 13 %'), 1::bigint, 'and it counts what orders say of their fills');

select * from finish();
rollback;
