-- What the broker holds and nothing here explains counts too, on the side on which it makes the position larger.
begin;
select plan(16);

select test_support.hold_clock('2026-03-02 16:00:00Z');
select test.given_mirrored_account('paper', '{"reconcile_from": "2026-03-02T15:00:00Z", "one_decision_per_signal": false, "drift_grace": "1 minute"}');
select test.given_worker() as worker \gset
select orderlatch.set_limit('position_quantity', 100, 'paper'), orderlatch.set_limit('short_selling', 0, 'paper'),
       orderlatch.set_limit('gross_exposure', 30000, 'paper');
create function pg_temp.reasons(p_members jsonb) returns text[] language sql volatile as $$
  select p.reasons from orderlatch.preview_decision('paper', test.a_decision('{"qty": "10", "reference_price": "200"}'::jsonb || p_members)) as p
$$;
create function pg_temp.pass(p_positions jsonb, p_how_often integer) returns void language plpgsql as $$
begin
  for n in 1 .. p_how_often loop
    perform test_support.advance_clock('5 minutes');
    perform test.serve(1, jsonb_build_object('positions', p_positions));
  end loop;
end
$$;

-- A used account, whose positions nobody has accepted yet.
select jsonb_build_array(test.a_position('GOOG', '95', '{"current_price": "200"}')) as held \gset
select is(pg_temp.reasons('{}'), '{}', 'what was never listed cannot count');
select test.serve(:worker, jsonb_build_object('positions', :'held'::jsonb));
select is(pg_temp.reasons('{}'), '{}', 'nor does what may be a fill on its way');
select pg_temp.pass(:'held', 2);
select is((select p.state from orderlatch.positions as p), 'differs', 'the broker holds more than the books');
select is(pg_temp.reasons('{}'), '{position_quantity}', 'what it holds counts against a buy');
select is(pg_temp.reasons('{"qty": "5"}'), '{}', 'to its last share');
select is(pg_temp.reasons('{"action": "sell"}'), '{short_selling}', 'a sale is judged by what is in the books');
select is(pg_temp.reasons('{"symbol": "MSFT", "qty": "56", "reference_price": "200"}'), '{gross_exposure}', 'it is worth something too');
select is(pg_temp.reasons('{"symbol": "MSFT", "qty": "55", "reference_price": "200"}'), '{}', 'what the broker says, and no more');

-- Entered, it counts as what is held, at once.
select orderlatch.adjust_position('paper', 'GOOG', 95, 'opening', 'as it was in March');
select is(pg_temp.reasons('{"qty": "5"}'), '{}', 'an opening position counts once');
select is(pg_temp.reasons('{"qty": "6"}'), '{position_quantity}', 'but it does');
select is(pg_temp.reasons('{"action": "sell", "qty": "95"}'), '{}', 'and can be sold');

-- The broker holds less.
select pg_temp.pass(jsonb_build_array(test.a_position('GOOG', '40', '{"current_price": "200"}')), 3);
select is(pg_temp.reasons('{"action": "sell", "qty": "41"}'), '{short_selling}', 'what is not there any more cannot be sold');
select is(pg_temp.reasons('{"action": "sell", "qty": "40"}'), '{}', 'what is there can');

-- A trade that its order shows and no list of fills yet counts once, though the broker's position has it.
select orderlatch.set_limit('gross_exposure', 100000, 'paper'), test_support.advance_clock('5 minutes');
select jsonb_build_object(
  'orders', jsonb_build_array(test.a_broker_order('bought', jsonb_build_object('symbol', 'MSFT', 'qty', '60', 'filled_qty', '60', 'status', 'filled',
              'filled_avg_price', '200', 'submitted_at', orderlatch_data.canonical_time(orderlatch_data.clock())))),
  'positions', jsonb_build_array(test.a_position('GOOG', '40'), test.a_position('MSFT', '60', '{"current_price": "200"}'))) as late \gset
select test_support.advance_clock('5 minutes'), test.serve(:worker, :'late') from generate_series(1, 3) as n;
select is((select p.qty || ' beside ' || p.broker_qty || ': ' || p.state from orderlatch.positions as p where p.symbol = 'MSFT'), '0 beside 60: differs',
          'the fills of an order are late');
select is(pg_temp.reasons('{"symbol": "MSFT", "qty": "40"}'), '{}', 'they count once');
select is(pg_temp.reasons('{"symbol": "MSFT", "qty": "41"}'), '{position_quantity}', 'but they do');

select * from finish();
rollback;
