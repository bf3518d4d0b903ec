-- The stakes of an account in some symbols are those of no other account, symbol or status.
begin;
select plan(11);

select test_support.hold_clock('2026-03-02 15:00:00Z');
create function pg_temp.stakes(p_of text, p_symbols text[]) returns text language plpgsql as $$
declare
  v_stakes text;
begin
  execute format(
    $q$ select string_agg(format('%%s %%s %%s', coalesce(s.strategy_id, 'nobody'), s.symbol, coalesce(s.held, s.buy_qty)), ', '
                          order by s.symbol, s.strategy_id)
          from orderlatch_data.%I(test.account_id(), $1) as s $q$, p_of
  ) into v_stakes using p_symbols;
  return v_stakes;
end
$$;
select test.given_account(a.account, '{"one_decision_per_signal": false}') from (values ('paper'), ('other')) as a(account);

-- Decisions on their way.
select test.given_approved_decision(a.account, jsonb_build_object('strategy_id', 'calm', 'symbol', y.symbol, 'qty', y.qty))
  from (values ('paper'), ('other')) as a(account), (values ('GOOG', '1'), ('AAPL', '2')) as y(symbol, qty);
select test.given_decision('paper', '{"strategy_id": "calm", "symbol": "GOOG", "qty": "4"}');
select is(pg_temp.stakes('unsent_stakes', '{GOOG}'), 'calm GOOG 1', 'what is approved in a symbol counts, and what is planned does not');
select is(pg_temp.stakes('unsent_stakes', null), 'calm AAPL 2, calm GOOG 1', 'of all symbols');

-- Orders at the broker: open, and ended with fills that are not booked.
select test.insert_order(test.a_broker_order(a.account || y.symbol, jsonb_build_object('symbol', y.symbol, 'qty', y.qty, 'status', 'partially_filled',
                           'filled_qty', '0.5', 'filled_avg_price', '7')), a.account),
       test.insert_order(test.a_broker_order('ended' || a.account || y.symbol, jsonb_build_object('symbol', y.symbol, 'qty', y.qty, 'status', 'filled',
                           'filled_qty', y.qty, 'filled_avg_price', '7')), a.account),
       test.insert_order(test.a_broker_order('gone' || a.account || y.symbol, jsonb_build_object('symbol', y.symbol, 'status', 'canceled')), a.account)
  from (values ('paper'), ('other')) as a(account), (values ('GOOG', '1'), ('AAPL', '2')) as y(symbol, qty);
select is(pg_temp.stakes('order_stakes', '{GOOG}'), 'nobody GOOG 2', 'an order of a symbol counts, and one that has ended and is not booked');
select is(pg_temp.stakes('order_stakes', null), 'nobody AAPL 4, nobody GOOG 2', 'of all symbols');
select is((select array_agg(b.broker_order_id order by b.broker_order_id) from orderlatch_data.live_orders(test.account_id(), '{GOOG}') as b),
          '{endedpaperGOOG,paperGOOG}', 'each is read once, and none without a trade to come');

-- What is held: of each strategy, and the rest, which is nobody's.
insert into orderlatch_data.position_sums (account_id, symbol, qty, bought, sold)
select test.account_id(a.account), y.symbol, y.qty, y.qty, 0
  from (values ('paper'), ('other')) as a(account), (values ('GOOG', 10), ('AAPL', 20), ('MSFT', 0)) as y(symbol, qty);
insert into orderlatch_data.strategy_positions (account_id, strategy_id, symbol, qty)
select test.account_id(a.account), 'calm', y.symbol, y.qty
  from (values ('paper'), ('other')) as a(account), (values ('GOOG', 3), ('AAPL', 4)) as y(symbol, qty);
select is(pg_temp.stakes('held_stakes', '{GOOG}'), 'calm GOOG 3, nobody GOOG 7', 'what is held in a symbol');
select is(pg_temp.stakes('held_stakes', null), 'calm AAPL 4, nobody AAPL 16, calm GOOG 3, nobody GOOG 7', 'in all symbols, and nothing of what is closed');

-- Each decision of a batch meets the stakes in its own symbol, whichever comes first.
select test.given_account('batch', '{"one_decision_per_signal": false}');
select test.given_approved_decision('batch', '{"symbol": "GOOG", "qty": "90"}');
select orderlatch.set_limit('position_quantity', 100, 'batch');
select results_eq(
  format(
    $$ select p.reasons from orderlatch.propose_decisions('batch', jsonb_build_array(
         test.a_decision('{"symbol": "%s", "qty": "20", "leg": "1"}'), test.a_decision('{"symbol": "%s", "qty": "20", "leg": "2"}'))) as p $$,
    y.one, y.two
  ),
  format('values (%L::text[]), (%L)', case y.one when 'GOOG' then '{position_quantity}' else '{}' end, case y.two when 'GOOG' then '{position_quantity}' else '{}' end),
  y.one || ' goes before ' || y.two
) from (values ('AAPL', 'GOOG'), ('GOOG', 'MSFT')) as y(one, two);

-- A limit of one symbol adds up that symbol, also where another limit adds up all of them.
select test.given_account('scope', '{"one_decision_per_signal": false}');
select test.given_approved_decision('scope', '{"symbol": "AAPL"}');
select orderlatch.set_limit('open_orders', 1, 'scope', null, 'GOOG'), orderlatch.set_limit('open_orders', 9, 'scope');
select is((select p.reasons from orderlatch.propose_decision('scope', test.a_decision('{"symbol": "GOOG"}')) as p), '{}', 'an order of another symbol is none of it');
select is((select p.reasons from orderlatch.propose_decision('scope', test.a_decision('{"symbol": "GOOG"}')) as p), '{open_orders}', 'one of its own is');

select * from finish();
rollback;
