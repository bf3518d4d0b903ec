-- The view positions says "agrees" of what the broker's last list agrees with, and of nothing else.
begin;
select plan(8);

select test_support.hold_clock('2026-03-02 16:00:00Z');
select test.given_mirrored_account('paper', '{"reconcile_from": "2026-03-02T14:00:00Z", "on_foreign_order": "ignore"}');
select test.given_worker() as worker \gset
create function pg_temp.book(p_filled jsonb, p_positions jsonb) returns jsonb language sql as $$
  select jsonb_build_object(
    'orders', (select jsonb_agg(test.a_broker_order(f.id, jsonb_build_object('symbol', f.symbol, 'qty', f.qty, 'filled_qty', f.qty, 'status', 'filled')))
                 from jsonb_to_recordset(p_filled) as f(id text, symbol text, qty text, at text)),
    'fills', (select jsonb_agg(test.a_fill(f.id, f.id, jsonb_build_object('symbol', f.symbol, 'side', 'buy', 'qty', f.qty, 'transaction_time', f.at)))
                from jsonb_to_recordset(p_filled) as f(id text, symbol text, qty text, at text)),
    'positions', p_positions)
$$;
create function pg_temp.shown(p_symbol text) returns text language sql volatile as $$
  select p.qty || ' beside ' || p.broker_qty || ': ' || p.state from orderlatch.positions as p where p.symbol = p_symbol
$$;

select jsonb_build_object('id', 'first', 'symbol', 'GOOG', 'qty', '10', 'at', '2026-03-02T15:00:00Z') as first \gset
select jsonb_build_object('id', 'more', 'symbol', 'GOOG', 'qty', '5', 'at', '2026-03-02T16:00:30Z') as more \gset
select jsonb_build_object('id', 'pair', 'symbol', 'BTC/USD', 'qty', '2', 'at', '2026-03-02T16:00:31Z') as pair \gset

select test.serve(:worker, pg_temp.book(jsonb_build_array(:'first'::jsonb), jsonb_build_array(test.a_position('GOOG', '10'))));
select is(pg_temp.shown('GOOG'), '10 beside 10: agrees', 'what is listed alike agrees');

select test_support.advance_clock('61 seconds');
select pg_temp.book(jsonb_build_array(:'first'::jsonb, :'more'::jsonb, :'pair'::jsonb),
                    jsonb_build_array(test.a_position('GOOG', '15'), test.a_position('BTCUSD', '1.995'))) as book \gset
select ok('list_positions' <> all (test.serve(:worker, :'book')), 'fills are read more often than positions');
select is(pg_temp.shown('GOOG'), '15 beside 10: moved since the list', 'what was filled since the list does not agree with it');
select is(pg_temp.shown('BTCUSD'), '2 beside 0: moved since the list', 'nor does what the list could not have');

select test_support.advance_clock('5 minutes');
select test.serve(:worker, :'book');
select is(pg_temp.shown('GOOG'), '15 beside 15: agrees', 'the next list agrees');
select is(pg_temp.shown('BTCUSD'), '2 beside 1.995: agrees', 'of a pair but for its fee');
select is((select array_agg(p.symbol order by p.symbol) from orderlatch.positions as p), '{BTCUSD,GOOG}', 'and nothing else is held');
create role reads_positions login in role orderlatch_auditor;
select test_support.act_as('reads_positions');
select is((select p.state from orderlatch.terse_positions as p where p.symbol = 'BTCUSD'), 'agrees', 'the short view says the same, to an auditor too');
reset session authorization;

select * from finish();
rollback;
