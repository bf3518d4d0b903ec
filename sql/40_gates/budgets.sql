-- The rate budget of an account: how its bucket is built, and what is in it now.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.budget_of(
  p_account orderlatch_data.accounts,
  p_now timestamptz
)
returns table (
  depth double precision,
  reserve double precision,
  refill double precision,
  tokens double precision,
  reserved double precision,
  broker_left integer,
  broker_until timestamptz
)
language sql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select b.depth, b.reserve, r.refill, t.tokens,
         least(b.reserve, t.tokens, k.reserved + t.passed_s * r.refill * b.reserve / b.depth),
         s.remaining - w.on_their_way, case when w.on_their_way is not null then s.resets_at end
    from orderlatch_data.account_budgets as k
    join orderlatch_data.broker_limits as s on s.account_id = k.account_id
   cross join lateral (
     -- what the broker says binds where it is less; below the least that a setting may be it is no limit
     select least(
       p_account.rate_limit, case when s.rate_limit is not null then greatest(10, s.rate_limit) end
     )::double precision as rate_limit
   ) as l
   cross join lateral (
     select greatest(
       2, floor(coalesce(p_account.burst, p_account.rate_limit / 10) * l.rate_limit / p_account.rate_limit)
     ) as depth
   ) as d
   cross join lateral (select d.depth, greatest(1, d.depth / 10) as reserve) as b
   -- depth and refill over 61 seconds are the limit: calls may leave up to a second apart more than granted
   cross join lateral (select (l.rate_limit - b.depth) / 61 as refill) as r
   cross join lateral (
     select p.passed_s, least(b.depth, k.tokens + p.passed_s * r.refill) as tokens
       from (select greatest(0, extract(epoch from p_now - k.counted_at))::double precision) as p(passed_s)
   ) as t
   cross join lateral (
     -- a window that ends in more than a minute is one from before the clock was set back
     select case when s.resets_at > p_now and s.resets_at <= p_now + interval '1 minute' then (
              select count(*)::integer
                from orderlatch_data.open_requests as q
               where q.account_id = k.account_id
            ) end as on_their_way
   ) as w
   where k.account_id = p_account.account_id
$$;
revoke all on function orderlatch_data.budget_of(orderlatch_data.accounts, timestamptz) from public;
comment on function orderlatch_data.budget_of(orderlatch_data.accounts, timestamptz) is
  'depth: most tokens that the bucket holds; reserve: how many of them submits may not take; refill: tokens '
  'a second. tokens, reserved: what is there at p_now. broker_left: what the broker''s headers leave until '
  'broker_until, calls on their way taken off (may be negative); null when they bind nothing now. See '
  'docs/decisions/rate-budget.md.';

-- How many calls a budget allows now: of any kind, and of submits.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.allowance(
  p_tokens double precision,
  p_reserved double precision,
  p_reserve double precision,
  p_broker_left integer
)
returns table (calls integer, submits integer)
language sql
immutable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  -- a token that is whole but for the rounding of its parts is a token
  select greatest(0, least(floor(p_tokens + 1e-6)::integer, p_broker_left)),
         greatest(
           0, least(floor(p_tokens - p_reserved + 1e-6)::integer, p_broker_left - ceil(p_reserve)::integer)
         )
$$;
revoke all on function orderlatch_data.allowance(
  double precision, double precision, double precision, integer
) from public;
comment on function orderlatch_data.allowance(
  double precision, double precision, double precision, integer
) is
  'Whole tokens, as far as the broker''s headers leave so many. Arguments as the columns of budget_of.';

-- Takes tokens for calls that are being granted.
-- Locks: none; the caller holds the account for granting. Raises: none.
create or replace function orderlatch_data.spend_tokens(
  p_account_id integer,
  p_tokens double precision,
  p_reserved double precision,
  p_now timestamptz
)
returns void
language sql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  update orderlatch_data.account_budgets as k
     set tokens = greatest(0, p_tokens),
         reserved = least(p_reserved, greatest(0, p_tokens)),
         counted_at = p_now
   where k.account_id = p_account_id
$$;
revoke all on function orderlatch_data.spend_tokens(integer, double precision, double precision, timestamptz)
  from public;
comment on function orderlatch_data.spend_tokens(integer, double precision, double precision, timestamptz) is
  'p_tokens, p_reserved: what is left at p_now. Submits leave the reserve; every other call takes it '
  'last.';

-- When a budget next allows a call that it does not allow now.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.next_token_at(
  p_account orderlatch_data.accounts,
  p_now timestamptz,
  p_submit boolean
)
returns timestamptz
language sql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select case
           when b.broker_left < 1 + case when p_submit then ceil(b.reserve) else 0 end then b.broker_until
           -- in whole milliseconds, never too soon
           else p_now + make_interval(secs => greatest(0, ceil(1000 * w.wait_s) / 1000))
         end
    from orderlatch_data.budget_of(p_account, p_now) as b
   cross join lateral (
     select 1 - (b.tokens - b.reserved) as missing, b.refill * (1 - b.reserve / b.depth) as refill
   ) as m
   cross join lateral (
     select case
              when not p_submit then (1 - b.tokens) / b.refill
              -- while the reserve fills up it takes its share; once it is full, submits get everything
              else least(m.missing / m.refill, (b.reserve - b.reserved + m.missing) / b.refill)
            end as wait_s
   ) as w
$$;
revoke all on function orderlatch_data.next_token_at(orderlatch_data.accounts, timestamptz, boolean)
  from public;
comment on function orderlatch_data.next_token_at(orderlatch_data.accounts, timestamptz, boolean) is
  'The moment at which the next whole token is there, or at which what the broker''s headers said ends; '
  'p_submit: the next one that a submit may take.';

-- How many calls an account may be granted now.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.calls_left(
  p_account orderlatch_data.accounts,
  p_now timestamptz
)
returns table (calls integer, submits integer)
language sql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select a.calls, a.submits
    from orderlatch_data.budget_of(p_account, p_now) as b
   cross join lateral orderlatch_data.allowance(b.tokens, b.reserved, b.reserve, b.broker_left) as a
$$;
revoke all on function orderlatch_data.calls_left(orderlatch_data.accounts, timestamptz) from public;
comment on function orderlatch_data.calls_left(orderlatch_data.accounts, timestamptz) is
  'allowance of budget_of: calls of any kind, and how many of them may be submits.';

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
