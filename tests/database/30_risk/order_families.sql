-- Orders that hang together are counted as one: a bracket and its exits, two exits of which one cancels the other.
begin;
select plan(21);

select test_support.hold_clock('2026-03-02 15:00:00Z');
create temporary table worlds (name text, account text, worker_id integer, decision_hash text);

-- An account whose decision, with p_members laid over a buy of 10 GOOG at 100, is being submitted.
create function pg_temp.given(p_name text, p_members jsonb)
returns text
language plpgsql
as $$
declare
  v_account constant text := test.given_account(p_name, '{"one_decision_per_signal": false}');
  v_worker_id constant integer := test.given_worker(v_account);
  v_decision_hash text;
begin
  v_decision_hash := test.given_submitting_decision(
    v_worker_id, '{"qty": "10", "order_type": "limit", "limit_price": "100", "reference_price": "100"}' || p_members
  );
  perform orderlatch.set_limit(k.limit_kind, 1000000000, v_account)
     from unnest('{open_orders,position_quantity,notional_a_day}'::text[]) as k(limit_kind);
  insert into worlds values (p_name, v_account, v_worker_id, v_decision_hash);
  return v_decision_hash;
end
$$;

-- What is counted before one more share is traded: {orders open, dollars of the day, as long as it can get, as short}.
create function pg_temp.counted(p_name text)
returns numeric[]
language sql
as $$
  select array_agg(s.without order by k.place)
    from worlds as w
   cross join (
     values (1, 'open_orders', 'buy'), (2, 'notional_a_day', 'buy'), (3, 'position_quantity', 'buy'), (4, 'position_quantity', 'sell')
   ) as k(place, limit_kind, action)
   cross join lateral orderlatch.preview_decision(
     w.account, test.a_decision(jsonb_build_object('qty', '1', 'action', k.action, 'reference_price', '100'))
   ) as p
   cross join lateral jsonb_to_recordset(p.inputs -> 'sums') as s(limit_id integer, without numeric)
    join orderlatch_data.risk_limits as l on l.limit_id = s.limit_id and l.limit_kind = k.limit_kind
   where w.name = p_name
$$;

create function pg_temp.show(p_name text, variadic p_orders jsonb[])
returns void
language sql
as $$
  select test_support.advance_clock('1 second');
  select orderlatch_data.take_orders(
           test.account_id(w.account),
           (
             select jsonb_agg(
                      test.order_document(w.decision_hash)
                        || jsonb_build_object('updated_at', orderlatch_data.canonical_time(orderlatch_data.clock())) || o.members
                    )
               from unnest(p_orders) as o(members)
           ),
           null, true
         )
    from worlds as w
   where w.name = p_name
$$;
create sequence fills;
create function pg_temp.fill(p_name text, p_order_id text, p_side text, p_qty numeric)
returns void
language sql
as $$
  select test.take_fills(
           jsonb_build_array(
             jsonb_build_object(
               'id', 'activity::' || nextval('fills'), 'activity_type', 'FILL', 'type', 'fill',
               'transaction_time', orderlatch_data.canonical_time(orderlatch_data.clock()),
               'order_id', coalesce(p_order_id, 'order-' || test.decision_id(w.decision_hash)), 'symbol', 'GOOG', 'side', p_side,
               'price', '100', 'qty', p_qty::text
             )
           ),
           w.account
         )
    from worlds as w
   where w.name = p_name
$$;
create function pg_temp.leg(p_id text, p_type text, p_members jsonb default '{}')
returns jsonb
language sql
as $$
  select jsonb_build_object(
           'id', p_id, 'client_order_id', p_id, 'symbol', 'GOOG', 'side', 'sell', 'qty', '10', 'filled_qty', '0', 'filled_avg_price', null,
           'type', p_type, 'order_type', p_type, 'limit_price', case p_type when 'limit' then '110' end,
           'stop_price', case p_type when 'stop' then '90' end, 'status', 'held', 'submitted_at', '2026-03-02T15:00:00Z'
         ) || p_members
$$;

-- A bracket ---------------------------------------------------------------------------------------------------------------

select pg_temp.given('bracket', '{"order_class": "bracket", "take_profit": {"limit_price": "110"}, "stop_loss": {"stop_price": "90"}}');
select is(pg_temp.counted('bracket'), '{1,1000,10,0}', 'of a bracket on its way the entry counts; its exits only give back what it takes');
select test.record(
         test.answer_order(
           test.holder(w.decision_hash),
           jsonb_build_object('order_class', 'bracket', 'legs', jsonb_build_array(pg_temp.leg('profit', 'limit'), pg_temp.leg('loss', 'stop')))
         )
       )
  from worlds as w where w.name = 'bracket';
