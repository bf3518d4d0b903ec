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
  select b.account_id, b.depth::integer, round(60 * b.refill::numeric, 1), b.calls, b.submits,
         case when b.submits = 0 then b.next_submit_at end
    from orderlatch_data.budgets_at(
           array(select a.account_id from orderlatch_data.accounts as a), orderlatch_data.clock()
         ) as b
$$;
revoke all on function orderlatch_data.read_budgets() from public;
grant execute on function orderlatch_data.read_budgets() to orderlatch_operator, orderlatch_auditor;
comment on function orderlatch_data.read_budgets() is
  'For views: budgets_at of every account. next_submit_at: null where a submit may go now.';

-- The rate budget of each account, beside what was spent and what the broker says.
create or replace view orderlatch.budgets as
  select a.account, a.rate_limit, b.burst, b.refill_a_minute, b.may_call_now, b.may_submit_now,
         b.next_submit_at,
         (
           select count(*)
             from orderlatch_data.broker_requests as q
            where q.account_id = a.account_id
              -- read once, so that the index begins there
              and q.claimed_at > (select orderlatch_data.clock()) - interval '1 minute'
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
