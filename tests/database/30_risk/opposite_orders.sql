-- Orders that the broker would take for wash trades are rejected before they are sent, by its own table.
begin;
select plan(73);

select test_support.hold_clock('2026-03-02 15:00:00Z');
create sequence accounts;

-- An order that the broker shows: of the account's own decision, or placed by hand.
create function pg_temp.shown(p_account text, p_members jsonb)
returns void
language sql
as $$
  select orderlatch_data.take_orders(
           test.account_id(p_account),
           jsonb_build_array(
             jsonb_build_object(
               'id', 'by-hand-' || nextval('accounts'), 'client_order_id', gen_random_uuid(), 'symbol', 'GOOG', 'qty', '1',
               'filled_qty', '0', 'side', 'buy', 'type', 'market', 'time_in_force', 'day', 'status', 'accepted',
               'created_at', '2026-03-02T14:00:00Z', 'submitted_at', '2026-03-02T14:00:00Z', 'updated_at', '2026-03-02T14:00:00Z'
             ) || p_members
           ),
           null, true
         )
$$;

-- The reasons that an order gets while another one is open at the broker.
create function pg_temp.meet(p_open jsonb, p_new jsonb)
returns text[]
language plpgsql
as $$
declare
  v_account constant text := test.given_account('account-' || nextval('accounts'));
begin
  perform pg_temp.shown(v_account, p_open);
  return (select p.reasons from orderlatch.propose_decision(v_account, test.a_decision(p_new)) as p);
end
$$;

-- The broker's table ----------------------------------------------------------------------------------------------------

-- Every pair of types of the two sides, the buy at 100 and the sale a cent above, at the same price, and a cent below.
create temporary table pairs as
  select o.open_type, o.new_type, s.side, d.distance,
         case
           when 'market' in (o.open_type, o.new_type) or 'stop' in (o.open_type, o.new_type) then '{opposite_order:market_or_stop}'::text[]
           when d.distance <= 0 then '{opposite_order:prices_cross}'
           else '{}'
         end as reasons
    from (
      select a.type as open_type, b.type as new_type
        from unnest('{market,limit,stop,stop_limit}'::text[]) as a(type)
       cross join unnest('{market,limit,stop,stop_limit}'::text[]) as b(type)
    ) as o
   cross join unnest('{buy,sell}'::text[]) as s(side)
   cross join unnest('{0.01,0,-0.01}'::numeric[]) as d(distance)
   -- the distance says nothing where one of them names no limit
   where d.distance = 0.01 or (o.open_type in ('limit', 'stop_limit') and o.new_type in ('limit', 'stop_limit'));
create function pg_temp.priced(p_type text, p_limit numeric)
returns jsonb
language sql
as $$
  select jsonb_strip_nulls(
           jsonb_build_object(
             'limit_price', case when p_type in ('limit', 'stop_limit') then p_limit::text end,
             'stop_price', case when p_type in ('stop', 'stop_limit') then '100' end
           )
         )
$$;
select is(
         pg_temp.meet(
           jsonb_build_object('side', case p.side when 'buy' then 'sell' else 'buy' end, 'type', p.open_type, 'status', 'accepted')
             || pg_temp.priced(p.open_type, case p.side when 'buy' then 100 + p.distance else 100 end),
           jsonb_build_object('action', p.side, 'order_type', p.new_type)
             || pg_temp.priced(p.new_type, case p.side when 'buy' then 100 else 100 + p.distance end)
         ),
         p.reasons,
         format('a %s to %s, while a %s is open on the other side%s', p.new_type, p.side, p.open_type,
                case when p.reasons = '{opposite_order:market_or_stop}' then ', is rejected'
                     else format(', with %s between them', p.distance) end)
       )
  from pairs as p
 order by p.side, p.open_type, p.new_type, p.distance desc;

-- What does not conflict -------------------------------------------------------------------------------------------------

