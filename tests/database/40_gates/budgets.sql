-- The arithmetic of the rate budget: how deep the bucket is, how fast it fills, what of it submits may take.
begin;
select plan(54);

select test_support.hold_clock('2026-03-02 15:00:00Z');

-- What a bucket is built of, for a limit and a burst.
create function pg_temp.built(p_limit integer, p_burst integer, p_broker_limit integer default null)
returns table (depth numeric, reserve numeric, refill_a_minute numeric, depth_and_61_s numeric)
language plpgsql
as $$
begin
  perform test.given_mirrored_account('built');
  update orderlatch_data.accounts set rate_limit = p_limit, burst = p_burst where account = 'built';
  update orderlatch_data.broker_limits as l
     set rate_limit = p_broker_limit, remaining = 5, resets_at = orderlatch_data.clock(), said_at = orderlatch_data.clock()
   where l.account_id = test.account_id('built') and p_broker_limit is not null;
  return query
  select b.depth::numeric, b.reserve::numeric, round(60 * b.refill::numeric, 3), round((b.depth + 61 * b.refill)::numeric, 6)
    from orderlatch_data.budgets_at(array[test.account_id('built')], orderlatch_data.clock()) as b;
  raise exception using errcode = 'ZZZZZ';
exception
  when sqlstate 'ZZZZZ' then
    null;
end
$$;
-- In a function with a handler nothing that was returned is lost with what is rolled back.
select results_eq(
         format('select * from pg_temp.built(%s, %s, %s)', c.rate_limit, coalesce(c.burst::text, 'null'), coalesce(c.broker::text, 'null')),
         format('values (%s::numeric, %s::numeric, %s::numeric, %s::numeric)', c.depth, c.reserve, c.refill, c.whole),
         format('a limit of %s, a burst of %s%s: %s deep, %s reserved, %s a minute', c.rate_limit, coalesce(c.burst::text, 'a tenth'),
                coalesce(', the broker says ' || c.broker, ''), c.depth, c.reserve, c.refill)
       )
  from (
    values
      (200, null, null, 20, '2', '177.049', 200), (1000, null, null, 100, '10', '885.246', 1000),
      (200, 4, null, 4, '1', '192.787', 200), (200, 2, null, 2, '1', '194.754', 200), (200, 100, null, 100, '10', '98.361', 200),
      (10, null, null, 2, '1', '7.869', 10), (209, null, null, 20, '2', '185.902', 209), (15, 7, null, 7, '1', '7.869', 15),
      -- the broker's word counts where it is less, and the burst shrinks with it
      (1000, null, 200, 20, '2', '177.049', 200), (200, null, 1000, 20, '2', '177.049', 200),
      (1000, 500, 100, 50, '5', '49.180', 100),
      -- but not below what a limit may be
      (200, null, 1, 2, '1', '7.869', 10)
  ) as c(rate_limit, burst, broker, depth, reserve, refill, whole);

-- A bucket in use: 20 deep, 2 reserved, 180/61 tokens a second.
select test.given_mirrored_account('used') as used \gset
create function pg_temp.left(p_tokens numeric, p_reserved numeric, p_passed interval) returns text language plpgsql as $$
declare
  v_left text;
begin
  update orderlatch_data.account_budgets
     set tokens = p_tokens, reserved = p_reserved, counted_at = orderlatch_data.clock() - p_passed
   where account_id = test.account_id('used');
  select format('%s, %s', c.calls, c.submits) into v_left
    from orderlatch_data.budgets_at(array[test.account_id('used')], orderlatch_data.clock()) as c;
  return v_left;
end
$$;
select is(pg_temp.left(c.tokens, c.reserved, c.passed::interval), c.expected, c.title)
  from (
    values
      (20, 2, '0', '20, 18', 'of a full bucket submits may take all but the reserve'),
      (20, 2, '1 hour', '20, 18', 'a rest of an hour fills it no further'),
      (2, 2, '0', '2, 0', 'at the reserve no submit may go'),
      (3, 2, '0', '3, 1', 'one above it, one may'),
      (2.999, 2, '0', '2, 0', 'a part of a token is none'),
      (0, 0, '0', '0, 0', 'an empty bucket allows nothing'),
      (0, 0, '338.888 milliseconds', '0, 0', 'until the first token is whole'),
      (0, 0, '338.889 milliseconds', '1, 0', 'which takes a third of a second, and is not a submit''s alone'),
      (0, 0, '376.544 milliseconds', '1, 1', 'while the reserve fills up it takes a tenth of what comes'),
      (2, 2, '338.889 milliseconds', '3, 1', 'once it is full, submits get all of it'),
      (0, 0, '61 seconds', '20, 18', 'in 61 seconds it is full, whatever it was'),
      (20, 2, '-1 hour', '20, 18', 'a clock that was set back takes nothing away'),
      (0, 0, '-1 hour', '0, 0', 'and gives nothing')
  ) as c(tokens, reserved, passed, expected, title);

-- What the headers leave.
create function pg_temp.left_by(p_remaining integer, p_resets_in interval) returns text language plpgsql as $$
begin
  update orderlatch_data.broker_limits
     set rate_limit = 200, remaining = p_remaining, resets_at = orderlatch_data.clock() + p_resets_in, said_at = orderlatch_data.clock()
   where account_id = test.account_id('used');
  return pg_temp.left(20, 2, '0');
