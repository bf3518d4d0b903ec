-- Trades are booked once each: of orders that are known, unknown or over; busts and corrections take off what they amend.
begin;
select plan(51);

select test_support.hold_clock('2026-03-02 16:00:00Z');
select test.given_mirrored_account('paper', '{"reconcile_from": "2026-03-02T14:00:00Z", "on_foreign_order": "ignore"}');
select test.given_worker() as worker \gset
select test.serve(:worker, '{}');
-- Delivers a page of fills, whatever else is due.
create function pg_temp.fills(variadic p_fills jsonb[] default '{}') returns text language plpgsql as $$
begin
  perform test_support.advance_clock('2 minutes');
  perform test.claim(1);
  return test.record(test.answer_status((test.standing_read('fills')).request_id, 200, array_to_json(p_fills)::text));
end
$$;
create function pg_temp.fill(p_execution text, p_qty text, p_members jsonb default '{}') returns jsonb language sql as $$
  select test.a_fill('o-1', p_execution, jsonb_build_object('qty', p_qty, 'price', '100') || p_members)
$$;
-- What an order and a position add up to.
create function pg_temp.sums(p_order text default 'o-1') returns text language sql volatile as $$
  select b.fills_qty || ' for ' || b.fills_value || ', filled ' || b.filled_qty || ' at ' || coalesce(round(b.filled_avg_price, 2)::text, '-')
    from test.broker_order(p_order) as b
$$;
create function pg_temp.position(p_symbol text default 'GOOG') returns text language sql volatile as $$
  select p.qty || ' bought ' || p.bought || ' sold ' || p.sold from orderlatch_data.position_sums as p where p.symbol = p_symbol
$$;

-- Parts, and sales.
select test.tell(:worker, 'new', test.a_broker_order('o-1', '{"filled_qty": "10", "filled_avg_price": "100.4", "status": "filled"}'));
select pg_temp.fills(pg_temp.fill('x1', '4'), pg_temp.fill('x2', '6', '{"price": "100.666667"}'), pg_temp.fill('x1', '4'));
select is(pg_temp.sums(), '10 for 1004.000002, filled 10 at 100.40', 'the parts of an order add up');
select is(pg_temp.position(), '10 bought 10 sold 0', 'and are a position');
select test.tell(:worker, 'new', test.a_broker_order('o-2', '{"side": "sell", "filled_qty": "13", "status": "filled"}'));
select pg_temp.fills(test.a_fill('o-2', 'x3', '{"side": "sell", "qty": "13", "price": "101"}'));
select is(pg_temp.position(), '-3 bought 10 sold 13', 'a sale takes away, and may go short');
select is(pg_temp.sums('o-2'), '13 for 1313, filled 13 at -', 'a sale fills its order all the same');
select pg_temp.fills(test.a_fill('o-2', 'x4', '{"side": "sell_short", "qty": "1", "price": "101"}'));
select is(pg_temp.position(), '-4 bought 10 sold 14', 'so does a short sale by that name');
select is((select max(f.filled_at) from orderlatch_data.fills as f), (select p.last_fill_at from orderlatch_data.position_sums as p),
          'the position knows its newest trade');

-- Of an order that was never shown.
select pg_temp.fills(test.a_fill('o-3', 'x5', '{"symbol": "BTCUSD", "qty": "0.5", "price": "60000"}'));
select is((select b.status || ' ' || b.symbol || ' ' || b.fills_qty || ' ' || (b.decision_id is null) from test.broker_order('o-3') as b), 'unknown BTCUSD 0.5 true',
          'a fill of an unknown order is booked');
select is(pg_temp.position('BTCUSD'), '0.5 bought 0.5 sold 0', 'also as a position');
select is((select k.reason from orderlatch_data.order_checks as k where k.broker_order_id = 'o-3'), 'a fill of an unknown order', 'the order is to be read');
select is((select w.reason from orderlatch_data.read_wishes as w where w.purpose = 'orders'), 'a fill of an unknown order', 'a list may be faster');
select test.tell(:worker, 'fill', test.a_broker_order('o-3', '{"symbol": "BTC/USD", "filled_qty": "0.5", "status": "filled"}'));
select is((select b.status || ' ' || b.symbol || ' ' || b.client_order_id from test.broker_order('o-3') as b), 'filled BTC/USD by-hand-o-3',
          'shown later it is as it is shown');
select is((select count(*)::integer from orderlatch_data.order_checks as k where k.broker_order_id = 'o-3'), 0, 'and need not be read');
select pg_temp.fills(test.a_fill('o-3', 'x6', '{"symbol": "BTC/USD", "qty": "0.5", "price": "60000"}'));
select is(pg_temp.position('BTCUSD'), '1.0 bought 1.0 sold 0', 'both spellings of a pair are one position');

