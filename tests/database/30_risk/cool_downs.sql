-- How far back a verdict looks for orders: as far as the longest cool-down and the day, whichever began earlier.
begin;
select plan(13);

select test_support.hold_clock('2026-03-02 15:00:00Z');
create function pg_temp.reasons(p_account text, p_members jsonb default '{}')
returns text[]
language sql
as $$
  select p.reasons
    from orderlatch.propose_decision(
           p_account, test.a_decision('{"strategy_id": "calm", "qty": "4", "order_type": "limit", "limit_price": "100"}'::jsonb || p_members)
         ) as p
$$;

-- Of two cool-downs the longer one counts, whichever was set first.
select test.given_account('two', '{"one_decision_per_signal": false}');
select orderlatch.set_limit('cool_down', 3600, 'two', 'calm'), orderlatch.set_limit('cool_down', 60, 'two');
select is(pg_temp.reasons('two'), '{}', 'the first order');
select test_support.advance_clock('30 minutes');
select is(pg_temp.reasons('two'), '{cool_down}', 'an hour''s cool-down of the strategy goes on when the minute of the account is over');
select is(pg_temp.reasons('two', '{"strategy_id": "hasty"}'), '{}', 'for no other strategy');

-- A short cool-down does not shorten the day.
select test.given_account('day', '{"one_decision_per_signal": false}');
select orderlatch.set_limit('orders_a_day', 1, 'day'), orderlatch.set_limit('cool_down', 60, 'day');
select is(pg_temp.reasons('day'), '{}', 'the first order of the day');
select test_support.advance_clock('1 hour');
select is(pg_temp.reasons('day'), '{orders_a_day}', 'counts when the cool-down is long over');

-- Nor does midnight end a cool-down.
select test.given_account('night', '{"one_decision_per_signal": false, "day_time_zone": "UTC"}');
select orderlatch.set_limit('orders_a_day', 1, 'night'), orderlatch.set_limit('cool_down', 7200, 'night');
select test_support.hold_clock('2026-03-02 23:00:00Z');
select is(pg_temp.reasons('night'), '{}', 'the last order of a day');
select test_support.hold_clock('2026-03-03 00:30:00Z');
select is(pg_temp.reasons('night'), '{cool_down}', 'cools down into the next day, of which it is no order');
select test_support.hold_clock('2026-03-03 01:00:00Z');
select is(pg_temp.reasons('night'), '{}', 'until two hours are over');

-- Of several orders the last one counts, whoever's it is.
select test.given_account('several', '{"one_decision_per_signal": false}');
select orderlatch.set_limit('orders_a_day', 9, 'several');
select is(pg_temp.reasons('several'), '{}', 'an order');
select test_support.advance_clock('90 minutes');
select is(pg_temp.reasons('several'), '{}', 'and another one later');
select orderlatch.set_limit('cool_down', 3600, 'several');
select is(pg_temp.reasons('several'), '{cool_down}', 'a cool-down begins at the last of them');
select test_support.advance_clock('90 minutes');
select is(pg_temp.reasons('several', '{"strategy_id": "early"}'), '{}', 'and is over when no order was made for an hour');
select is(pg_temp.reasons('several'), '{cool_down}', 'that of the account begins with an order of any strategy');

select * from finish();
rollback;
