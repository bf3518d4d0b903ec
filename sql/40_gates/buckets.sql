-- What is in a bucket after a while, and how many calls it allows.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.bucket_at(
  p_tokens double precision,
  p_reserved double precision,
  p_counted_at timestamptz,
  p_rate_limit integer,
  p_burst integer,
  p_broker_limit integer,
  p_remaining integer,
  p_resets_at timestamptz,
  p_under_way integer,
  p_now timestamptz,
  out depth double precision,
  out reserve double precision,
  out refill double precision,
  out tokens double precision,
  out reserved double precision,
  out broker_left integer,
  out calls integer,
  out submits integer
)
returns record
language plpgsql
immutable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_limit double precision := p_rate_limit::double precision;
  v_filled double precision;
begin
  -- what the broker says binds where it is less; below the least of a setting it is none
  if p_broker_limit < p_rate_limit then
    v_limit := least(p_rate_limit, greatest(10, p_broker_limit))::double precision;
  end if;
  depth := greatest(2, floor(p_burst * v_limit / p_rate_limit));
  reserve := greatest(1, depth / 10);
  -- depth and refill over 61 s are the limit: calls may leave a second further apart than granted
  refill := (v_limit - depth) / 61;
  -- nothing where the clock was set back
  v_filled := extract(epoch from greatest(p_now, p_counted_at) - p_counted_at)::double precision * refill;
  tokens := least(depth, p_tokens + v_filled);
  reserved := least(reserve, tokens, p_reserved + v_filled * reserve / depth);
  -- a window that ends in more than a minute is one from before the clock was set back
  if p_resets_at > p_now and p_resets_at <= p_now + interval '1 minute' then
    broker_left := p_remaining - p_under_way;
  end if;
  -- a token that is whole but for the rounding of its parts is a token
  calls := greatest(0, least(floor(tokens + 1e-6)::integer, broker_left));
  submits := greatest(0, least(
    floor(tokens - reserved + 1e-6)::integer, broker_left - ceil(reserve)::integer
  ));
end
$$;
revoke all on function orderlatch_data.bucket_at(
  double precision, double precision, timestamptz, integer, integer, integer, integer, timestamptz, integer,
  timestamptz
) from public;
comment on function orderlatch_data.bucket_at(
  double precision, double precision, timestamptz, integer, integer, integer, integer, timestamptz, integer,
  timestamptz
) is
  'p_tokens, p_reserved: what was there at p_counted_at. p_rate_limit, p_burst: settings of the account. '
  'p_broker_limit: calls a minute as the broker says, or null; p_remaining: how many of them it left until '
  'p_resets_at, not counting p_under_way calls. broker_left: what of these is left; null where that does not '
  'count. Other results as of budgets_at.';

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
