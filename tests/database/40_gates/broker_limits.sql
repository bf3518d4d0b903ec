-- What the broker's headers say of the rate limit: what is believed of it, and what is not.
begin;
select plan(22);

select test_support.hold_clock('2026-03-02 15:00:00Z');
select test.given_account();
select test.given_worker() as worker \gset

-- Notes headers and says what is known then: limit, remaining, seconds until it resets.
create function pg_temp.noted(p_headers jsonb) returns text language plpgsql as $$
begin
  perform orderlatch_data.note_broker_limit(test.account_id(), p_headers);
  return (
    select format('%s %s %s', l.rate_limit, l.remaining, extract(epoch from l.resets_at - orderlatch_data.clock())::integer)
      from orderlatch_data.broker_limits as l
     where l.account_id = test.account_id()
  );
end
$$;
create function pg_temp.headers(p_limit text, p_remaining text, p_resets_in integer) returns jsonb language sql volatile as $$
  select jsonb_build_object('x-ratelimit-limit', p_limit, 'x-ratelimit-remaining', p_remaining, 'x-ratelimit-reset',
                            (extract(epoch from orderlatch_data.clock())::bigint + p_resets_in)::text)
$$;

select is(pg_temp.noted(null), '  ', 'no headers say nothing');
select is(pg_temp.noted('{}'), '  ', 'nor do others');
select is(pg_temp.noted(h.headers), '  ', h.title)
  from (
    values
      (pg_temp.headers('200', null, 30), 'two of the three are not enough'),
      (pg_temp.headers('200', '-1', 30), 'less than nothing cannot remain'),
      (pg_temp.headers('0', '0', 30), 'a limit of nothing is none'),
      (pg_temp.headers('a lot', '7', 30), 'words are no limit'),
      (pg_temp.headers('200', '9999999999', 30), 'a number that no integer holds is none'),
      (pg_temp.headers('200', '7', 0), 'a window that resets now has ended'),
      (pg_temp.headers('200', '7', -30), 'one that has reset long ago tells of a clock that is wrong'),
      (jsonb_build_object('x-ratelimit-limit', '200', 'x-ratelimit-remaining', '7', 'x-ratelimit-reset', '999999999999999'),
       'a moment that no clock shows is none')
  ) as h(headers, title);

select is(pg_temp.noted(pg_temp.headers('200', '150', 30)), '200 150 30', 'what makes sense is noted');
select is(pg_temp.noted(pg_temp.headers('200', '148', 30)), '200 148 30', 'less of the same window is noted');
select is(pg_temp.noted(pg_temp.headers('200', '149', 30)), '200 148 30', 'more of the same window came late');
select is(pg_temp.noted(pg_temp.headers('200', '3', 29)), '200 148 30', 'an earlier window is over');
select is(pg_temp.noted(pg_temp.headers('200', '199', 45)), '200 199 45', 'a later one counts from the start');
select is(pg_temp.noted(pg_temp.headers('200', '5', 7200)), '200 5 60', 'one that ends in two hours ends in a minute');
select is((select l.said_at from orderlatch_data.broker_limits as l), orderlatch_data.clock(), 'with when it was said');
select test_support.advance_clock('61 seconds');
select is(pg_temp.noted(pg_temp.headers('100', '99', 10)), '100 99 10', 'a window after that is a new one');

-- From an answer of whatever kind, also a bad one; and said again by an answer that is recorded twice it changes nothing.
select test.given_submitting_decision(:worker) as decision \gset
select test.record(test.answer_error(test.holder(:'decision'), 403, 40310000, 'insufficient buying power', pg_temp.headers('100', '42', 10)));
select is((select l.remaining from orderlatch_data.broker_limits as l), 42, 'a refusal tells it too');
select test.given_submitting_decision(:worker) as decision \gset
select test.record(test.answer_maybe(test.holder(:'decision')));
select is((select l.remaining from orderlatch_data.broker_limits as l), 42, 'an answer without headers leaves it');
select throws_ok('update orderlatch_data.broker_limits set remaining = null', '23514', null,
                 'the table itself refuses half of what the headers say');
select is(test.broken_promises(), '{}', 'no promise is broken');

select * from finish();
rollback;
