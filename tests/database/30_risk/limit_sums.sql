-- What limits that add up count of a decision, from its approval until its order has ended and all fills are booked.
begin;
select plan(32);

select test_support.hold_clock('2026-03-02 15:00:00Z');

-- One account for each state of a decision to buy 10 GOOG at 100 dollars at most.
create temporary table worlds (name text, account text, worker_id integer, decision_hash text);
create function pg_temp.given(p_name text, p_status text, p_members jsonb default '{}')
returns text
language plpgsql
as $$
declare
  v_account constant text := test.given_account('account-' || replace(p_name, ' ', '-'), '{"one_decision_per_signal": false}');
  v_worker_id constant integer := test.given_worker(v_account);
  v_decision_hash text;
begin
  v_decision_hash := test.given_decision_in(
    p_status, v_worker_id,
    '{"symbol": "GOOG", "qty": "10", "order_type": "limit", "limit_price": "100"}'
      -- what is rejected lacks its price
      || case p_status when 'rejected' then '{"limit_price": null}'::jsonb else '{}' end || p_members
  );
  perform orderlatch.set_limit(k.limit_kind, 1000000000, v_account)
     from unnest('{open_orders,orders_a_day,notional_a_day,position_quantity,position_notional,gross_exposure}'::text[])
          as k(limit_kind);
  insert into worlds values (p_name, v_account, v_worker_id, v_decision_hash);
  return v_decision_hash;
end
$$;

-- What each limit counts before one more share is bought at 100: {open orders, of the day, dollars of the day, position,
-- its worth, exposure}.
create function pg_temp.counted(p_name text, p_members jsonb default '{}')
returns numeric[]
language sql
as $$
  select array_agg(s.without order by array_position(
           '{open_orders,orders_a_day,notional_a_day,position_quantity,position_notional,gross_exposure}', l.limit_kind
         ))
    from worlds as w
   cross join lateral orderlatch.preview_decision(
     w.account,
     test.a_decision('{"symbol": "GOOG", "qty": "1", "order_type": "limit", "limit_price": "100"}' || p_members)
   ) as p
   cross join lateral jsonb_to_recordset(p.inputs -> 'sums') as s(limit_id integer, without numeric)
    join orderlatch_data.risk_limits as l on l.limit_id = s.limit_id
   where w.name = p_name
$$;

-- The broker shows the order of a world, and its account's fills.
create function pg_temp.show(p_name text, p_members jsonb)
returns void
language sql
as $$
  select orderlatch_data.take_orders(
           test.account_id(w.account),
           jsonb_build_array(
             test.order_document(
               w.decision_hash,
               jsonb_build_object('updated_at', orderlatch_data.canonical_time(orderlatch_data.clock())) || p_members
             )
           ),
           null, true
         )
    from worlds as w
   where w.name = p_name
$$;
create sequence fills;
create function pg_temp.fill(p_name text, p_qty numeric, p_price numeric, p_members jsonb default '{}')
returns void
language sql
as $$
  select test.take_fills(
           jsonb_build_array(
             jsonb_build_object(
               'id', 'activity::' || nextval('fills'), 'activity_type', 'FILL', 'type', 'fill',
               'transaction_time', orderlatch_data.canonical_time(orderlatch_data.clock()),
               'order_id', 'order-' || test.decision_id(w.decision_hash), 'symbol', 'GOOG', 'side', 'buy',
               'price', p_price::text, 'qty', p_qty::text
             ) || p_members
           ),
           w.account
         )
    from worlds as w
   where w.name = p_name
$$;

-- Before the broker has it ---------------------------------------------------------------------------------------------

select pg_temp.given(s.status, s.status)
  from unnest('{planned,approved,submitting,in_doubt,submitted,rejected,refused,withdrawn,lapsed}'::text[]) as s(status);
select is(pg_temp.counted('planned'), '{0,0,0,0,0,0}', 'a decision that is not judged counts nothing');
select is(pg_temp.counted(s.status), '{1,1,1000,10,1000,1000}', format('a decision that is %s counts in full', s.status))
  from unnest('{approved,submitting,in_doubt}'::text[]) as s(status);
