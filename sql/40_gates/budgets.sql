-- The rate budgets of accounts: how each bucket is built, what is in it, and when it allows more.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.budgets_at(p_account_ids integer[], p_now timestamptz)
returns table (
  account_id integer,
  depth double precision,
  reserve double precision,
  refill double precision,
  tokens double precision,
  reserved double precision,
  calls integer,
  submits integer,
  next_call_at timestamptz,
  next_submit_at timestamptz
)
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
  select b.account_id, b.depth, b.reserve, b.refill, b.tokens, b.reserved,
         -- a token that is whole but for the rounding of its parts is a token
         greatest(0, least(floor(b.tokens + 1e-6)::integer, b.broker_left)),
         greatest(0, least(
           floor(b.tokens - b.reserved + 1e-6)::integer, b.broker_left - ceil(b.reserve)::integer
         )),
         case
           when b.broker_left < 1 then b.broker_until
           else b.counted_at + orderlatch_data.whole_milliseconds((1 - b.tokens) / b.refill)
         end,
         case
           when b.broker_left < 1 + ceil(b.reserve) then b.broker_until
           -- while the reserve fills up it takes its share; once it is full, submits get everything
           else b.counted_at + orderlatch_data.whole_milliseconds(least(
             (1 - b.tokens + b.reserved) / (b.refill * (1 - b.reserve / b.depth)),
             (1 - b.tokens + b.reserve) / b.refill
           ))
         end
    from orderlatch_data.buckets_at(p_account_ids, p_now) as b;
end
$$;
revoke all on function orderlatch_data.budgets_at(integer[], timestamptz) from public;
comment on function orderlatch_data.budgets_at(integer[], timestamptz) is
  'depth: most tokens that the bucket holds; reserve: how many of them submits may not take; refill: tokens '
  'a second. tokens, reserved: what is there at p_now. calls: how many calls may be granted then, submits: '
  'how many of them may be submits. next_call_at, next_submit_at: when the next token is whole, or what the '
  'broker''s headers said ends; not later than p_now where there is one. See docs/decisions/rate-budget.md.';

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

-- Takes tokens for calls that are being granted.
-- Locks: none; the caller holds the accounts for granting. Raises: none.
create or replace function orderlatch_data.spend_tokens(
  p_account_ids integer[],
  p_calls integer[],
  p_kept integer[],
  p_now timestamptz
)
returns void
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  update orderlatch_data.account_budgets as k
     set tokens = n.left_over,
         reserved = greatest(0, least(b.reserved - s.kept, n.left_over)),
         counted_at = p_now
    from unnest(p_account_ids, p_calls, p_kept) as s(account_id, calls, kept)
    join orderlatch_data.buckets_at(p_account_ids, p_now) as b on b.account_id = s.account_id
   cross join lateral (select greatest(0, b.tokens - s.calls) as left_over) as n
   where s.calls > 0 and k.ctid = b.version;
end
$$;
revoke all on function orderlatch_data.spend_tokens(integer[], integer[], integer[], timestamptz) from public;
comment on function orderlatch_data.spend_tokens(integer[], integer[], integer[], timestamptz) is
  'p_calls: how many tokens each account pays at p_now; p_kept: how many of them out of its reserve, for '
  'calls that went while submits waited. Every other call takes the reserve last.';

-- Lets a budget go on after the clock was set back.
-- Locks: none; the caller holds the account for granting. Raises: none.
create or replace function orderlatch_data.turn_back_budget(p_account_id integer)
returns void
language sql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  update orderlatch_data.account_budgets as k
     set counted_at = orderlatch_data.clock()
   where k.account_id = p_account_id and k.counted_at > orderlatch_data.clock()
$$;
revoke all on function orderlatch_data.turn_back_budget(integer) from public;
comment on function orderlatch_data.turn_back_budget(integer) is
  'Else nothing would be refilled until the clock is again where it was.';
