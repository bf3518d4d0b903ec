-- Decisions of one batch see each other, in input order: none that fits is lost, none passes that does not fit.
begin;
select plan(37);

select test_support.hold_clock('2026-03-02 15:00:00Z');
create function pg_temp.propose(p_account text, variadic p_members jsonb[])
returns table (input_no integer, status text, reasons text[])
language sql
as $$
  select p.input_no, p.status, p.reasons
    from orderlatch.propose_decisions(
           p_account,
           (
             select jsonb_agg(
                      test.a_decision('{"order_type": "limit", "limit_price": "100", "reference_price": "100"}'::jsonb || m.members)
                      order by m.place
                    )
               from unnest(p_members) with ordinality as m(members, place)
           )
         ) as p
$$;

-- First come, first served, and what does not fit leaves its room to the next.
select test.given_account('dollars');
select orderlatch.set_limit('notional_a_day', 1000, 'dollars');
select results_eq(
  $$ select p.input_no, p.reasons
       from pg_temp.propose('dollars', '{"qty": "6"}', '{"qty": "5"}', '{"qty": "4"}', '{"qty": "1"}') as p $$,
  $$ values (1, '{}'::text[]), (2, '{notional_a_day}'), (3, '{}'), (4, '{notional_a_day}') $$,
  'what does not fit leaves its room to what comes after'
);
select results_eq(
  $$ select (v.inputs #>> '{sums,0,without}')::numeric, (v.inputs #>> '{sums,0,with}')::numeric
       from orderlatch_data.risk_verdicts as v where v.account_id = test.account_id('dollars') order by v.decision_id $$,
  $$ values (0::numeric, 600::numeric), (600, 1100), (600, 1000), (1000, 1100) $$,
  'each verdict keeps what was counted without the decision and with it'
);
select results_eq(
  $$ select p.status, p.reasons from pg_temp.propose('dollars', '{"qty": "0.01", "leg": "later"}') as p $$,
  $$ values ('rejected', '{notional_a_day}'::text[]) $$, 'the next batch goes on from there'
);

-- A rejection for another reason takes no room.
select test.given_account('orders', '{"one_decision_per_signal": false}');
select orderlatch.set_limit('open_orders', 2, 'orders');
select orderlatch.set_limit('order_quantity', 10, 'orders', null, 'GOOG');
select results_eq(
  $$ select p.reasons
       from pg_temp.propose(
              'orders', '{"qty": "11"}', '{"qty": "10"}', '{"limit_price": null}', '{"symbol": "AAPL", "qty": "11"}', '{"symbol": "MSFT"}'
            ) as p $$,
  $$ values ('{order_quantity}'::text[]), ('{}'), ('{invalid_order:missing_limit_price}'), ('{}'), ('{open_orders}') $$,
  'what is rejected for another reason takes no room'
);
select results_eq(
  $$ select p.reasons from pg_temp.propose('orders', '{"qty": "11"}', '{"symbol": "MSFT", "limit_price": null}') as p $$,
  $$ values ('{open_orders,order_quantity}'::text[]), ('{invalid_order:missing_limit_price,open_orders}') $$,
  'all reasons are named, sums among them'
);

-- Across symbols and strategies, and each symbol by itself.
select test.given_account('wide');
select orderlatch.set_limit('gross_exposure', 3000, 'wide');
select orderlatch.set_limit('position_quantity', 15, 'wide');
select orderlatch.set_limit('orders_a_day', 2, 'wide', 'reversal');
select results_eq(
  $$ select p.reasons
       from pg_temp.propose(
              'wide', '{"qty": "10"}', '{"symbol": "AAPL", "qty": "15"}', '{"qty": "6", "strategy_id": "reversal"}',
              '{"qty": "5", "strategy_id": "reversal"}', '{"symbol": "MSFT", "qty": "1", "strategy_id": "reversal"}',
              '{"symbol": "MSFT", "qty": "0.01"}'
            ) as p $$,
  $$ values ('{}'::text[]), ('{}'), ('{gross_exposure,position_quantity}'), ('{}'), ('{gross_exposure}'), ('{gross_exposure}') $$,
  'a batch counts over its symbols and strategies as the limits do'
);
select is(
  (select count(*) from pg_temp.propose('wide', '{"symbol": "TSLA", "action": "sell", "qty": "1", "strategy_id": "reversal"}') as p
    where p.reasons = '{gross_exposure}'),
  1::bigint, 'selling short is exposure too'
);

-- A cool-down lets one of a batch through.
select test.given_account('slow');
select orderlatch.set_limit('cool_down', 60, 'slow', null, 'GOOG');
select results_eq(
  $$ select p.reasons from pg_temp.propose('slow', '{}', '{}', '{"symbol": "AAPL"}', '{"symbol": "AAPL"}') as p $$,
  $$ values ('{}'::text[]), ('{cool_down}'), ('{}'), ('{}') $$, 'a cool-down lets the first of its symbol through'
);
select test_support.advance_clock('59.999 seconds');
select results_eq($$ select p.reasons from pg_temp.propose('slow', '{}') as p $$, $$ values ('{cool_down}'::text[]) $$, 'and no other before it is over');
select test_support.advance_clock('1 millisecond');
select results_eq($$ select p.reasons from pg_temp.propose('slow', '{}') as p $$, $$ values ('{}'::text[]) $$, 'when it is over the next');

-- What was recorded before is judged in the order of the batch, and numbered in it.
select test.given_account('order', '{"one_decision_per_signal": false}');
select orderlatch.set_limit('open_orders', 1, 'order');
create temporary table known as select test.a_decision('{"leg": "known"}') as decision, test.a_decision('{"leg": "new"}') as newer;
select orderlatch.ensure_decision('order', k.decision) from known as k;
select results_eq(
  $$ select p.outcome, p.reasons
       from known as k, orderlatch.propose_decisions('order', jsonb_build_array(k.newer, k.decision, k.newer)) as p $$,
  $$ values ('created', '{}'::text[]), ('existing', '{open_orders}'), ('existing', '{}') $$,
  'the order of the batch decides, not that of recording'
);
select orderlatch.set_limit('open_orders', 100, 'order');
create temporary table numbered as
  select p.input_no, p.decision_id
    from known as k
   cross join lateral orderlatch.ensure_decision('order', test.a_decision('{"leg": "a"}')) as e
   cross join lateral orderlatch.propose_decisions(
     'order', jsonb_build_array(test.a_decision('{"leg": "b"}'), test.a_decision('{"leg": "c"}'))
   ) as p;
select ok(
  (select bool_and(o.approval_no > b.approval_no)
     from numbered as n
     join orderlatch_data.open_decisions as o on o.decision_id = n.decision_id and n.input_no = 2
     join numbered as f on f.input_no = 1
     join orderlatch_data.open_decisions as b on b.decision_id = f.decision_id),
  'approvals are numbered in input order'
);

-- What a limit of one strategy counts in other symbols is not forgotten over a decision of another strategy.
select test.given_account('mixed', '{"one_decision_per_signal": false, "max_decision_age": "3 days"}');
create temporary table mixed_worker as select test.given_worker('mixed') as worker_id;
create function pg_temp.other_first(p_limit text, p_ceiling numeric, p_symbol text) returns text[] language plpgsql as $$
declare
  v_reasons text[];
begin
  perform orderlatch.set_limit(p_limit, p_ceiling, 'mixed', 'reversal');
  select p.reasons into v_reasons
    from pg_temp.propose('mixed', jsonb_build_object('symbol', p_symbol, 'leg', p_limit), '{"symbol": "NVDA", "strategy_id": "reversal"}') as p
   where p.input_no = 2;
  raise exception using errcode = 'ZZ000';
exception when sqlstate 'ZZ000' then
  return v_reasons;
end
$$;
-- Yesterday reversal was approved for TSLA, which rests. Today it was canceled in MSFT an hour ago, and has just been approved for AAPL.
select test_support.hold_clock('2026-03-02 20:00:00Z');
select is((select p.reasons from pg_temp.propose('mixed', '{"symbol": "TSLA", "qty": "1", "strategy_id": "reversal"}') as p), '{}', 'yesterday');
select test.record(test.answer_order((test.claim_one(w.worker_id)).request_id)) from mixed_worker as w;
select test_support.hold_clock('2026-03-03 15:00:00Z');
select is((select p.reasons from pg_temp.propose('mixed', '{"symbol": "MSFT", "qty": "2", "strategy_id": "reversal"}') as p), '{}', 'an hour ago');
select test.record(test.answer_order((test.claim_one(w.worker_id)).request_id, '{"status": "canceled"}')) from mixed_worker as w;
select test_support.hold_clock('2026-03-03 16:00:00Z');
select is((select p.reasons from pg_temp.propose('mixed', '{"symbol": "AAPL", "qty": "3", "strategy_id": "reversal"}') as p), '{}', 'now');
select orderlatch.set_limit('orders_a_day', 100, 'mixed');
select test_support.advance_clock('10 seconds');
select is(pg_temp.other_first(c.limit_kind, c.ceiling, s.symbol), array[c.limit_kind], format('%s, after another strategy''s decision for %s', c.limit_kind, s.symbol))
  from (
    values ('open_orders', 2), ('orders_a_day', 2), ('notional_a_day', 300), ('gross_exposure', 400), ('cool_down', 60)
  ) as c(limit_kind, ceiling)
 cross join unnest('{TSLA,MSFT,AAPL,GOOG}'::text[]) as s(symbol);

-- A large batch adds up its own stakes as it goes.
select test.given_account('many', '{"one_decision_per_signal": false}');
select orderlatch.set_limit('open_orders', 150, 'many');
select orderlatch.set_limit('position_quantity', 140, 'many', null, 'GOOG');
select results_eq(
  $$ select count(*) filter (where p.reasons = '{}'), count(*) filter (where p.reasons = '{position_quantity}'),
            count(*) filter (where p.reasons = '{open_orders}'), count(*) filter (where p.reasons = '{open_orders,position_quantity}')
       from orderlatch.propose_decisions(
              'many',
              (select jsonb_agg(test.a_decision(jsonb_build_object('qty', '1', 'symbol', case when n <= 200 then 'GOOG' else 'AAPL' end)) order by n)
                 from generate_series(1, 300) as n)
            ) as p $$,
  $$ values (150::bigint, 60::bigint, 90::bigint, 0::bigint) $$,
  'of three hundred exactly those pass that fit'
);
select is(test.broken_promises(), '{}', 'every promise is kept');

select * from finish();
rollback;