end
$$;
select is(pg_temp.left_by(c.remaining, c.resets_in::interval), c.expected, c.title)
  from (
    values
      (200, '30 seconds', '20, 18', 'headers that leave more than the bucket holds bind nothing'),
      (7, '30 seconds', '7, 5', 'where they leave less, that is what is left, and of that too some is reserved'),
      (2, '30 seconds', '2, 0', 'the last two are not for submits'),
      (0, '30 seconds', '0, 0', 'nothing is nothing'),
      (0, '1 microsecond', '0, 0', 'until the limit resets'),
      (0, '0', '20, 18', 'then the headers say nothing any more')
  ) as c(remaining, resets_in, expected, title);
select test.given_stranger('used') as worker \gset
select test.claim_one(:worker, 'get_account');
select is(pg_temp.left_by(7, '30 seconds'), '6, 4', 'a call on its way is not in the broker''s count yet');
select is(pg_temp.left_by(0, '30 seconds'), '0, 0', 'nothing left is not less than nothing');

-- When the next token comes.
create function pg_temp.next_in(p_tokens numeric, p_reserved numeric, p_submit boolean) returns interval language plpgsql as $$
declare
  v_wait interval;
begin
  perform pg_temp.left_by(200, '0');
  perform pg_temp.left(p_tokens, p_reserved, '0');
  select case when p_submit then b.next_submit_at else b.next_call_at end - orderlatch_data.clock() into v_wait
    from orderlatch_data.budgets_at(array[test.account_id('used')], orderlatch_data.clock()) as b;
  return v_wait;
end
$$;
select is(pg_temp.next_in(c.tokens, c.reserved, c.submit), c.wait::interval, c.title)
  from (
    values
      (0, 0, false, '339 milliseconds', 'an empty bucket has its next token in 339 ms'),
      (0.5, 0.5, false, '170 milliseconds', 'a half full token takes half of that, in whole milliseconds'),
      (0, 0, true, '377 milliseconds', 'one for a submit takes longer while the reserve fills too'),
      (2, 2, true, '339 milliseconds', 'when the reserve is full it does not'),
      (1.9, 1.9, true, '373 milliseconds', 'and when it fills up on the way, something between'),
      (2.5, 2, true, '170 milliseconds', 'half a token above the reserve is half way'),
      (5, 2, true, '0', 'where there is one, it is now')
  ) as c(tokens, reserved, submit, wait, title);
create function pg_temp.left_then(p_tokens numeric, p_reserved numeric, p_submit boolean) returns text language plpgsql as $$
begin
  return pg_temp.left(p_tokens, p_reserved, pg_temp.next_in(p_tokens, p_reserved, p_submit));
end
$$;
select is(pg_temp.left_then(t.tokens, t.reserved, t.submit), t.expected, format('at that moment it is there: %s', t.expected))
  from (values (0, 0, false, '1, 0'), (0, 0, true, '1, 1'), (1.9, 1.9, true, '3, 1'), (2, 2, true, '3, 1'))
       as t(tokens, reserved, submit, expected);
create function pg_temp.waits_for(p_remaining integer, p_submit boolean) returns interval language sql volatile as $$
  select pg_temp.left_by(p_remaining, '30 seconds');
  select case when p_submit then b.next_submit_at else b.next_call_at end - orderlatch_data.clock()
    from orderlatch_data.budgets_at(array[test.account_id('used')], orderlatch_data.clock()) as b
$$;
select is(pg_temp.waits_for(1, false), '30 seconds', 'what the headers do not leave comes when they say that the limit resets');
select is(pg_temp.waits_for(3, true), '30 seconds', 'for a submit also when they leave only the reserve');
select is(pg_temp.waits_for(4, true), '0', 'one more is a submit''s');

-- Spending.
create function pg_temp.left_after(p_tokens numeric, p_reserved numeric, p_calls integer, p_kept integer) returns text language sql volatile as $$
  update orderlatch_data.account_budgets
     set tokens = p_tokens, reserved = p_reserved, counted_at = orderlatch_data.clock()
   where account_id = test.account_id('used');
  select orderlatch_data.spend_tokens(
           array[(b.account_id, b.tokens, b.reserved, orderlatch_data.clock())::orderlatch_data.account_budgets],
           array[b.version], array[p_calls], array[p_kept]
         )
    from orderlatch_data.budgets_at(array[test.account_id('used')], orderlatch_data.clock()) as b;
  select format('%s %s %s', k.tokens, k.reserved, k.counted_at = orderlatch_data.clock()) from orderlatch_data.account_budgets as k
   where k.account_id = test.account_id('used')
$$;
select is(pg_temp.left_after(c.tokens, c.reserved, c.calls, c.kept), c.expected, c.title)
  from (
    values
      (9.5, 2, 2, 0, '7.5 2 t', 'what is left is written down with the moment'),
      (9.5, 2, 2, 1, '7.5 1 t', 'what went while submits waited came out of the reserve'),
      (3.5, 2, 2, 0, '1.5 1.5 t', 'the reserve is part of what is left'),
      (1.9999999, 1, 2, 0, '0 0 t', 'a rounding below nothing is nothing'),
      (2.5, 0.9999999, 1, 1, '1.5 0 t', 'of the reserve too')
  ) as c(tokens, reserved, calls, kept, expected, title);
update orderlatch_data.account_budgets set counted_at = orderlatch_data.clock() + interval '1 day' where account_id = test.account_id('used');
select orderlatch_data.turn_back_budget(test.account_id('used'));
select is((select k.counted_at from orderlatch_data.account_budgets as k where k.account_id = test.account_id('used')),
          orderlatch_data.clock(), 'after the clock was set back it is counted from now');
select throws_ok($$ update orderlatch_data.account_budgets set reserved = tokens + 1 $$, '23514', null,
                 'the table itself refuses a reserve that is not there');

select * from finish();
rollback;
