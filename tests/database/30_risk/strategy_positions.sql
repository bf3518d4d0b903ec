-- What each strategy holds: kept with every fill of its orders, whichever is known first, the fill or whose order it is.
begin;
select plan(14);

select test_support.hold_clock('2026-03-02 15:00:00Z');
select test.given_account('paper', '{"one_decision_per_signal": false}');
select orderlatch.set_limit('opposite_order', 0, 'paper', p_enabled => false);
create temporary table worker as select test.given_worker() as worker_id;
create function pg_temp.held()
returns table (strategy_id text, symbol text, qty numeric)
language sql
as $$ select s.strategy_id, s.symbol, s.qty from orderlatch_data.strategy_positions as s order by s.strategy_id, s.symbol $$;
create function pg_temp.submitted(p_members jsonb)
returns text
language sql
as $$ select test.given_decision_in('submitted', w.worker_id, p_members) from worker as w $$;
create function pg_temp.fill(p_activity_id text, p_order_id text, p_side text, p_qty numeric, p_members jsonb default '{}')
returns bigint
language sql
as $$
  select test.take_fills(
           jsonb_build_array(
             jsonb_build_object(
               'id', 'a::' || p_activity_id, 'activity_type', 'FILL', 'type', 'fill',
               'transaction_time', orderlatch_data.canonical_time(orderlatch_data.clock()), 'order_id', p_order_id, 'symbol', 'BTC/USD',
               'side', p_side, 'price', '100', 'qty', p_qty::text
             ) || p_members
           )
         )
$$;
create temporary table decided as
  select pg_temp.submitted('{"symbol": "BTC/USD", "time_in_force": "gtc"}') as bought,
         pg_temp.submitted('{"symbol": "BTC/USD", "time_in_force": "gtc", "action": "sell", "strategy_id": "reversal"}') as sold;
create function pg_temp.order_id(p_decision_hash text)
returns text
language sql
as $$ select 'order-' || test.decision_id(p_decision_hash) $$;

select is_empty('select 1 from pg_temp.held()', 'what was not filled is not held');
select pg_temp.fill('1', pg_temp.order_id(d.bought), 'buy', 4) from decided as d;
select pg_temp.fill('2', pg_temp.order_id(d.bought), 'buy', 2.5) from decided as d;
select pg_temp.fill('3', pg_temp.order_id(d.sold), 'sell', 1) from decided as d;
select results_eq(
  'select * from pg_temp.held()', $$ values ('momentum', 'BTCUSD', 6.5), ('reversal', 'BTCUSD', -1.0) $$,
  'each strategy holds what its own orders traded'
);
select pg_temp.fill('2', pg_temp.order_id(d.bought), 'buy', 2.5) from decided as d;
select results_eq(
  'select * from pg_temp.held()', $$ values ('momentum', 'BTCUSD', 6.5), ('reversal', 'BTCUSD', -1.0) $$, 'a fill that is shown again counts once'
);
select pg_temp.fill('4', pg_temp.order_id(d.bought), 'buy', 2.5, '{"type": "trade_bust", "previous_execution_id": "2"}') from decided as d;
select results_eq(
  'select * from pg_temp.held()', $$ values ('momentum', 'BTCUSD', 4.0), ('reversal', 'BTCUSD', -1.0) $$, 'a bust takes off what it busts'
);

-- A stranger's trade, and shares without one, belong to no strategy.
select pg_temp.fill('5', 'by-hand', 'buy', 7);
select orderlatch.adjust_position('paper', 'BTC/USD', 100, 'opening', 'taken over');
select results_eq(
  'select * from pg_temp.held()', $$ values ('momentum', 'BTCUSD', 4.0), ('reversal', 'BTCUSD', -1.0) $$,
  'what is nobody''s is no strategy''s'
);
select results_eq(
  $$ select s.strategy_id, s.held
       from orderlatch_data.held_stakes(test.account_id(), '{BTC/USD}') as s order by s.strategy_id nulls last $$,
  $$ values ('momentum', 4.0), ('reversal', -1.0), (null, 107.0) $$, 'together they are what the account holds'
);
select is((select p.qty from orderlatch_data.position_sums as p), 110.0, 'as position_sums has it');

-- The fill first, then whose order it is.
create temporary table late as
  select test.given_submitting_decision(w.worker_id, '{"symbol": "BTC/USD", "time_in_force": "gtc", "strategy_id": "late"}') as decision_hash
    from worker as w;
select pg_temp.fill('6', pg_temp.order_id(l.decision_hash), 'buy', 3) from late as l;
select is_empty($$ select 1 from pg_temp.held() as h where h.strategy_id = 'late' $$, 'a fill of an order that nobody knows is nobody''s');
select test.record(test.answer_order(test.holder(l.decision_hash))) from late as l;
select results_eq(
  $$ select h.symbol, h.qty from pg_temp.held() as h where h.strategy_id = 'late' $$, $$ values ('BTCUSD', 3.0) $$,
  'until the answer says whose it is'
);
select pg_temp.fill('7', pg_temp.order_id(l.decision_hash), 'buy', 2) from late as l;
select is((select h.qty from pg_temp.held() as h where h.strategy_id = 'late'), 5.0, 'and goes on from there');

-- Limits with a strategy in their scope.
select orderlatch.set_limit('position_quantity', 6, 'paper', 'late');
create function pg_temp.reasons(p_strategy_id text, p_qty numeric)
returns text[]
language sql
as $$
  select p.reasons
    from orderlatch.preview_decision(
           'paper',
           test.a_decision(
             jsonb_build_object('symbol', 'BTC/USD', 'time_in_force', 'gtc', 'strategy_id', p_strategy_id, 'qty', p_qty)
           )
         ) as p
$$;
-- ten were ordered, five of them are filled
select is(pg_temp.reasons('late', 1), '{position_quantity}', 'a strategy''s position is what it holds and what is open of its orders');
select test_support.advance_clock('1 second');
select orderlatch_data.take_orders(
         test.account_id(),
         jsonb_build_array(
           test.order_document(l.decision_hash)
             || '{"status": "canceled", "filled_qty": "5", "filled_avg_price": "100", "updated_at": "2026-03-02T16:00:00Z"}'
         ),
         null, true
       )
  from late as l;
select is(pg_temp.reasons('late', 1), '{}', 'it may hold six');
select is(pg_temp.reasons('late', 1.1), '{position_quantity}', 'and no more, whatever others hold');
select is(test.broken_promises(), '{}', 'every promise is kept');

select * from finish();
rollback;
