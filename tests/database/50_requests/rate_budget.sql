-- Every call costs a token of the account's bucket; submits leave the reserve; what waits for a token says so.
begin;
select plan(36);

select test_support.hold_clock('2026-03-02 15:00:00Z');
select test.given_account('paper', '{"rate_limit": 200, "burst": 20, "max_in_doubt": 100, "max_decision_age": "1 day"}');
select test.given_stranger() as worker \gset
create function pg_temp.tokens() returns numeric language sql volatile as $$
  select round(k.tokens::numeric, 6) from orderlatch_data.account_budgets as k where k.account_id = test.account_id()
$$;
-- Answers everything on its way: orders exist, and accounts are named.
create function pg_temp.answer_all() returns bigint language sql volatile as $$
  select count(test.record(
           case r.kind
             when 'get_account' then test.answer_account(r.request_id, 'paper-id')
             when 'get_order' then test.answer_maybe(r.request_id)
             else test.answer_order(r.request_id)
           end))
    from orderlatch_data.open_requests as r
$$;

-- Every kind costs one.
select is((select array_agg(c.kind) from test.claim(:worker) as c), '{get_account}', 'who am I');
select is(pg_temp.tokens(), 19::numeric, 'costs a token');
select pg_temp.answer_all();
select count(test.given_approved_decision('paper', jsonb_build_object('symbol', 'S' || n))) from generate_series(1, 40) as n;
select is((select count(*) from test.claim(:worker)), 17::bigint, 'submits are granted down to the reserve');
select is(pg_temp.tokens(), 2::numeric, 'each for a token');
select is(test.ask_again_ms(:worker), 339, 'the next claim is told when the next token for a submit comes');
select is((select distinct w.waits_for from orderlatch.waiting as w), 'the rate budget', 'the view waiting says what they wait for');
select results_eq(
  $$ select b.rate_limit, b.burst, b.refill_a_minute, b.may_call_now, b.may_submit_now, b.next_submit_at, b.spent_last_minute,
            b.paused_until, b.broker_limit, b.broker_remaining, b.broker_resets_at
       from orderlatch.budgets as b where b.account = 'paper' $$,
  $$ values (200, 20, 177.0, 2, 0, '2026-03-02 15:00:00.339Z'::timestamptz, 18::bigint, null::timestamptz, null::integer, null::integer,
             null::timestamptz) $$,
  'the view budgets shows all of it'
);

-- The reserve is for what submits leave behind.
select test.record(test.answer_maybe(r.request_id)) from (select r.* from orderlatch_data.open_requests as r order by 1 limit 4) as r;
select is(test.kinds(:worker), '{find_order,find_order}', 'lookups take the reserve');
select is(pg_temp.tokens(), 0::numeric, 'to its last token');
select is(test.kinds(:worker), '{}', 'then nothing is granted');
select is(test.ask_again_ms(:worker), 339, 'until there is a whole token');
select test_support.advance_clock('338 milliseconds');
select is(test.kinds(:worker), '{}', 'not a millisecond sooner');
select test_support.advance_clock('1 millisecond');
select is(test.kinds(:worker), '{find_order}', 'and it goes to what is most urgent');

-- A budget that refills while nobody looks at it is no fuller than its depth, and submits and reads share what comes.
select pg_temp.answer_all();
select test_support.advance_clock('1 hour');
select test.kinds(:worker);
select pg_temp.answer_all();
select orderlatch.halt('tests') as ignored;
select test_support.advance_clock('61 seconds');
select count(test.given_approved_decision('paper', jsonb_build_object('symbol', 'T' || n))) from generate_series(1, 40) as n;
insert into orderlatch_data.order_checks (account_id, broker_order_id, reason, next_try_at)
select test.account_id(), 'order-' || n, 'tests', orderlatch_data.clock() from generate_series(1, 40) as n;
select is((select count(*) from test.claim(:worker) as c where c.kind = 'get_order'), 20::bigint, 'reads may take all of it');
select orderlatch.lift_halt(h.halt_id, 'tests') from orderlatch.standing_halts as h;
-- a second of 180/61 tokens at a time, everything answered in between
create temporary table shared (kind text);
create function pg_temp.go_on(p_seconds integer) returns void language plpgsql as $$
begin
  for n in 1 .. p_seconds loop
    perform test_support.advance_clock('1 second');
    insert into shared select c.kind from test.claim((select max(w.worker_id) from orderlatch_data.workers as w)) as c;
    perform test.record(
        case r.kind when 'submit_order' then test.answer_order(r.request_id) else test.answer_maybe(r.request_id) end)
       from orderlatch_data.open_requests as r;
    delete from orderlatch_data.kind_backoffs;
    update orderlatch_data.order_checks set next_try_at = orderlatch_data.clock();
  end loop;