select is(pg_temp.meet(c.open, c.new), c.reasons, c.title)
  from (
    values
      ('{"side": "buy"}'::jsonb, '{}'::jsonb, '{}'::text[], 'an order of the same side does not conflict'),
      ('{"side": "sell", "symbol": "AAPL"}', '{}', '{}', 'an order of another symbol does not'),
      ('{"side": "sell", "type": "limit", "limit_price": "1", "status": "filled"}', '{}', '{}', 'one that has ended does not'),
      ('{"side": "sell", "type": "limit", "limit_price": "500", "status": "pending_new"}', '{}', '{}',
       'one that the broker has just taken may be filled already'),
      ('{"side": "sell", "status": "new"}', '{}', '{}', 'a market order is filled in a moment'),
      ('{"side": "sell", "status": "accepted_for_bidding"}', '{}', '{opposite_order:market_or_stop}', 'unless it waits for the market to open'),
      ('{"side": "sell", "type": "limit", "limit_price": "500", "status": "pending_cancel"}', '{}', '{opposite_order:market_or_stop}',
       'one that is being canceled is open'),
      ('{"side": "sell", "type": "trailing_stop", "trail_price": "1", "stop_price": "180"}', '{}', '{}', 'an open trailing stop is exempt'),
      ('{"side": "sell", "type": "stop", "stop_price": "180"}', '{"order_type": "trailing_stop", "trail_price": "1"}', '{}',
       'a new trailing stop is exempt'),
      ('{"side": "sell", "type": "stop", "stop_price": "180"}',
       '{"order_class": "bracket", "take_profit": {"limit_price": "200"}, "stop_loss": {"stop_price": "180"}}', '{}', 'a new bracket is exempt'),
      ('{"side": "sell", "symbol": "BTC/USD", "type": "limit", "limit_price": "5"}', '{"symbol": "btc/usd", "time_in_force": "gtc"}',
       '{opposite_order:market_or_stop}', 'pairs conflict like shares')
  ) as c(open, new, reasons, title);

-- Our own decisions --------------------------------------------------------------------------------------------------------

select test.given_account();
create function pg_temp.propose(p_members jsonb)
returns text[]
language sql
as $$ select p.reasons from orderlatch.propose_decision('paper', test.a_decision(p_members)) as p $$;
select is(pg_temp.propose('{"action": "sell", "order_type": "stop", "stop_price": "180"}'), '{}', 'a stop is approved');
select is(pg_temp.propose('{}'), '{opposite_order:market_or_stop}', 'a buy conflicts with it before it is sent');
select is(
  pg_temp.propose('{"strategy_id": "reversal", "order_type": "limit", "limit_price": "100"}'), '{opposite_order:market_or_stop}',
  'so does one of another strategy: the broker knows one account only'
);
select is(pg_temp.propose('{"symbol": "AAPL", "order_type": "limit", "limit_price": "100"}'), '{}', 'a limit is approved');
select is(
  pg_temp.propose('{"symbol": "AAPL", "action": "sell"}'), '{}', 'whether a limit on its way will rest or fill nobody knows here: the broker says'
);
select results_eq(
  $$ select p.input_no, p.reasons
       from orderlatch.propose_decisions(
              'paper',
              jsonb_build_array(
                test.a_decision('{"symbol": "MSFT", "order_type": "stop_limit", "stop_price": "100", "limit_price": "101"}'),
                test.a_decision('{"symbol": "MSFT", "action": "sell", "order_type": "limit", "limit_price": "101.01"}'),
                test.a_decision('{"symbol": "MSFT", "action": "sell", "order_type": "limit", "limit_price": "101"}'),
                test.a_decision('{"symbol": "MSFT", "action": "sell"}')
              )
            ) as p $$,
  $$ values (1, '{}'::text[]), (2, '{}'), (3, '{opposite_order:prices_cross}'), (4, '{opposite_order:market_or_stop}') $$,
  'decisions of one batch conflict with each other'
);

