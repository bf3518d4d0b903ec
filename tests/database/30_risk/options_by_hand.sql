-- Options that somebody trades by hand in an account count in its limits at what their contracts are worth.
begin;
select plan(5);

select test_support.hold_clock('2026-03-02 16:00:00Z');
select test.given_mirrored_account('paper', '{"reconcile_from": "2026-03-02T15:00:00Z", "on_foreign_order": "ignore", "drift_grace": "1 minute"}');
select test.given_worker() as worker \gset
select orderlatch.set_limit('gross_exposure', 10000, 'paper');
create function pg_temp.reasons(p_qty text) returns text[] language sql volatile as $$
  select p.reasons from orderlatch.preview_decision('paper', test.a_decision(jsonb_build_object('qty', p_qty, 'reference_price', '100'))) as p
$$;
create function pg_temp.order(p_id text, p_members jsonb) returns jsonb language sql as $$
  select test.a_broker_order(p_id, '{"symbol": "AAPL261218C00200000", "qty": "10", "order_type": "limit", "type": "limit", "limit_price": "5"}'::jsonb || p_members)
$$;
select jsonb_build_object('orders', jsonb_build_array(pg_temp.order('resting', '{"qty": "4"}'))) as resting \gset
select jsonb_build_object(
  'orders', jsonb_build_array(pg_temp.order('filled', '{"filled_qty": "10", "status": "filled", "filled_avg_price": "5"}')),
  'fills', jsonb_build_array(test.a_fill('filled', 'x1', '{"symbol": "AAPL261218C00200000", "price": "5"}')),
  'positions', jsonb_build_array(test.a_position('AAPL261218C00200000', '10', '{"current_price": "5"}'))) as book \gset

select test.serve(:worker, :'resting');
select is(pg_temp.reasons('80'), '{}', 'four contracts at 5 dollars leave eight thousand of ten');
select is(pg_temp.reasons('81'), '{gross_exposure}', 'and no more');
select test.tell(:worker, 'canceled', pg_temp.order('resting', '{"status": "canceled", "updated_at": "2026-03-02T15:59:00Z"}'));
select test_support.advance_clock('6 minutes');
select test.serve(:worker, :'book');
select is(pg_temp.reasons('50'), '{}', 'ten that are held at 5 dollars leave five thousand');
select is(pg_temp.reasons('51'), '{gross_exposure}', 'and no more');
select is(test.broken_promises(), '{}', 'no promise is broken');

select * from finish();
rollback;