select is(pg_temp.counted('submitted'), '{1,1,1000,10,1000,1000}', 'an order that was just answered counts in full');
select is(pg_temp.counted(s.status), '{0,0,0,0,0,0}', format('a decision that is %s is given back', s.status))
  from unnest('{rejected,refused,withdrawn,lapsed}'::text[]) as s(status);
select pg_temp.given('throttled', 'submitting');
select test.record(test.answer_error(test.holder(w.decision_hash), 429, 42910000, 'rate limit exceeded'))
  from worlds as w where w.name = 'throttled';
select is(pg_temp.counted('throttled'), '{1,1,1000,10,1000,1000}', 'a decision that was throttled and must be looked up counts in full');
select pg_temp.given('adopted', 'in_doubt');
select orderlatch.resolve_in_doubt(w.decision_hash, 'adopt', '{"broker_order_id": "seen-by-hand"}') from worlds as w where w.name = 'adopted';
select is(pg_temp.counted('adopted'), '{1,1,1000,10,1000,1000}', 'an order that an operator adopted unseen counts as it was decided');

-- While it fills -------------------------------------------------------------------------------------------------------

select test_support.advance_clock('1 second');
select pg_temp.given('filling', 'submitted');
select pg_temp.show('filling', '{"status": "partially_filled", "filled_qty": "4", "filled_avg_price": "99"}');
select is(
  pg_temp.counted('filling'), '{1,1,1000,10,1000,1000}', 'what is filled and not booked yet still counts in full, once'
);
select pg_temp.fill('filling', 4, 99);
select is(
  pg_temp.counted('filling'), '{1,1,996,10,996,996}', 'booked, four shares are held at 99 and six may still be bought at 100'
);
select test_support.advance_clock('1 second');
select pg_temp.show('filling', '{"status": "canceled", "filled_qty": "4", "filled_avg_price": "99"}');
select is(
  pg_temp.counted('filling'), '{0,1,396,4,396,396}', 'of a canceled order the remainder is given back, what was filled is not'
);
select pg_temp.given('late fill', 'submitted');
select pg_temp.show('late fill', '{"status": "filled", "filled_qty": "10", "filled_avg_price": "99.5"}');
select is(
  pg_temp.counted('late fill'), '{0,1,995,10,995,995}', 'a filled order counts as it was filled while its fills are not booked'
);
select pg_temp.fill('late fill', 10, 99.5);
select is(pg_temp.counted('late fill'), '{0,1,995,10,995,995}', 'and the same when they are');
select pg_temp.given('early fill', 'submitted');
select pg_temp.fill('early fill', 10, 99.5);
select is(
  pg_temp.counted('early fill'), '{1,1,995,10,995,995}', 'a fill that is booked before the order is shown filled counts once'
);
select pg_temp.given('nothing', 'submitted');
select pg_temp.show('nothing', '{"status": "expired"}');
select is(pg_temp.counted('nothing'), '{0,1,0,0,0,0}', 'an order that ends unfilled leaves one order of the day, and no dollars');

-- A bust takes the position back, and its order is filled no more.
select pg_temp.fill('late fill', 10, 99.5, jsonb_build_object('type', 'trade_bust', 'previous_execution_id', '2'));
select is(pg_temp.counted('late fill'), '{0,1,0,0,0,0}', 'a busted trade is given back');

-- By notional ----------------------------------------------------------------------------------------------------------

select pg_temp.given(
  'dollars', 'submitted', '{"qty": null, "notional": "500", "order_type": "market", "limit_price": null, "reference_price": "100"}'
);
select is(pg_temp.counted('dollars'), '{1,1,500,5,500,500}', 'dollars count as what they buy at the reference');
select pg_temp.fill('dollars', 2, 90);
select is(pg_temp.counted('dollars'), '{1,1,500,5.2,500,500}', 'what is spent of them has bought what it has');

-- Without a price ------------------------------------------------------------------------------------------------------

