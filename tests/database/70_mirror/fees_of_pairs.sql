-- A fee that the broker takes out of the coin explains that there is less of a pair, and explains it once.
begin;
select plan(7);

select test_support.hold_clock('2026-03-02 16:00:00Z');
select test.given_mirrored_account('paper', '{"reconcile_from": "2026-03-02T14:00:00Z", "on_foreign_order": "ignore", "drift_grace": "1 minute"}');
select test.given_worker() as worker \gset
create function pg_temp.order(p_id text, p_symbol text, p_side text, p_qty text) returns jsonb language sql as $$
  select test.a_broker_order(p_id, jsonb_build_object('symbol', p_symbol, 'side', p_side, 'qty', p_qty, 'filled_qty', p_qty, 'status', 'filled'))
$$;
create function pg_temp.fill(p_id text, p_symbol text, p_side text, p_qty text) returns jsonb language sql as $$
  select test.a_fill(p_id, p_id, jsonb_build_object('symbol', p_symbol, 'side', p_side, 'qty', p_qty))
$$;
create function pg_temp.state(p_symbol text) returns text language sql volatile as $$
  select p.qty || ' beside ' || p.broker_qty || ': ' || p.state from orderlatch.positions as p where p.symbol = p_symbol
$$;
create function pg_temp.pass(p_book jsonb, p_positions jsonb, p_how_often integer) returns void language plpgsql as $$
begin
  for n in 1 .. p_how_often loop
    perform test_support.advance_clock('5 minutes');
    perform test.serve(1, jsonb_set(p_book, '{positions}', p_positions));
  end loop;
end
$$;
select jsonb_build_object(
  'orders', jsonb_build_array(pg_temp.order('b1', 'BTC/USD', 'buy', '2'), pg_temp.order('b2', 'BTC/USD', 'sell', '1.995'), pg_temp.order('e1', 'ETH/USD', 'buy', '2')),
  'fills', jsonb_build_array(pg_temp.fill('b1', 'BTC/USD', 'buy', '2'), pg_temp.fill('b2', 'BTC/USD', 'sell', '1.995'), pg_temp.fill('e1', 'ETH/USD', 'buy', '2')),
  'positions', jsonb_build_array(test.a_position('ETHUSD', '1.995'))) as book \gset

select test.serve(:worker, :'book');
select is(pg_temp.state('BTCUSD'), '0.005 beside 0: agrees', 'a pair of which all that was left is sold agrees');
select is(pg_temp.state('ETHUSD'), '2 beside 1.995: agrees', 'as does one that is held');

select orderlatch.adjust_position('paper', 'ETH/USD', -0.005, 'fee', 'fees of March');
select pg_temp.pass(:'book', jsonb_build_array(test.a_position('ETHUSD', '1.994')), 3);
select is(pg_temp.state('ETHUSD'), '1.995 beside 1.994: agrees', 'of what may be a fee the part that was not entered is left');
select pg_temp.pass(:'book', jsonb_build_array(test.a_position('ETHUSD', '1.99')), 3);
select is(pg_temp.state('ETHUSD'), '1.995 beside 1.99: differs', 'a fee that was entered explains nothing more');
select is(test.incidents(), '{position_drift}', 'what is missing beyond it is drift');
select pg_temp.pass(:'book', jsonb_build_array(test.a_position('ETHUSD', '1.995')), 1);
select is(test.incidents(), '{}', 'until it is there again');
select is(test.broken_promises(), '{}', 'no promise is broken');

select * from finish();
rollback;
