-- Positions are the sums of fills and adjustments, compared with what the broker lists; only what stays different is drift.
begin;
select plan(46);

select test_support.hold_clock('2026-03-02 16:00:00Z');
select test.given_mirrored_account('paper', '{"reconcile_from": "2026-03-02T14:00:00Z", "on_foreign_order": "ignore", "drift_grace": "1 minute"}');
select test.given_worker() as worker \gset
create function pg_temp.fill(p_symbol text, p_side text, p_qty text, p_at text default '15:00:01', p_id text default 'x') returns jsonb language sql as $$
  select test.a_fill('o-' || p_symbol, p_symbol || p_id, jsonb_build_object('symbol', p_symbol, 'side', p_side, 'qty', p_qty,
           'transaction_time', '2026-03-02T' || p_at || 'Z'))
$$;
create function pg_temp.order(p_symbol text, p_side text, p_qty text) returns jsonb language sql as $$
  select test.a_broker_order('o-' || p_symbol, jsonb_build_object('symbol', p_symbol, 'side', p_side, 'qty', p_qty,
           'filled_qty', p_qty, 'status', 'filled'))
$$;
create function pg_temp.state(p_symbol text) returns text language sql volatile as $$
  select p.qty || ' beside ' || p.broker_qty || ': ' || p.state from orderlatch.positions as p where p.symbol = p_symbol
$$;
create function pg_temp.pass(p_book jsonb, p_how_often integer default 1) returns void language plpgsql as $$
begin
  for n in 1 .. p_how_often loop
    perform test_support.advance_clock('5 minutes');
    perform test.serve(1, p_book);
  end loop;
end
$$;

-- What agrees.
select jsonb_build_object(
  'orders', jsonb_build_array(pg_temp.order('GOOG', 'buy', '10'), pg_temp.order('TSLA', 'sell', '3'), pg_temp.order('BTC/USD', 'buy', '2'),
                              pg_temp.order('ETH/USD', 'buy', '2')),
  'fills', jsonb_build_array(pg_temp.fill('GOOG', 'buy', '10'), pg_temp.fill('TSLA', 'sell', '3'), pg_temp.fill('BTC/USD', 'buy', '2'),
                             pg_temp.fill('ETHUSD', 'buy', '2') || '{"order_id": "o-ETH/USD"}'),
  'positions', jsonb_build_array(test.a_position('GOOG', '10'), test.a_position('TSLA', '3', '{"side": "short"}'), test.a_position('BTCUSD', '1.995'),
                                 test.a_position('ETH/USD', '1.994'))) as book \gset
select test.serve(:worker, :'book');
select is(pg_temp.state('GOOG'), '10 beside 10: agrees', 'a position that the broker lists alike agrees');
select is(pg_temp.state('TSLA'), '-3 beside -3: agrees', 'a short one too, whatever its sign in the list');
select is(pg_temp.state('BTCUSD'), '2 beside 1.995: agrees', 'a pair may be short by its fee');
select is(pg_temp.state('ETHUSD'), '2 beside 1.994: agrees', 'to the last part of the allowance, also when fills spell it without a slash');
select is((select p.avg_entry_price from orderlatch.positions as p where p.symbol = 'GOOG'), 190.25, 'the broker''s average price is shown');
select is(test.incidents(), '{}', 'that is no drift');
select is((select count(*)::integer from orderlatch_data.position_differences), 0, 'nor anything to look at');

-- Where the fee does not explain it.
select pg_temp.pass(jsonb_set(:'book', '{positions}', jsonb_build_array(test.a_position('GOOG', '9.99'), test.a_position('TSLA', '-3'),
  test.a_position('BTCUSD', '1.9939'), test.a_position('ETHUSD', '2.001'))));
