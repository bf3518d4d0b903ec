-- A pair is halted and limited in either spelling: orders have BTC/USD, the broker's positions BTCUSD.
begin;
select plan(18);

select test_support.hold_clock('2026-03-02 15:00:00Z');
create function pg_temp.pair(p_account text, p_symbol text default 'BTC/USD')
returns table (status text, reasons text[])
language sql
as $$
  select p.status, p.reasons
    from orderlatch.propose_decision(
           p_account, test.a_decision(jsonb_build_object('symbol', p_symbol, 'qty', '2', 'time_in_force', 'gtc'))
         ) as p
$$;

-- Halts.
select test.given_account();
create temporary table worlds as select test.given_worker() as worker_id;
select is((select p.status from pg_temp.pair('paper') as p), 'approved', 'a pair is approved');
select is((select p.status from pg_temp.pair('paper') as p), 'approved', 'and again');
select is((select p.status from pg_temp.pair('paper', 'ETH/USD') as p), 'approved', 'and another');
select is((select c.body ->> 'symbol' from (select (test.claim_one(w.worker_id)).body::jsonb from worlds as w) as c(body)), 'BTC/USD', 'the first is on its way');
create temporary table halted as select h.* from orderlatch.halt('looks wrong', 'paper', p_symbol => 'BTCUSD', p_cancel_open => true) as h;
select is(
  (select h.symbol from halted as h where h.what = 'in flight'), 'BTC/USD', 'a halt of the spelling of positions lists what is in flight'
);
select is((select h.detail from halted as h where h.what = 'halted'), 'no submit is granted any more; 1 in flight', 'and says so');
select test.record(test.answer_order(r.request_id)) from orderlatch_data.open_requests as r where r.kind = 'submit_order';
select is(
  (select array_agg(c.kind || coalesce(' ' || (c.body::jsonb ->> 'symbol'), '') order by c.kind) from worlds as w cross join lateral test.claim(w.worker_id) as c),
  '{cancel_order,"submit_order ETH/USD"}', 'the pair is canceled and not sent, another pair is'
);
select is((select w.waits_for from orderlatch.waiting as w where w.symbol = 'BTC/USD' and w.status = 'approved'), 'a halt to be lifted', 'what waits says why');
select ok(
  (select count(*) from orderlatch.halt_progress((select h.halt_id from halted as h where h.what = 'halted')) as p where p.symbol = 'BTC/USD') > 0,
  'and so does the progress of the halt'
);

-- Limits.
select test.given_account('limited');
select orderlatch.set_limit('position_quantity', 3, 'limited', null, 'BTCUSD');
select is((select p.reasons from pg_temp.pair('limited') as p), '{}', 'what fits passes');
select is((select p.reasons from pg_temp.pair('limited') as p), '{position_quantity}', 'a limit of the spelling of positions holds for the pair');
select is((select p.reasons from pg_temp.pair('limited', 'ETH/USD') as p), '{}', 'and for no other');
select test.given_account('listed');
select orderlatch.set_symbols('denied_symbols', '{BTCUSD}', 'listed');
select is((select p.reasons from pg_temp.pair('listed') as p), '{symbol_denied}', 'so does a list of what is denied');
select orderlatch.set_symbols('denied_symbols', '{XYZ}', 'listed');
select orderlatch.set_symbols('allowed_symbols', '{BTCUSD}', 'listed');
select is((select p.reasons from pg_temp.pair('listed') as p), '{}', 'and of what is allowed');
select is((select p.reasons from pg_temp.pair('listed', 'ETH/USD') as p), '{symbol_not_allowed}', 'which allows no other pair');

-- Orders of a pair that the broker shows in the spelling of positions, ours and foreign ones.
select test.given_account('shown');
select test.given_approved_decision('shown', '{"symbol": "BTC/USD", "qty": "2", "time_in_force": "gtc"}');
select test.record(test.answer_order(c.request_id, '{"symbol": "BTCUSD"}')) from test.claim_one(test.given_worker('shown')) as c;
select test.insert_order(test.a_broker_order('by-hand', '{"symbol": "ETHUSD", "qty": "2", "side": "sell", "status": "accepted"}'), 'shown');
select orderlatch.set_limit('position_quantity', 3, 'shown');
select is((select p.reasons from pg_temp.pair('shown') as p), '{position_quantity}', 'what our order may still buy counts');
select is((select p.reasons from pg_temp.pair('shown', 'ETH/USD') as p), '{opposite_order:market_or_stop}', 'and a foreign order is one of the other side');

select is_empty('select i.promise from orderlatch.invariants as i where i.violations > 0', 'every invariant holds');

select * from finish();
rollback;
