-- The calendar day that limits of a day count by, in the time zone of the account.
begin;
select plan(18);

-- March 2, 15:00 UTC is 10:00 in New York; on March 8 the clocks there go forward.
select test_support.hold_clock('2026-03-02 15:00:00Z');
select test.given_account('york', '{"one_decision_per_signal": false}');
select test.given_account('utc', '{"one_decision_per_signal": false, "day_time_zone": "UTC"}');
create temporary table worker as select test.given_worker('york') as worker_id;
select orderlatch.set_limit('orders_a_day', 1), orderlatch.set_limit('notional_a_day', 1000);
create function pg_temp.reasons(p_account text, p_members jsonb default '{}')
returns text[]
language sql
as $$
  select p.reasons
    from orderlatch.propose_decision(
           p_account, test.a_decision('{"qty": "4", "order_type": "limit", "limit_price": "100"}'::jsonb || p_members)
         ) as p
$$;
select is(pg_temp.reasons('york'), '{}', 'the first order of the day');
select is(pg_temp.reasons('utc'), '{}', 'of another account, which has a day of its own');
select is(pg_temp.reasons('york', '{"qty": "7"}'), '{notional_a_day,orders_a_day}', 'the second is one too many, and too much');
select test_support.hold_clock('2026-03-02 23:59:59.999999Z');
select is(pg_temp.reasons('utc'), '{orders_a_day}', 'a microsecond before midnight it is still that day');
select test_support.hold_clock('2026-03-03 00:00:00Z');
select is(pg_temp.reasons('utc'), '{}', 'at midnight a new day begins');
select is(pg_temp.reasons('york'), '{orders_a_day}', 'in New York it is seven in the evening');
select test_support.hold_clock('2026-03-03 04:59:59.999999Z');
select is(pg_temp.reasons('york'), '{orders_a_day}', 'and a microsecond before midnight five hours later');
select test_support.hold_clock('2026-03-03 05:00:00Z');
select is(pg_temp.reasons('york'), '{}', 'where the new day begins then');
select test_support.hold_clock('2026-03-09 03:59:59.999999Z');
select is(pg_temp.reasons('york'), '{}', 'after the clocks went forward');
select is(pg_temp.reasons('york'), '{orders_a_day}', 'the day ends');
select test_support.hold_clock('2026-03-09 04:00:00Z');
select is(pg_temp.reasons('york'), '{}', 'an hour earlier');
select is(pg_temp.reasons('york', '{"qty": "7"}'), '{notional_a_day,orders_a_day}', 'and the order of midnight is one of the new day');

-- A decision belongs to the day of its approval, wherever it is sent.
select test_support.hold_clock('2026-03-10 03:59:00Z');
create temporary table late as
  select p.decision_hash
    from orderlatch.ensure_decision('york', test.a_decision('{"qty": "1", "order_type": "limit", "limit_price": "100"}')) as p;
select test_support.hold_clock('2026-03-10 04:01:00Z');
select is((select e.status from late as l, orderlatch.evaluate_decision(l.decision_hash) as e), 'approved', 'a decision recorded before midnight');
select is(pg_temp.reasons('york'), '{orders_a_day}', 'is an order of the day on which it was approved');

-- What is taken back is given back; what was sent and canceled was an order, of no dollars.
select orderlatch.withdraw_decision(l.decision_hash, 'the signal is gone') from late as l;
select is(pg_temp.reasons('york', '{"qty": "1"}'), '{}', 'a decision that is withdrawn gives the day its order back');
select orderlatch.set_limit('orders_a_day', 100);
create temporary table sent as select c.request_id from worker as w, test.claim_one(w.worker_id) as c;
select test.record(test.answer_order(s.request_id)) from sent as s;
select is(pg_temp.reasons('york', '{"qty": "9.01", "symbol": "AAPL"}'), '{notional_a_day}', 'nine hundred dollars are left');
select orderlatch_data.take_orders(
         test.account_id('york'),
         jsonb_build_array(
           test.order_document(test.decision_of(s.request_id), '{"status": "canceled", "updated_at": "2026-03-10T05:00:00Z"}')
         ),
         null, true
       )
  from sent as s;
select is(pg_temp.reasons('york', '{"qty": "10", "symbol": "AAPL"}'), '{}', 'a canceled order gives the day its dollars back');
select is(test.broken_promises(), '{}', 'every promise is kept');

select * from finish();
rollback;