select bag_eq($$ select p.symbol, p.state from orderlatch.positions as p $$,
              $$ values ('GOOG', 'differs, being looked at'), ('TSLA', 'agrees'), ('BTCUSD', 'differs, being looked at'), ('ETHUSD', 'differs, being looked at') $$,
              'a share has no such fee, a pair no more than its allowance, and never too much');
select pg_temp.pass(:'book');
select is((select count(*)::integer from orderlatch_data.position_differences), 0, 'what agrees again is forgotten');

-- Drift: seen twice, with a complete read of fills between, and longer than drift_grace.
select jsonb_set(:'book', '{positions}', jsonb_build_array(test.a_position('TSLA', '-3'), test.a_position('BTCUSD', '1.995'), test.a_position('ETHUSD', '2'),
                                                           test.a_position('MSFT', '5'))) as other \gset
select test_support.advance_clock('5 minutes');
select test.serve_once(:worker, :'other');
select is(pg_temp.state('GOOG'), '10 beside 0: differs, being looked at', 'a position that the broker does not list is flat there');
select is(pg_temp.state('MSFT'), '0 beside 5: differs, being looked at', 'one that nothing here explains is flat here');
select is(test.incidents(), '{}', 'seen once it is no incident');
select test_support.advance_clock('1 second');
select is(test.serve(:worker, :'other'), '{list_fills}', 'fills are read at once');
select is(pg_temp.state('GOOG'), '10 beside 0: differs, being looked at', 'they do not explain it');
select test_support.advance_clock('29 seconds');
select ok('list_positions' = any (test.serve(:worker, :'other')), 'it is compared again soon');
select is(pg_temp.state('GOOG'), '10 beside 0: differs', 'it still differs');
select is(test.incidents(), '{}', 'but not for long enough');
select test_support.advance_clock('31 seconds');
select test.serve(:worker, :'other');
select results_eq($$ select i.subject, i.detail from orderlatch_data.incidents as i where i.closed_at is null order by i.subject $$,
                  $$ values ('GOOG', '{"symbol": "GOOG", "fills_say": 10, "broker_says": 0}'::jsonb), ('MSFT', '{"symbol": "MSFT", "fills_say": 0, "broker_says": 5}') $$,
                  'after drift_grace each is an incident of its own');
select pg_temp.pass(:'other');
select is((select count(*)::integer from orderlatch_data.incidents), 2, 'that is not opened again');
select pg_temp.pass(:'book');
select is(test.incidents(), '{}', 'once they agree the incidents are closed');
select is((select array_agg(distinct i.closed_by || ': ' || i.resolution) from orderlatch_data.incidents as i), '{"orderlatch: the positions agree"}', 'by themselves');

-- Without a read of fills between, seeing it often proves nothing.
select test_support.advance_clock('5 minutes');
select test.record(test.answer_status(c.request_id, 503, '<html>')) from test.claim(:worker) as c where c.kind = 'list_fills';
select test.record(test.answer_status((test.standing_read('positions')).request_id, 200, (:'other'::jsonb -> 'positions')::text));
create function pg_temp.only_positions(p_book jsonb) returns void language plpgsql as $$
declare
  v_granted record;
begin
  perform test_support.advance_clock('40 seconds');
  for v_granted in select c.* from test.claim(1) as c loop
    perform test.record(
      case v_granted.kind
        when 'list_positions' then test.answer_status(v_granted.request_id, 200, (p_book -> 'positions')::text)
        else test.answer_maybe(v_granted.request_id)
      end);
  end loop;
end
$$;
select pg_temp.only_positions(:'other') from generate_series(1, 20);
select is((select array_agg(distinct d.checks::integer) from orderlatch_data.position_differences as d), '{1}', 'however often they are compared');
select is(test.incidents(), '{}', 'while no fills can be read there is no drift');
select test_support.advance_clock('10 minutes');
select test.serve(:worker, :'book');
select pg_temp.pass(:'book');

