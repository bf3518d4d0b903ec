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
      select p.promise_no, p.violations
        from orderlatch_data.promises_about(
               v_decision_ids, orderlatch_data.unsealed_orders(v_decision_ids)
             ) as p
      union all
      -- since an hour before the newest seal: no call takes that long
      select c.promise_no, c.violations
        from orderlatch_data.other_call_promises((
               select coalesce(max(s.sealed_at) - interval '1 hour', '-infinity')
                 from orderlatch_data.event_seals as s
             )) as c
    ) as v
   group by v.promise_no;
end
$$;
revoke all on function orderlatch_data.unsealed_promises() from public;
grant execute on function orderlatch_data.unsealed_promises() to orderlatch_operator, orderlatch_auditor;
comment on function orderlatch_data.unsealed_promises() is
  'Promises 1 to 4, 6 to 8, 10 to 13 and 15 of the view invariants. With the rights of the owner, as that '
  'view calls it for its readers.';
