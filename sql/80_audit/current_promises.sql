-- How often what is open or not sealed breaks each promise about decisions, calls and orders.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.unsealed_promises()
returns table (promise_no integer, violations bigint)
language plpgsql
stable
parallel safe
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_decision_ids constant bigint[] := orderlatch_data.unsealed_decisions();
begin
  return query
  select v.promise_no, sum(v.violations)::bigint
    from (
      select d.promise_no, d.violations from orderlatch_data.decision_promises(v_decision_ids) as d
      union all
      select c.promise_no, c.violations from orderlatch_data.call_promises(v_decision_ids) as c
      union all
      select o.promise_no, o.violations
        from orderlatch_data.order_promises(orderlatch_data.unsealed_orders(v_decision_ids)) as o
      union all
      -- calls of no decision, since an hour before the newest seal: none takes that long
      select 6, count(*)
        from orderlatch_data.accounts as a
       cross join lateral (
         select q.request_id
           from orderlatch_data.broker_requests as q
          where q.account_id = a.account_id
            and q.decision_id is null
            and q.claimed_at > (
              select coalesce(max(s.sealed_at) - interval '1 hour', '-infinity')
                from orderlatch_data.event_seals as s
            )
       ) as q
        left join orderlatch_data.open_requests as o on o.request_id = q.request_id
        left join orderlatch_data.broker_responses as r on r.request_id = q.request_id
        left join orderlatch_data.lost_requests as l on l.request_id = q.request_id
       where (o.request_id is null) = (r.request_id is null and l.request_id is null)
    ) as v
   group by v.promise_no;
end
$$;
revoke all on function orderlatch_data.unsealed_promises() from public;
grant execute on function orderlatch_data.unsealed_promises() to orderlatch_operator, orderlatch_auditor;
comment on function orderlatch_data.unsealed_promises() is
  'Promises 1 to 4, 6 to 8, 10 to 13 and 15 of the view invariants. With the rights of the owner, as that '
  'view calls it for its readers.';
