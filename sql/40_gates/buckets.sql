-- What is in a bucket after a while, and how long it takes until it allows more.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.refill_bucket(
  p_tokens double precision,
  p_reserved double precision,
  p_passed_s double precision,
  p_rate_limit integer,
  p_burst integer,
  p_broker_limit integer,
  out depth double precision,
  out reserve double precision,
  out refill double precision,
  out tokens double precision,
  out reserved double precision,
  out call_in interval,
  out submit_in interval
)
returns record
language plpgsql
immutable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  -- what the broker says binds where it is less; below the least of a setting it is none
  v_limit constant double precision := least(
    p_rate_limit, case when p_broker_limit is not null then greatest(10, p_broker_limit) end
  )::double precision;
begin
  depth := greatest(2, floor(p_burst * v_limit / p_rate_limit));
  reserve := greatest(1, depth / 10);
  -- depth and refill over 61 s are the limit: calls may leave a second further apart than granted
  refill := (v_limit - depth) / 61;
  tokens := least(depth, p_tokens + p_passed_s * refill);
  reserved := least(reserve, tokens, p_reserved + p_passed_s * refill * reserve / depth);
  call_in := orderlatch_data.whole_milliseconds((1 - tokens) / refill);
  -- while the reserve fills up it takes its share; once it is full, submits get everything
  submit_in := orderlatch_data.whole_milliseconds(least(
    (1 - tokens + reserved) / (refill * (1 - reserve / depth)), (1 - tokens + reserve) / refill
  ));
end
$$;
revoke all on function orderlatch_data.refill_bucket(
  double precision, double precision, double precision, integer, integer, integer
) from public;
comment on function orderlatch_data.refill_bucket(
  double precision, double precision, double precision, integer, integer, integer
) is
  'p_tokens, p_reserved: what was there p_passed_s seconds ago. p_rate_limit, p_burst: settings of the '
  'account; p_broker_limit: calls a minute as the broker says, or null. call_in, submit_in: nothing where '
  'one may go. Other results as of budgets_at.';

-- A time to wait, in whole milliseconds, never too short.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.whole_milliseconds(p_seconds double precision)
returns interval
language plpgsql
immutable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return make_interval(secs => greatest(0, ceil(1000 * p_seconds) / 1000));
end
$$;
revoke all on function orderlatch_data.whole_milliseconds(double precision) from public;
comment on function orderlatch_data.whole_milliseconds(double precision) is
  'p_seconds rounded up; less than nothing is nothing.';
