-- An order of several symbols, as a spread of options placed by hand, is filled through its legs.
begin;
select plan(5);

select test_support.hold_clock('2026-03-02 16:00:00Z');
select test.given_mirrored_account('paper', '{"reconcile_from": "2026-03-02T14:00:00Z", "on_foreign_order": "ignore", "drift_grace": "1 minute"}');
select test.given_worker() as worker \gset
create function pg_temp.leg(p_id text, p_symbol text, p_side text) returns jsonb language sql as $$
  select test.a_broker_order(p_id, jsonb_build_object('symbol', p_symbol, 'side', p_side, 'qty', '1', 'filled_qty', '1', 'status', 'filled', 'order_class', 'mleg'))
$$;
create function pg_temp.fill(p_id text, p_symbol text, p_side text) returns jsonb language sql as $$
  select test.a_fill(p_id, p_id, jsonb_build_object('symbol', p_symbol, 'side', p_side, 'qty', '1', 'price', '5'))
$$;
select jsonb_build_object(
  'orders', jsonb_build_array(
    -- as the broker shows it: none of its own terms but its size
    test.a_broker_order('spread', '{"symbol": "", "side": "", "asset_class": "", "order_class": "mleg", "qty": "1", "filled_qty": "1", "status": "filled"}')
    || jsonb_build_object('legs', jsonb_build_array(pg_temp.leg('low', 'AAPL261218C00200000', 'buy'), pg_temp.leg('high', 'AAPL261218C00210000', 'sell')))),
  'fills', jsonb_build_array(pg_temp.fill('low', 'AAPL261218C00200000', 'buy'), pg_temp.fill('high', 'AAPL261218C00210000', 'sell')),
  'positions', jsonb_build_array(test.a_position('AAPL261218C00200000', '1'), test.a_position('AAPL261218C00210000', '-1'))) as book \gset

select test.serve(:worker, :'book');
select is((select array_agg(b.broker_order_id || ': ' || coalesce(b.symbol, 'of none') order by b.order_no) from orderlatch_data.broker_orders as b),
          '{"high: AAPL261218C00210000","low: AAPL261218C00200000","spread: of none"}', 'the order and its legs are kept');
select test_support.advance_clock('5 minutes'), test.serve(:worker, :'book') from generate_series(1, 4);
select is((select array_agg(p.symbol || ' ' || p.qty || ' ' || p.state order by p.symbol) from orderlatch.positions as p),
          '{"AAPL261218C00200000 1 agrees","AAPL261218C00210000 -1 agrees"}', 'its legs make the positions');
select is((select count(*)::integer from orderlatch_data.fill_differences), 0, 'that none of its fills names the order itself');
select is(test.incidents(), '{}', 'is no fill_mismatch');
select is(test.broken_promises(), '{}', 'no promise is broken');

select * from finish();
rollback;
