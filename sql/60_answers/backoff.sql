-- Notes that a kind of request failed, and how long it waits.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.back_off(
  p_account orderlatch_data.accounts,
  p_kind text,
  p_claimed_at timestamptz
)
returns void
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_now constant timestamptz := orderlatch_data.clock();
begin
  -- calls that were on their way together fail together: they count once
  insert into orderlatch_data.kind_backoffs as b (account_id, kind, failures, failed_at, next_try_at)
  values (p_account.account_id, p_kind, 1, v_now, v_now + p_account.backoff_first)
  on conflict on constraint kind_backoffs_pkey do update
    set failures = least(b.failures + 1, 1000),
        failed_at = v_now,
        next_try_at = v_now
          + least(p_account.backoff_max, p_account.backoff_first * 2 ^ least(b.failures, 20))
    where p_claimed_at >= b.failed_at;
end
$$;
revoke all on function orderlatch_data.back_off(orderlatch_data.accounts, text, timestamptz) from public;
comment on function orderlatch_data.back_off(orderlatch_data.accounts, text, timestamptz) is
  'Makes a kind of request of the account wait: backoff_first after the first failure, doubled with each '
  'up to backoff_max. p_claimed_at: when the failed request was granted; one granted before the last '
  'failure does not count again.';

-- Ends the back-off of a kind of request that was answered.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.end_back_off(p_account_id integer, p_kind text)
returns boolean
language sql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  with ended as (
    delete from orderlatch_data.kind_backoffs as b
     where b.account_id = p_account_id and b.kind = p_kind
    returning 1
  )
  select exists (select 1 from ended)
$$;
revoke all on function orderlatch_data.end_back_off(integer, text) from public;
comment on function orderlatch_data.end_back_off(integer, text) is
  'Requests of this kind wait no more. Returns whether they did.';

-- Pauses an account until the broker's rate limit resets.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.pause_account(p_account orderlatch_data.accounts, p_headers jsonb)
returns timestamptz
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_now constant timestamptz := orderlatch_data.clock();
  v_reset constant text := p_headers ->> 'x-ratelimit-reset';
  v_after constant text := p_headers ->> 'retry-after';
  v_wait interval;
  v_until timestamptz;
begin
  if v_reset ~ '^[0-9]{1,12}$' then
    v_wait := to_timestamp(v_reset::bigint) - v_now;
  elsif v_after ~ '^[0-9]{1,6}$' then
    v_wait := make_interval(secs => v_after::integer);
  end if;
  -- a reset that is past, or far off, says that one of the clocks is wrong
  if v_wait is null or v_wait <= '0' or v_wait > '1 hour' then
    v_wait := p_account.throttle_wait;
  end if;
  update orderlatch_data.account_states as s
     set paused_until = greatest(s.paused_until, v_now + v_wait)
   where s.account_id = p_account.account_id
  returning s.paused_until into v_until;
  return v_until;
end
$$;
revoke all on function orderlatch_data.pause_account(orderlatch_data.accounts, jsonb) from public;
comment on function orderlatch_data.pause_account(orderlatch_data.accounts, jsonb) is
  'Grants no call for the account until the moment in the headers x-ratelimit-reset (seconds since 1970) '
  'or retry-after (seconds), or for throttle_wait when they say nothing that makes sense. Returns that '
  'moment.';