select is(pg_temp.counted('bracket'), '{1,1000,10,0}', 'and so at the broker: three orders there are one here');
select pg_temp.fill('bracket', null, 'buy', 4);
select is(
  pg_temp.counted('bracket'), '{1,1000,10,0}', 'filled in part, the position can grow on, or fall back to what it was before'
);
select orderlatch.set_limit('short_selling', 0, 'bracket');
select is(
  (select p.reasons from orderlatch.preview_decision('bracket', test.a_decision('{"action": "sell", "qty": "4"}')) as p),
  '{short_selling}', 'shares that its exits are going to sell cannot be sold a second time'
);
select orderlatch.set_limit('short_selling', 0, 'bracket', p_enabled => false);
select is(
  (select p.reasons from orderlatch.preview_decision('bracket', test.a_decision('{"action": "sell", "qty": "4"}')) as p),
  '{}', 'unless the account may be short'
);
select pg_temp.fill('bracket', null, 'buy', 6);
select pg_temp.show('bracket', '{"order_class": "bracket", "status": "filled", "filled_qty": "10", "filled_avg_price": "100"}');
select pg_temp.show('bracket', pg_temp.leg('profit', 'limit', '{"status": "new"}'), pg_temp.leg('loss', 'stop'));
select is(pg_temp.counted('bracket'), '{1,1000,10,0}', 'filled, its exits are one open order: one of them cancels the other');
select pg_temp.fill('bracket', 'profit', 'sell', 3);
select is(pg_temp.counted('bracket'), '{1,1000,7,0}', 'an exit that has sold three leaves seven to sell, whatever the other still shows');
select pg_temp.show('bracket', pg_temp.leg('loss-2', 'stop', '{"status": "new", "qty": "7", "replaces": "loss"}'));
select is(pg_temp.counted('bracket'), '{1,1000,7,0}', 'a stop that was moved is no further order');
select pg_temp.fill('bracket', 'profit', 'sell', 7);
select pg_temp.show(
  'bracket', pg_temp.leg('profit', 'limit', '{"status": "filled", "filled_qty": "10", "filled_avg_price": "100"}'),
  pg_temp.leg('loss', 'stop', '{"status": "replaced"}'), pg_temp.leg('loss-2', 'stop', '{"status": "canceled", "qty": "7", "replaces": "loss"}')
);
select is(pg_temp.counted('bracket'), '{0,1000,0,0}', 'once an exit is filled and the other canceled nothing is left');
select is(
  (select s.qty from orderlatch_data.strategy_positions as s where s.account_id = test.account_id('bracket')), 0::numeric,
  'the strategy holds nothing any more: exits are its trades too'
);

-- Two exits ----------------------------------------------------------------------------------------------------------------

select pg_temp.given(
  'exits',
  '{"order_class": "oco", "action": "sell", "limit_price": null, "take_profit": {"limit_price": "110"}, "stop_loss": {"stop_price": "90"}}'
);
select orderlatch.adjust_position('exits', 'GOOG', 10, 'opening', 'taken over');
select is(pg_temp.counted('exits'), '{1,1100,10,0}', 'two exits on their way sell what is held once, and are worth the higher of them');
select test.record(
         test.answer_order(
           test.holder(w.decision_hash),
           jsonb_build_object(
             'order_class', 'oco', 'limit_price', '110', 'status', 'new', 'legs', jsonb_build_array(pg_temp.leg('oco-loss', 'stop'))
           )
         )
       )
  from worlds as w where w.name = 'exits';
select is(pg_temp.counted('exits'), '{1,1100,10,0}', 'and so at the broker');
select pg_temp.show('exits', '{"order_class": "oco", "limit_price": "110", "status": "canceled"}');
select pg_temp.show('exits', pg_temp.leg('oco-loss', 'stop', '{"status": "new"}'));
select is(pg_temp.counted('exits'), '{1,1000,10,0}', 'when the stop is at work it is the one that counts');
select pg_temp.fill('exits', 'oco-loss', 'sell', 10);
select pg_temp.show('exits', pg_temp.leg('oco-loss', 'stop', '{"status": "filled", "filled_qty": "10", "filled_avg_price": "100"}'));
select is(pg_temp.counted('exits'), '{0,1000,0,0}', 'filled, it has sold what was held, and counts for the day');

-- An entry with one exit, sold short -----------------------------------------------------------------------------------------

select pg_temp.given('oto', '{"order_class": "oto", "action": "sell", "stop_loss": {"stop_price": "110"}}');
select is(pg_temp.counted('oto'), '{1,1000,0,10}', 'a short entry counts on the short side');
select test.record(
         test.answer_order(
           test.holder(w.decision_hash),
           jsonb_build_object(
             'order_class', 'oto', 'legs',
             jsonb_build_array(pg_temp.leg('oto-loss', 'stop', '{"side": "buy", "stop_price": "110"}'))
           )
         )
       )
  from worlds as w where w.name = 'oto';
select pg_temp.fill('oto', null, 'sell', 10);
select is(pg_temp.counted('oto'), '{1,1000,0,10}', 'its exit buys back what it sold, and nothing beyond');

-- Orders of nobody, and what must not be ---------------------------------------------------------------------------------------

select pg_temp.given('strangers', '{}');
select test.record(test.answer_error(test.holder(w.decision_hash), 403, 40310000, 'insufficient buying power'))
  from worlds as w where w.name = 'strangers';
select pg_temp.show(
  'strangers',
  jsonb_build_object(
    'id', 'entry', 'client_order_id', 'by-hand', 'status', 'new', 'legs',
    jsonb_build_array(pg_temp.leg('their-profit', 'limit'), pg_temp.leg('their-loss', 'stop'))
  )
);
select is(pg_temp.counted('strangers'), '{1,0,10,0}', 'a bracket placed by hand counts like one of ours, but not for the day');
select pg_temp.fill('strangers', 'entry', 'buy', 10);
select pg_temp.show(
  'strangers', '{"id": "entry", "client_order_id": "by-hand", "status": "filled", "filled_qty": "10", "filled_avg_price": "100"}',
  pg_temp.leg('their-profit', 'limit', '{"status": "new"}')
);
select is(pg_temp.counted('strangers'), '{1,0,10,0}', 'filled, its exits sell what it bought once');
select pg_temp.given('twice', '{}');
select test.record(test.answer_order(test.holder(w.decision_hash))) from worlds as w where w.name = 'twice';
select pg_temp.show('twice', '{"id": "second"}');
select is(test.incidents(), '{duplicate_order}', 'a second order of a decision is an incident');
select is(pg_temp.counted('twice'), '{2,1000,20,0}', 'and counts beside the first');
select is(test.broken_promises(), '{}', 'every promise is kept');

select * from finish();
rollback;
