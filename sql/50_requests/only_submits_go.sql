-- The accounts that can be granted nothing but submits now, and how many of them.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.only_submits_go(
  p_account_ids integer[],
  p_worker_id integer,
  p_now timestamptz,
  p_woken integer[]
)
returns table (account_id integer, submits integer, others_wait boolean)
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_untidy constant integer[] := orderlatch_data.untidy_accounts(p_account_ids, p_woken, p_now);
begin
  return query
  select b.account_id, case when k.submits_due then b.submits else 0 end, coalesce(k.others_due, false)
    from orderlatch_data.budgets_at(p_account_ids, p_now) as b
    left join orderlatch_data.next_tidy_at(v_untidy) as t on t.account_id = b.account_id
    left join (
      select d.account_id, bool_or(d.urgency < 4) as urgent_due, bool_or(d.urgency = 4) as submits_due,
             bool_or(d.urgency > 4) as others_due
        from orderlatch_data.kinds_due(p_account_ids, p_worker_id) as d
       group by d.account_id
    ) as k on k.account_id = b.account_id
   where coalesce(t.tidy_at > p_now, true)
     and coalesce(
           not k.urgent_due
             and (not k.others_due or (k.submits_due and b.submits > 0 and b.reserved < 1 - 1e-6)),
           true
         );
end
$$;
revoke all on function orderlatch_data.only_submits_go(integer[], integer, timestamptz, integer[])
  from public;
comment on function orderlatch_data.only_submits_go(integer[], integer, timestamptz, integer[]) is
  'An account that has something to tidy up, or for which a kind more urgent than submits is due, is none '
  'of them. others_wait: a less urgent kind is due; while submits take every token, it gets only whole '
  'tokens of the reserve, and there is none. submits: as far as the budget goes.';