end
$$;
select pg_temp.go_on(10);
select is((select count(*) from shared), 28::bigint, 'in ten seconds 29 tokens come, and two halves of them are left');
select is((select count(*) from shared as s where s.kind = 'submit_order'), 26::bigint, 'nine of ten for submits, which are more urgent');
select is((select count(*) from shared as s where s.kind = 'get_order'), 2::bigint, 'and one for the reads that also wait: neither starves');
delete from orderlatch_data.order_checks;
delete from shared;
select pg_temp.go_on(4);
select is((select count(*) || ' ' || min(s.kind) from shared as s), '11 submit_order', 'when no reads wait the reserve fills up');
delete from shared;
select count(test.given_approved_decision('paper', jsonb_build_object('symbol', 'U' || n))) from generate_series(1, 200) as n;
select pg_temp.go_on(20);
select is((select count(*) || ' ' || min(s.kind) from shared as s), '59 submit_order', 'and then submits get all that comes');

-- The broker's headers lower it, its 429 pauses it.
select test_support.advance_clock('1 minute');
create temporary table said as
  select jsonb_build_object('x-ratelimit-limit', '200', 'x-ratelimit-remaining', '5', 'x-ratelimit-reset',
                            (extract(epoch from orderlatch_data.clock())::bigint + 30)::text) as headers;
select (test.claim_one(:worker)).request_id as told \gset
select test.record(test.answer_error(:'told', 403, 40310000, 'insufficient buying power', s.headers)) from said as s;
select is((select count(*) from test.claim(:worker)), 3::bigint, 'headers that leave five leave three for submits');
select is(test.ask_again_ms(:worker), 20000, 'which are on their way now');
select results_eq(
  $$ select b.may_call_now, b.may_submit_now, b.broker_limit, b.broker_remaining, b.broker_resets_at, b.next_submit_at from orderlatch.budgets as b $$,
  $$ select 2, 0, 200, 5, r.resets_at, r.resets_at
       from (select date_trunc('second', orderlatch_data.clock()) + interval '30 seconds' as resets_at) as r $$,
  'the view budgets shows what they say'
);
select pg_temp.answer_all();
select is((select b.may_call_now || ' ' || b.may_submit_now from orderlatch.budgets as b), '5 3', 'answered, they are in the broker''s count');
select test_support.advance_clock('30 seconds');
select is((select b.may_submit_now from orderlatch.budgets as b), 18, 'when the limit has reset the bucket alone counts');
-- A clock that is set back does not starve an account, neither by its own count nor by what the headers said before.
select test.record(test.answer_error((test.claim_one(:worker)).request_id, 403, 40310000, 'insufficient buying power', s.headers))
  from (select jsonb_build_object('x-ratelimit-limit', '200', 'x-ratelimit-remaining', '0', 'x-ratelimit-reset',
                                  (extract(epoch from orderlatch_data.clock())::bigint + 30)::text) as headers) as s;
select is((select b.may_call_now from orderlatch.budgets as b), 0, 'the headers leave nothing');
select test_support.advance_clock('-1 hour');
select count(test.given_approved_decision('paper', jsonb_build_object('symbol', 'V' || n))) from generate_series(1, 60) as n;
select is((select count(*) from test.claim(:worker)), 17::bigint, 'but an hour ago they had not been said');
select pg_temp.answer_all();
select test_support.advance_clock('5 seconds');
select is((select count(*) from test.claim(:worker)), 14::bigint, 'and five seconds on what comes in five seconds may be spent');
select pg_temp.answer_all();
select test_support.advance_clock('1 second');

select (test.claim_one(:worker)).request_id as told \gset
select test.record(test.answer_error(:'told', 429, 42910000, 'rate limit exceeded', '{"retry-after": "17"}'));
select is(test.kinds(:worker), '{}', 'after a 429 nothing is granted');
select is(test.ask_again_ms(:worker), 17000, 'until its pause ends');
select is((select b.paused_until - orderlatch_data.clock() from orderlatch.budgets as b), '17 seconds', 'as the view budgets says');
select is((select w.waits_for from orderlatch.waiting as w where w.waits_for <> 'a lookup, after it was throttled' limit 1),
          'the rate limit to reset', 'and the view waiting');

-- A change of the limit.
select pg_temp.answer_all();
select test_support.advance_clock('2 hours');
select orderlatch.update_account('paper', '{"rate_limit": 1000, "burst": null}');
select is((select b.burst || ' ' || b.refill_a_minute from orderlatch.budgets as b), '20 177.0', 'a higher limit than the broker''s last word waits for its next');
select test.record(test.answer_error((test.claim_one(:worker, 'find_order')).request_id, 404, 40410000, 'order not found', s.headers))
  from (select jsonb_build_object('x-ratelimit-limit', '1000', 'x-ratelimit-remaining', '900', 'x-ratelimit-reset',
                                  (extract(epoch from orderlatch_data.clock())::bigint + 30)::text) as headers) as s;
select is((select b.burst || ' ' || b.refill_a_minute from orderlatch.budgets as b), '100 885.2', 'a new limit has a new bucket');
select test_support.advance_clock('1 minute');
select is((select b.may_submit_now from orderlatch.budgets as b), 90, 'which fills up');
select is((select count(*) from orderlatch_data.account_budgets as k where k.reserved > k.tokens), 0::bigint, 'the reserve is always there');
select is(test.broken_promises(), '{}', 'no promise is broken');

select * from finish();
rollback;
