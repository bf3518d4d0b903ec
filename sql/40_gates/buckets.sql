-- What is in the buckets of accounts at a moment, and what the broker's headers leave.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.buckets_at(p_account_ids integer[], p_now timestamptz)
returns table (
  account_id integer, depth double precision, reserve double precision, refill double precision,
  tokens double precision, reserved double precision, counted_at timestamptz, broker_left integer,
  broker_until timestamptz, version tid
)
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
  select r.account_id, r.depth, r.reserve, r.refill, r.tokens,
         least(r.reserve, r.tokens, r.reserved + r.passed_s * r.refill * r.reserve / r.depth),
         greatest(p_now, r.counted_at), r.remaining - w.on_their_way,
         case when w.on_their_way is not null then r.resets_at end, r.version
    from (
      select d.*, greatest(1, d.depth / 10) as reserve,
             -- depth and refill over 61 s are the limit: calls may leave a second further apart than granted
             (d.rate_limit - d.depth) / 61 as refill,
             least(d.depth, d.then + d.passed_s * ((d.rate_limit - d.depth) / 61)) as tokens
        from (
          select m.*, greatest(2, floor(m.burst * m.rate_limit / m.own_limit)) as depth
            from (
              select k.account_id, k.tokens as then, k.reserved, k.counted_at, k.ctid as version, s.remaining,
                     s.resets_at, a.rate_limit as own_limit, coalesce(a.burst, a.rate_limit / 10) as burst,
                     -- what the broker says binds where it is less; below the least of a setting it is none
                     least(
                       a.rate_limit, case when s.rate_limit is not null then greatest(10, s.rate_limit) end
                     )::double precision as rate_limit,
                     greatest(0, extract(epoch from p_now - k.counted_at))::double precision as passed_s
                from unnest(p_account_ids) as n(account_id)
               cross join lateral (
                 -- as in agenda_of
                 select t.*, t.ctid from orderlatch_data.account_budgets as t
                  where t.account_id <= n.account_id
                  order by t.account_id desc
                  limit 1
               ) as k
               -- by their keys: for a join the planner may read those of all accounts
               cross join lateral (
                 select h.rate_limit, h.remaining, h.resets_at from orderlatch_data.broker_limits as h
                  where h.account_id = k.account_id
                 offset 0
               ) as s
               cross join lateral (
                 select c.rate_limit, c.burst from orderlatch_data.accounts as c
                  where c.account_id = k.account_id
                 offset 0
               ) as a
               where k.account_id = n.account_id
              -- each step is computed once, and not again wherever the next one names it
              offset 0
            ) as m
          offset 0
        ) as d
      offset 0
    ) as r
   cross join lateral (
     -- a window that ends in more than a minute is one from before the clock was set back
     select case
              when r.resets_at > p_now and r.resets_at <= p_now + interval '1 minute'
                then (select count(*)::integer from orderlatch_data.calls_under_way(r.account_id))
            end as on_their_way
   ) as w;
end
$$;
revoke all on function orderlatch_data.buckets_at(integer[], timestamptz) from public;
comment on function orderlatch_data.buckets_at(integer[], timestamptz) is
  'Columns as in budgets_at. counted_at: the moment that is counted from, p_now unless the clock was set '
  'back. broker_left: what the headers leave until broker_until, calls on their way taken off (may be '
  'negative); null when they bind nothing now. version: as of agenda_of, of account_budgets.';