-- A buy stop comes back from the broker as a stop limit, and is a stop still.
select test.given_account('rewritten');
create temporary table rewritten as select test.given_worker('rewritten') as worker_id;
select test.given_submitting_decision(r.worker_id, '{"order_type": "stop", "stop_price": "200"}') from rewritten as r;
select test.record(test.answer_order(q.request_id, '{"type": "stop_limit", "order_type": "stop_limit", "limit_price": "205", "status": "new"}'))
  from orderlatch_data.open_requests as q where q.kind = 'submit_order';
select results_eq(
  $$ select p.reasons
       from orderlatch.propose_decision('rewritten', test.a_decision('{"action": "sell", "order_type": "limit", "limit_price": "210"}')) as p $$,
  $$ values ('{opposite_order:market_or_stop}'::text[]) $$, 'an order is what was decided, not what the broker makes of it'
);
select set_eq(
  $$ select b.order_type from orderlatch_data.broker_orders as b where b.account_id = test.account_id('rewritten') $$,
  $$ values ('stop_limit') $$, 'the broker did rewrite it'
);

-- A bracket's own exits, and the switch -------------------------------------------------------------------------------------

select test.given_account('bracket');
create temporary table bracket as
  select w.worker_id,
         test.given_submitting_decision(
           w.worker_id, '{"order_class": "bracket", "take_profit": {"limit_price": "200"}, "stop_loss": {"stop_price": "180"}}'
         ) as decision_hash
    from (select test.given_worker('bracket') as worker_id) as w;
select test.record(
         test.answer_order(
           test.holder(b.decision_hash),
           '{"order_class": "bracket", "status": "filled", "filled_qty": "10", "filled_avg_price": "190", "legs": [
              {"id": "profit", "side": "sell", "symbol": "GOOG", "qty": "10", "type": "limit", "limit_price": "200", "status": "new",
               "filled_qty": "0", "submitted_at": "2026-03-02T15:00:00Z"},
              {"id": "loss", "side": "sell", "symbol": "GOOG", "qty": "10", "type": "stop", "stop_price": "180", "status": "held",
               "filled_qty": "0", "submitted_at": "2026-03-02T15:00:00Z"}]}'
         )
       )
  from bracket as b;
select results_eq(
  $$ select p.reasons from orderlatch.propose_decision('bracket', test.a_decision()) as p $$, $$ values ('{}'::text[]) $$,
  'the exits of a bracket are exempt, as the broker exempts them'
);
select pg_temp.shown('bracket', '{"side": "sell", "type": "limit", "limit_price": "500"}');
select results_eq(
  $$ select p.reasons from orderlatch.propose_decision('bracket', test.a_decision()) as p $$,
  $$ values ('{opposite_order:market_or_stop}'::text[]) $$, 'an order placed by hand conflicts'
);
select orderlatch.set_limit('opposite_order', 0, 'bracket', p_enabled => false);
select results_eq(
  $$ select p.reasons from orderlatch.propose_decision('bracket', test.a_decision()) as p $$, $$ values ('{}'::text[]) $$,
  'an account may switch the check off, and leave it to the broker'
);
-- In doubt before anybody approved it ---------------------------------------------------------------------------------------

select test.given_account('external', '{"risk_engine": "external"}');
create temporary table planned as
  select p.decision_hash
    from orderlatch.propose_decision('external', test.a_decision(
           '{"action": "sell", "order_type": "stop", "stop_price": "180"}')) as p;
select pg_temp.shown('external', jsonb_build_object(
         'client_order_id', p.decision_hash, 'side', 'buy', 'status', 'canceled'))
  from planned as p;
select is((select s.status from planned as p cross join orderlatch.decision_status(p.decision_hash) as s), 'in_doubt',
          'an order with its id, and other terms, was found');
select results_eq(
  $$ select cardinality(orderlatch_data.find_opposite(test.account_id('external'), '{GOOG}', '{buy}')) $$, $$ values (1) $$,
  'a decision in doubt that nobody approved is on the other side'
);
select is(test.broken_promises(), '{}', 'every promise is kept');

select * from finish();
rollback;