-- A failed or stale list says nothing.
select test_support.advance_clock('6 minutes');
select test.claim(:worker);
select (test.standing_read('positions')).request_id as page \gset
select is(test.record(test.answer_status(:'page', 200, '[{"symbol": "GOOG"}]')), 'in_doubt', 'a list without a quantity is none');
select is(test.record(test.answer_status((select c.request_id from (select test_support.advance_clock('10 minutes')) as t, test.claim(:worker) as c where c.kind = 'list_positions'), 404,
                                         '{"code": 40410000, "message": "position does not exist"}')), 'in_doubt', 'nor does an error say that all is flat');
select is(pg_temp.state('GOOG'), '10 beside 10: agrees', 'the last list stands');
select test_support.advance_clock('10 minutes');
select test.claim(:worker);
select (test.standing_read('positions')).request_id as late \gset
select test_support.advance_clock('1 minute');
select test.serve(:worker, :'book');
select is(test.record(test.answer_status(:'late', 200, '[]')), 'stale', 'a list that comes too late');
select is(pg_temp.state('GOOG'), '10 beside 10: agrees', 'is out of date');

-- An operator adjusts.
select pg_temp.pass(:'other', 3);
select is(test.incidents(), '{position_drift,position_drift}', 'two positions drift');
select throws_ok(format('select orderlatch.adjust_position(%L, %L, %L, %L, %L)', a.account, a.symbol, a.qty, a.kind, a.reason), a.code, null, a.title)
  from (
    values ('nobody', 'MSFT', '5', 'opening', 'x', 'OL102', 'an unknown account is refused'), ('paper', '', '5', 'opening', 'x', 'OL131', 'so is no symbol'),
           ('paper', 'MSFT', '0', 'opening', 'x', 'OL131', 'nothing'), ('paper', 'MSFT', 'NaN', 'opening', 'x', 'OL131', 'no number'),
           ('paper', 'MSFT', '1e40', 'opening', 'x', 'OL131', 'a number beyond reason'),
           ('paper', 'MSFT', '5', 'gift', 'x', 'OL131', 'an unknown kind'), ('paper', 'MSFT', '5', 'opening', '', 'OL131', 'no reason')
  ) as a(account, symbol, qty, kind, reason, code, title);
select is(orderlatch.adjust_position('paper', 'msft', 5, 'transfer', 'came from another broker'), 5::numeric, 'an adjustment returns the position after it');
select pg_temp.pass(:'other');
select is((select array_agg(i.subject) from orderlatch_data.incidents as i where i.closed_at is null), '{GOOG}', 'and ends the drift');
select is(orderlatch.adjust_position('paper', 'BTC/USD', -0.005, 'fee', 'fees of March'), 1.995, 'a pair is named as orders name it or as positions do');
select is((select a.symbol || ' ' || a.qty || ' ' || a.kind || ' ' || a.adjusted_by from orderlatch_data.position_adjustments as a where a.kind = 'fee'), 'BTCUSD -0.005 fee postgres', 'signed');

-- Or accepts what the broker says, where it is certain.
select test_support.advance_clock('31 seconds');
select test.serve(:worker, :'other');
select results_eq($$ select a.symbol, a.adjusted_by, a.qty from orderlatch.accept_positions('paper', 'correction', 'support says so') as a $$,
                  $$ values ('GOOG', -10::numeric, 0::numeric) $$, 'accepted is what was compared twice');
select is((select array_agg(i.subject) from orderlatch_data.incidents as i where i.closed_at is null), null, 'its incident is closed at once');
select is_empty($$ select a.symbol from orderlatch.accept_positions('paper', 'correction', 'again') as a $$, 'accepted twice it is entered once');
select pg_temp.pass(:'other', 3);
select is(test.incidents(), '{}', 'and there is no drift any more');
select is((select count(*)::integer from orderlatch.positions as p where p.symbol = 'GOOG'), 0, 'what is flat on both sides is not shown');
select is(test.broken_promises(), '{}', 'no promise is broken');

select * from finish();
rollback;
