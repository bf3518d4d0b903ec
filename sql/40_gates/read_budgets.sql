-- The rate budget of every account as it is at this moment.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.read_budgets()
returns table (
  account_id integer,
  burst integer,
  refill_a_minute numeric,
  may_call_now integer,
  may_submit_now integer,
  next_submit_at timestamptz
)
language sql
stable
parallel safe
security definer
set search_path = pg_catalog, pg_temp
as $$
  select a.account_id, b.depth::integer, round(60 * b.refill::numeric, 1), c.calls, c.submits,
         case when c.submits = 0 then orderlatch_data.next_token_at(a, n.now_at, true) end
    from orderlatch_data.accounts as a
   cross join (select orderlatch_data.clock() as now_at) as n
   cross join lateral orderlatch_data.budget_of(a, n.now_at) as b
   cross join lateral orderlatch_data.allowance(b.tokens, b.reserved, b.reserve, b.broker_left) as c
$$;
revoke all on function orderlatch_data.read_budgets() from public;
grant execute on function orderlatch_data.read_budgets() to orderlatch_operator, orderlatch_auditor;
comment on function orderlatch_data.read_budgets() is
  'For views: budget_of and allowance of every account. next_submit_at: null where a submit may go now.';

-- The rate budget of each account, beside what was spent and what the broker says.
create or replace view orderlatch.budgets as
  select a.account, a.rate_limit, b.burst, b.refill_a_minute, b.may_call_now, b.may_submit_now,
         b.next_submit_at,
         (
           select count(*)
             from orderlatch_data.broker_requests as q
            where q.account_id = a.account_id
              and q.claimed_at > orderlatch_data.clock() - interval '1 minute'
         ) as spent_last_minute,
         case when s.paused_until > orderlatch_data.clock() then s.paused_until end as paused_until,
         l.rate_limit as broker_limit, l.remaining as broker_remaining, l.resets_at as broker_resets_at,
         l.said_at as broker_said_at
    from orderlatch_data.accounts as a
    join orderlatch_data.read_budgets() as b on b.account_id = a.account_id
    join orderlatch_data.account_states as s on s.account_id = a.account_id
    join orderlatch_data.broker_limits as l on l.account_id = a.account_id
   order by a.account;
revoke all on orderlatch.budgets from public;
grant select on orderlatch.budgets to orderlatch_operator, orderlatch_auditor;
comment on view orderlatch.budgets is
  'What the rate limit of each account leaves at this moment: calls of any kind, and submits, which leave a '
  'tenth of the bucket to cancels, lookups and reads. spent_last_minute: calls granted. broker_...: what the '
  'headers of the newest answer said, which binds until broker_resets_at where it is less.';
