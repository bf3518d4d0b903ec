-- How long a 429 pauses an account: until the limit resets, as the headers say it, or throttle_wait when they make no sense.
begin;
select plan(18);

select test_support.hold_clock('2026-03-02 15:00:00Z');
select test.given_account('paper', '{"throttle_wait": "7 seconds"}');
select extract(epoch from orderlatch_data.clock())::bigint as now \gset
create function pg_temp.pause(p_headers jsonb) returns interval language plpgsql as $$
declare
  v_until timestamptz;
begin
  update orderlatch_data.account_states set paused_until = null;
  select orderlatch_data.pause_account(a, p_headers) into v_until from orderlatch_data.accounts as a;
  return v_until - orderlatch_data.clock();
end
$$;

select is(pg_temp.pause(h.headers), h.pause, h.title)
  from (
    values
      (jsonb_build_object('x-ratelimit-reset', (:now + 23)::text), interval '23 seconds', 'until x-ratelimit-reset'),
      (jsonb_build_object('x-ratelimit-reset', (:now + 23)::text, 'retry-after', '5'), '23 seconds',
       'which goes before retry-after'),
      (jsonb_build_object('x-ratelimit-reset', (:now + 3600)::text), '1 hour', 'an hour at most'),
      (jsonb_build_object('x-ratelimit-reset', (:now + 3601)::text), '7 seconds', 'a reset further off makes no sense'),
      (jsonb_build_object('x-ratelimit-reset', :now::text), '7 seconds', 'a reset that is now makes no sense'),
      (jsonb_build_object('x-ratelimit-reset', (:now - 1)::text), '7 seconds', 'nor one that is past'),
      ('{"x-ratelimit-reset": "999999999999"}', '7 seconds', 'nor one in the year 33658'),
      ('{"x-ratelimit-reset": "99999999999999999999"}', '7 seconds', 'nor one that no clock can show'),
      ('{"x-ratelimit-reset": "soon"}', '7 seconds', 'nor a word'),
      ('{"x-ratelimit-reset": "soon", "retry-after": "5"}', '5 seconds', 'then retry-after counts'),
      ('{"retry-after": "5"}', '5 seconds', 'retry-after alone counts'),
      ('{"retry-after": "0"}', '7 seconds', 'retry-after 0 makes no sense'),
      ('{"retry-after": "-5"}', '7 seconds', 'nor a negative one'),
      ('{"retry-after": "86400"}', '7 seconds', 'nor a day'),
      ('{"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"}', '7 seconds', 'nor a date'),
      ('{}', '7 seconds', 'no header, no telling'),
      (null, '7 seconds', 'nor without any headers')
  ) as h(headers, pause, title);

update orderlatch_data.account_states set paused_until = orderlatch_data.clock() + interval '1 minute';
select is((select orderlatch_data.pause_account(a, '{"retry-after": "5"}') from orderlatch_data.accounts as a),
          orderlatch_data.clock() + interval '1 minute', 'a later 429 never shortens a pause');

select * from finish();
rollback;