-- Late: after the end of its order, and of an order of a decision.
select test.given_submitting_decision(:worker, '{"symbol": "LATE"}') as decision \gset
select test.record(test.answer_order(test.holder(:'decision'), '{"id": "o-4"}'));
select test.tell(:worker, 'canceled', test.order_document(:'decision', '{"id": "o-4", "status": "canceled", "filled_qty": "0", "updated_at": "2026-03-02T15:30:00Z"}'));
select pg_temp.fills(test.a_fill('o-4', 'x7', '{"symbol": "LATE", "qty": "2", "price": "50"}'));
select is(pg_temp.sums('o-4'), '2 for 100, filled 0 at -', 'a late fill of a canceled order is booked');
select is((select s.order_status || ' ' || s.filled_qty || ' ' || s.filled_avg_price from orderlatch.decision_status(:'decision') as s), 'canceled 2 50.000000',
          'and the strategy sees it');

-- A bust.
select test.tell(:worker, 'new', test.a_broker_order('o-5', '{"symbol": "BUST", "filled_qty": "10", "filled_avg_price": "100", "status": "filled"}'));
create function pg_temp.of_5(p_execution text, p_qty text, p_members jsonb default '{}') returns jsonb language sql as $$
  select test.a_fill('o-5', p_execution, jsonb_build_object('symbol', 'BUST', 'qty', p_qty, 'price', '100') || p_members)
$$;
select pg_temp.fills(pg_temp.of_5('b1', '4'), pg_temp.of_5('b2', '6', '{"price": "101"}'));
select pg_temp.fills(pg_temp.of_5('b3', '4', '{"type": "trade_bust", "previous_execution_id": "b1"}'));
select is(pg_temp.sums('o-5'), '6 for 606, filled 6 at 101.00', 'a bust takes off what it busts');
select is(pg_temp.position('BUST'), '6 bought 6 sold 0', 'also from the position');
select results_eq($$ select f.entry, f.qty, f.activity, f.amends from orderlatch_data.fills as f where f.symbol = 'BUST' order by f.activity_id $$,
                  $$ values ('fill', 4::numeric, 'fill', null), ('fill', 6, 'fill', null), ('reversal', -4, 'trade_bust', 'b1') $$, 'in a row of its own');
select pg_temp.fills(pg_temp.of_5('b3', '4', '{"type": "trade_bust", "previous_execution_id": "b1"}'));
select is(pg_temp.sums('o-5'), '6 for 606, filled 6 at 101.00', 'told twice it busts once');
select test.tell(:worker, 'new', test.a_broker_order('o-5', '{"symbol": "BUST", "filled_qty": "10", "filled_avg_price": "100.6", "status": "filled", "updated_at": "2026-03-02T15:59:00Z"}'));
select is(pg_temp.sums('o-5'), '6 for 606, filled 6 at 101.00', 'from then on the fills say what was filled');

-- A bust that comes before its trade.
select test.tell(:worker, 'new', test.a_broker_order('o-6', '{"symbol": "EARLY", "filled_qty": "0", "status": "filled"}'));
select pg_temp.fills(test.a_fill('o-6', 'e2', '{"symbol": "EARLY", "qty": "5", "type": "trade_bust", "previous_execution_id": "e1"}'));
select is(pg_temp.sums('o-6'), '-5 for -951.25, filled 0 at -', 'nothing is filled by less than nothing');
select pg_temp.fills(test.a_fill('o-6', 'e1', '{"symbol": "EARLY", "qty": "5"}'));
select is(pg_temp.sums('o-6') || '; ' || pg_temp.position('EARLY'), '0 for 0.00, filled 0 at -; 0 bought 0 sold 0', 'with its trade it is even');

-- Corrections.
select test.tell(:worker, 'new', test.a_broker_order('o-7', '{"symbol": "FIX", "side": "sell", "filled_qty": "9", "status": "filled"}'));
create function pg_temp.of_7(p_execution text, p_qty text, p_members jsonb default '{}') returns jsonb language sql as $$
  select test.a_fill('o-7', p_execution, jsonb_build_object('symbol', 'FIX', 'side', 'sell', 'qty', p_qty, 'price', '100') || p_members)
