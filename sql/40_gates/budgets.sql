-- The rate budgets of accounts: how each bucket is built, what is in it, and when it allows more.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.budgets_at(p_account_ids integer[], p_now timestamptz)
returns table (
  account_id integer, depth double precision, reserve double precision, refill double precision,
  tokens double precision, reserved double precision, calls integer, submits integer,
  next_call_at timestamptz, next_submit_at timestamptz, version tid
)
language plpgsql
stable
parallel safe
rows 20
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_row record;
  v_bucket record;
  v_counted_at timestamptz;
  v_left integer;
begin
  -- a loop, because each step is computed once, and not again wherever the next one names it
  for v_row in
    select n.account_id, k.tokens, k.reserved, k.counted_at, k.version, s.rate_limit as broker_limit,
           s.remaining, s.resets_at, a.rate_limit, coalesce(a.burst, a.rate_limit / 10) as burst
      from unnest(p_account_ids) as n(account_id)
     cross join lateral (
       -- as in agenda_of
       select t.*, t.ctid as version from orderlatch_data.account_budgets as t
        where t.account_id <= n.account_id
        order by t.account_id desc limit 1
     ) as k
     cross join lateral (
       select h.* from orderlatch_data.broker_limits as h where h.account_id <= k.account_id
        order by h.account_id desc limit 1
     ) as s
     -- by its key: a join may read those of all accounts
     cross join lateral (
       select c.rate_limit, c.burst
         from orderlatch_data.accounts as c where c.account_id = k.account_id offset 0
     ) as a
     where k.account_id = n.account_id and s.account_id = k.account_id
  loop
    v_counted_at := greatest(p_now, v_row.counted_at); -- the later one where the clock was set back
    v_bucket := orderlatch_data.refill_bucket(
      v_row.tokens, v_row.reserved, extract(epoch from v_counted_at - v_row.counted_at)::double precision,
      v_row.rate_limit, v_row.burst, v_row.broker_limit
    );
    -- a window that ends in more than a minute is one from before the clock was set back
    v_left := null;
    if v_row.resets_at > p_now and v_row.resets_at <= p_now + interval '1 minute' then
      v_left := v_row.remaining
        - (select count(*)::integer from orderlatch_data.calls_under_way(v_row.account_id) as c);
    end if;
    account_id := v_row.account_id;
    depth := v_bucket.depth;
    reserve := v_bucket.reserve;
    refill := v_bucket.refill;
    tokens := v_bucket.tokens;
    reserved := v_bucket.reserved;
    -- a token that is whole but for the rounding of its parts is a token
    calls := greatest(0, least(floor(tokens + 1e-6)::integer, v_left));
    submits := greatest(0, least(floor(tokens - reserved + 1e-6)::integer, v_left - ceil(reserve)::integer));
    next_call_at := case when v_left < 1 then v_row.resets_at else v_counted_at + v_bucket.call_in end;
    next_submit_at := case
      when v_left < 1 + ceil(reserve) then v_row.resets_at else v_counted_at + v_bucket.submit_in
    end;
    version := v_row.version;
    return next;
  end loop;
end
$$;
revoke all on function orderlatch_data.budgets_at(integer[], timestamptz) from public;
comment on function orderlatch_data.budgets_at(integer[], timestamptz) is
  'depth: most tokens that the bucket holds; reserve: how many of them submits may not take; refill: tokens '
  'a second. tokens, reserved: what is there at p_now. calls: how many calls may be granted then, submits: '
  'how many of them may be submits. next_call_at, next_submit_at: when the next token is whole, or what the '
  'broker''s headers said ends; not later than p_now where there is one. version: as of agenda_of, of '
  'account_budgets. See docs/decisions/rate-budget.md.';

-- Takes tokens for calls that are being granted.
-- Locks: none; the caller holds the accounts for granting. Raises: none.
create or replace function orderlatch_data.spend_tokens(
  p_buckets orderlatch_data.account_budgets[],
  p_versions tid[],
  p_calls integer[],
  p_kept integer[]
)
returns void
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  if (0 < any (p_calls)) is not true then
    return;
  end if;
  update orderlatch_data.account_budgets as k
     set tokens = n.left_over,
         reserved = greatest(0, least(b.reserved - coalesce(b.kept, 0), n.left_over)),
         counted_at = b.counted_at
    from unnest(p_buckets, p_versions, p_calls, p_kept)
         as b(account_id, tokens, reserved, counted_at, version, calls, kept)
   cross join lateral (select greatest(0, b.tokens - b.calls) as left_over) as n
   where b.calls > 0 and k.ctid = b.version;
end
$$;
revoke all on function orderlatch_data.spend_tokens(
  orderlatch_data.account_budgets[], tid[], integer[], integer[]
) from public;
comment on function orderlatch_data.spend_tokens(
  orderlatch_data.account_budgets[], tid[], integer[], integer[]
) is
  'p_buckets, p_versions: what was in each at its counted_at, and where its row is (see budgets_at). '
  'p_calls: how many tokens each account pays; p_kept: how many of them out of its reserve, for calls that '
  'went while submits waited; no element: none. Every other call takes the reserve last.';

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
