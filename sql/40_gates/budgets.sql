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
  v_from timestamptz;
begin
  -- a loop, because each step is computed once, and not again wherever the next one names it
  for v_row in
    select r.*
      from unnest(p_account_ids) as n(account_id)
     -- by its key: a join may read those of all accounts
     cross join lateral (
       select k.account_id, k.rate_limit, k.burst, k.broker_limit, k.remaining, k.resets_at, k.under_way,
              k.tokens, k.reserved, k.counted_at, k.bucket_version
         from orderlatch_data.seen_accounts as k where k.account_id = n.account_id offset 0
     ) as r
  loop
    v_bucket := orderlatch_data.bucket_at(
      v_row.tokens, v_row.reserved, v_row.counted_at, v_row.rate_limit, v_row.burst, v_row.broker_limit,
      v_row.remaining, v_row.resets_at, cardinality(v_row.under_way), p_now
    );
    account_id := v_row.account_id;
    depth := v_bucket.depth;
    reserve := v_bucket.reserve;
    refill := v_bucket.refill;
    tokens := v_bucket.tokens;
    reserved := v_bucket.reserved;
    calls := v_bucket.calls;
    submits := v_bucket.submits;
    v_from := greatest(p_now, v_row.counted_at);
    next_call_at := case
      when v_bucket.broker_left < 1 then v_row.resets_at
      else v_from + orderlatch_data.whole_milliseconds((1 - tokens) / refill)
    end;
    next_submit_at := case
      when v_bucket.broker_left < 1 + ceil(reserve) then v_row.resets_at
      -- while the reserve fills up it takes its share; once it is full, submits get everything
      else v_from + orderlatch_data.whole_milliseconds(least(
        (1 - tokens + reserved) / (refill * (1 - reserve / depth)), (1 - tokens + reserve) / refill
      ))
    end;
    version := v_row.bucket_version;
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