$$;
select pg_temp.fills(pg_temp.of_7('f1', '10'));
select pg_temp.fills(pg_temp.of_7('f2', '9', '{"type": "trade_correct", "previous_execution_id": "f1", "price": "99"}'));
select is(pg_temp.sums('o-7'), '9 for 891, filled 9 at 99.00', 'a correction takes the place of what it corrects');
select is(pg_temp.position('FIX'), '-9 bought 0 sold 9', 'also in the position of a sale');
select pg_temp.fills(pg_temp.of_7('f3', '8', '{"type": "trade_correct", "previous_execution_id": "f2", "price": "98"}'));
select is(pg_temp.sums('o-7'), '8 for 784, filled 8 at 98.00', 'so does the correction of a correction');
select pg_temp.fills(pg_temp.of_7('f4', '8', '{"type": "trade_bust", "previous_execution_id": "f3", "price": "98"}'));
select is(pg_temp.sums('o-7') || '; ' || pg_temp.position('FIX'), '0 for 0, filled 0 at -; 0 bought 0 sold 0', 'and its bust leaves nothing');
select is((select count(*)::integer from orderlatch_data.fills as f where f.symbol = 'FIX' and f.entry = 'reversal'), 3, 'each has its reversal');
select test.tell(:worker, 'new', test.a_broker_order('o-8', '{"symbol": "ALL", "filled_qty": "3", "status": "filled"}'));
create function pg_temp.of_8(p_execution text, p_qty text, p_members jsonb default '{}') returns jsonb language sql as $$
  select test.a_fill('o-8', p_execution, jsonb_build_object('symbol', 'ALL', 'qty', p_qty, 'price', '10') || p_members)
$$;
select pg_temp.fills(pg_temp.of_8('a3', '3', '{"type": "trade_correct", "previous_execution_id": "a2"}'),
                     pg_temp.of_8('a2', '4', '{"type": "trade_correct", "previous_execution_id": "a1"}'), pg_temp.of_8('a1', '5'));
select is(pg_temp.sums('o-8') || '; ' || pg_temp.position('ALL'), '3 for 30, filled 3 at 10.00; 3 bought 3 sold 0', 'all on one page, the last first');
select pg_temp.fills(test.a_fill('o-9', 'c2', '{"symbol": "LONE", "qty": "7", "price": "10", "type": "trade_correct", "previous_execution_id": "c1"}'));
select is(pg_temp.position('LONE'), '7 bought 7 sold 0', 'a correction whose trade is not known yet is booked');
select pg_temp.fills(test.a_fill('o-9', 'c1', '{"symbol": "LONE", "qty": "8", "price": "10"}'));
select is(pg_temp.position('LONE'), '7 bought 7 sold 0', 'and takes it off when it comes');

-- Coins of which a dollar buys a hundred thousand.
select test.given_submitting_decision(:worker, '{"symbol": "PEPE/USD", "time_in_force": "gtc", "qty": "3000000"}') as coins \gset
select test.record(test.answer_order(test.holder(:'coins'), '{"id": "o-10"}'));
select pg_temp.fills(test.a_fill('o-10', 'p1', '{"symbol": "PEPE/USD", "qty": "1000000", "price": "0.0000072"}'),
                     test.a_fill('o-10', 'p2', '{"symbol": "PEPE/USD", "qty": "2000000", "price": "0.00000049"}'));
select is((select s.filled_avg_price from orderlatch.decision_status(:'coins') as s), 0.000002726667, 'the average of prices far below a cent keeps its digits');
select pg_temp.fills(test.a_fill('o-10', 'p3', '{"symbol": "PEPE/USD", "qty": "1000000", "price": "0.0000072", "type": "trade_bust", "previous_execution_id": "p1"}'));
select is((select b.filled_avg_price from test.broker_order('o-10') as b), 0.00000049, 'also after a bust');
select is((select s.filled_avg_price from orderlatch.decision_status(:'coins') as s), 0.00000049, 'for the strategy too');

-- Orders of ours and of others alike.
select is((select f.decision_hash from orderlatch.fills as f where f.activity_id like '%::x7'), :'decision'::text, 'a fill of ours names its decision');
select is((select f.decision_hash from orderlatch.fills as f where f.activity_id like '%::x3'), null::text, 'one of somebody else none');