select pg_temp.given('no price', 'approved', '{"order_type": "market", "limit_price": null, "reference_price": null}');
select is(
  pg_temp.counted('no price'), '{1,1,NULL,10,NULL,NULL}', 'an order without any price makes sums of dollars unknown'
);
select is(
  (select p.reasons from worlds as w, orderlatch.preview_decision(w.account, test.a_decision('{"symbol": "GOOG", "qty": "1"}')) as p
    where w.name = 'no price'),
  '{missing_price}', 'and whatever would add to them is rejected'
);
select pg_temp.given('known price', 'submitted');
select pg_temp.fill('known price', 10, 80);
select pg_temp.show('known price', '{"status": "filled", "filled_qty": "10", "filled_avg_price": "80"}');
select test_support.advance_clock('1 second');
select orderlatch_data.save_broker_positions(
         test.account_id(w.account), '[{"symbol": "GOOG", "qty": "10", "avg_entry_price": "80", "current_price": "82"}]'
       )
  from worlds as w where w.name = 'known price';
select is(pg_temp.counted('known price'), '{0,1,800,10,820,820}', 'what is held is worth what the broker last listed');
select test_support.advance_clock('1 second');
select pg_temp.fill('known price', 1, 90, '{"order_id": "somebody-elses"}');
select is(
  pg_temp.counted('known price'), '{1,1,800,11,990,990}', 'and what it last traded at, when that is newer; a stranger''s trade is held too'
);

-- Chains and strangers -------------------------------------------------------------------------------------------------

select pg_temp.given('chain', 'submitted');
select pg_temp.fill('chain', 3, 100);
create function pg_temp.show_other(p_name text, p_members jsonb)
returns void
language sql
as $$
  select orderlatch_data.take_orders(
           test.account_id(w.account),
           jsonb_build_array(
             test.order_document(w.decision_hash) || jsonb_build_object(
               'client_order_id', gen_random_uuid(),
               'updated_at', orderlatch_data.canonical_time(orderlatch_data.clock())
             ) || p_members
           ),
           null, true
         )
    from worlds as w
   where w.name = p_name
$$;
select pg_temp.show_other(
         'chain',
         jsonb_build_object(
           'id', 'next', 'replaces', 'order-' || test.decision_id(w.decision_hash), 'qty', '12', 'limit_price', '101', 'status', 'new'
         )
       )
  from worlds as w where w.name = 'chain';
select is(
  pg_temp.counted('chain'), '{1,1,1512,15,1512,1512}', 'of an order and what replaces it, both open, the larger counts: it is one order'
);
select test_support.advance_clock('1 second');
select pg_temp.show('chain', '{"status": "replaced", "filled_qty": "3", "filled_avg_price": "100", "replaced_by": "next"}');
select pg_temp.fill('chain', 9, 101, '{"order_id": "next"}');
select pg_temp.show_other(
         'chain',
         jsonb_build_object(
           'id', 'next', 'replaces', 'order-' || test.decision_id(w.decision_hash), 'qty', '12', 'status', 'filled', 'filled_qty', '12',
           'filled_avg_price', '100.75'
         )
       )
  from worlds as w where w.name = 'chain';
select is(
  pg_temp.counted('chain'), '{0,1,1209,12,1212,1212}', 'a replacement that shows what its predecessor filled counts that once'
);
select pg_temp.given('strangers', 'rejected');
select pg_temp.show_other('strangers', '{"id": "by-hand", "qty": "7", "limit_price": "100", "type": "limit", "status": "new"}');
select is(
  pg_temp.counted('strangers'), '{1,0,0,7,700,700}', 'an order placed by hand counts in what is open and held, not in the day'
);
select pg_temp.show_other('strangers', '{"id": "gone", "qty": "5", "limit_price": "100", "type": "limit", "status": "canceled"}');
select is(pg_temp.counted('strangers'), '{1,0,0,7,700,700}', 'one that has ended does not');
select pg_temp.given('vanished', 'submitted');
update orderlatch_data.broker_orders as b set status = 'vanished', is_open = false
  from worlds as w where w.name = 'vanished' and b.decision_id = test.decision_id(w.decision_hash);
select is(pg_temp.counted('vanished'), '{0,1,0,0,0,0}', 'an order that the broker does not have any more is given back');
select orderlatch.adjust_position(w.account, 'GOOG', 30, 'opening', 'taken over') from worlds as w where w.name = 'vanished';
select is(
  pg_temp.counted('vanished'), '{0,1,0,30,NULL,NULL}', 'shares that came without a trade are held, and have no price until one is known'
);
select is(test.broken_promises(), '{}', 'every promise is kept');

select * from finish();
rollback;