-- fill_mismatch: after another complete read and drift_grace, and gone when the fills add up.
select pg_temp.fills(test.a_fill('o-1', 'x8', '{"transaction_time": "2026-03-02T16:45:00Z"}'));
select test_support.advance_clock('10 minutes');
select test.serve(:worker, '{}');
update orderlatch_data.broker_orders set shown_filled_qty = fills_qty;  -- what was told above was told for its own sake
delete from orderlatch_data.fill_differences;
update orderlatch_data.incidents set closed_at = opened_at, closed_by = 't', resolution = 't';
select jsonb_build_object('orders', jsonb_build_array(test.a_broker_order('m-1', '{"symbol": "MISS", "filled_qty": "10", "status": "filled", "submitted_at": "2026-03-02T16:30:00Z"}'))) as book \gset
select test.tell(:worker, 'fill', :'book'::jsonb -> 'orders' -> 0);
select test_support.advance_clock('2 minutes');
select test.serve_once(:worker, :'book');
select is(test.incidents() && '{fill_mismatch}', false, 'fills may be late');
select is((select f.checks::integer from orderlatch_data.fill_differences as f), 1, 'the difference is noted');
select is((select count(*) from orderlatch_data.order_checks as k where k.broker_order_id = 'm-1'), 0::bigint, 'an order that is ahead of its fills need not be read again');
select test_support.advance_clock('2 seconds');
select c.query ->> 'after' as after from test.claim(:worker) as c where c.kind = 'list_fills' \gset
select ok(:'after'::text <= '2026-03-02T16:29:00.000000Z', 'they are read from before the order');
select test.record(test.answer_status((test.standing_read('fills')).request_id, 200, '[]'));
select is(test.incidents() && '{fill_mismatch}', false, 'within drift_grace it is no incident yet');
select test_support.advance_clock('2 minutes');
select test.serve(:worker, :'book');
select is((select i.detail - 'broker_order_id' from orderlatch_data.incidents as i where i.incident = 'fill_mismatch' and i.closed_at is null),
          '{"symbol": "MISS", "filled_qty": 10, "fills": 0}'::jsonb, 'after that it is one');
select is((select i.subject from orderlatch_data.incidents as i where i.incident = 'fill_mismatch' and i.closed_at is null), 'm-1', 'about that order');
select pg_temp.fills(test.a_fill('m-1', 'm1', '{"symbol": "MISS"}'));
select is(test.incidents() && '{fill_mismatch}', false, 'once the fills are there it is closed');
select is((select i.closed_by from orderlatch_data.incidents as i where i.incident = 'fill_mismatch' and i.subject = 'm-1'), 'orderlatch', 'by itself');
-- A hidden bust: the order says less than its fills, and no activity says why.
select test.tell(:worker, 'new', test.a_broker_order('m-1', '{"symbol": "MISS", "filled_qty": "4", "status": "filled", "submitted_at": "2026-03-02T16:30:00Z", "updated_at": "2026-03-02T16:50:00Z"}'));
select pg_temp.fills();
select pg_temp.fills();
select is((select i.detail ->> 'filled_qty' || ' ' || (i.detail ->> 'fills') from orderlatch_data.incidents as i where i.incident = 'fill_mismatch' and i.closed_at is null), '4 10',
          'a bust that no activity tells of is an incident');
select is((test.broker_order('m-1')).filled_qty, 10::numeric, 'what was filled does not fall for it');
select pg_temp.fills(test.a_fill('m-1', 'm2', '{"symbol": "MISS", "qty": "6", "type": "trade_bust", "previous_execution_id": "m1"}'));
select is(test.incidents() && '{fill_mismatch}', false, 'when the bust is told after all it is closed');
-- A view that is behind its fills.
select test.tell(:worker, 'new', test.a_broker_order('m-2', '{"symbol": "BEHIND", "submitted_at": "2026-03-02T16:30:00Z"}'));
select pg_temp.fills(test.a_fill('m-2', 'm9', '{"symbol": "BEHIND"}'));
select pg_temp.fills();
select is((select k.reason from orderlatch_data.order_checks as k where k.broker_order_id = 'm-2'), 'its fills do not add up', 'an order that its fills are ahead of is read by itself');
select test.tell(:worker, 'fill', test.a_broker_order('m-2', '{"symbol": "BEHIND", "submitted_at": "2026-03-02T16:30:00Z", "filled_qty": "10", "status": "filled", "updated_at": "2026-03-02T16:50:00Z"}'));
-- A view without a time.
select test.tell(:worker, 'new', test.a_broker_order('m-3', '{"symbol": "TIME", "submitted_at": "2026-03-02T16:30:00Z"}'));
select test.tell(:worker, 'fill', test.a_broker_order('m-3', '{"symbol": "TIME", "submitted_at": "2026-03-02T16:30:00Z", "filled_qty": "10", "updated_at": null}'));
select pg_temp.fills(test.a_fill('m-3', 'm3', '{"symbol": "TIME"}'));
select pg_temp.fills();
select is(test.incidents() && '{fill_mismatch}', false, 'what only a view without a time shows as filled is no mismatch');
-- Before reconcile_from.
select test.tell(:worker, 'fill', test.a_broker_order('old', '{"filled_qty": "10", "status": "filled", "submitted_at": "2026-03-02T13:59:00Z"}'));
select pg_temp.fills();
select pg_temp.fills();
select is(test.incidents() && '{fill_mismatch}', false, 'of an order from before the account was taken on no fills are missed');
select is(test.broken_promises(), '{}', 'no promise is broken');

select * from finish();
rollback;
