-- When an account next has something to do that is not to be done yet.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.next_due_at(p_account orderlatch_data.accounts)
returns timestamptz
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_now constant timestamptz := orderlatch_data.clock();
begin
  return least(
    (
      select min(o.next_try_at)
        from orderlatch_data.open_decisions as o
       where o.account_id = p_account.account_id and o.status = 'approved' and o.next_try_at > v_now
    ),
    (
      select o.lapse_at
        from orderlatch_data.open_decisions as o
       where o.account_id = p_account.account_id and o.lapse_at > v_now
       order by o.lapse_at
       limit 1
    ),
    (
      select d.next_lookup_at
        from orderlatch_data.doubts as d
       where d.account_id = p_account.account_id and d.next_lookup_at > v_now
       order by d.next_lookup_at
       limit 1
    ),
    (
      select min(r.next_page_at)
        from orderlatch_data.order_reads as r
       where r.account_id = p_account.account_id and r.completed_at is null and r.next_page_at > v_now
    ),
    (
      select min(q.answer_by)
        from orderlatch_data.open_requests as q
       where q.account_id = p_account.account_id and q.answer_by > v_now
    ),
    (
      select min(b.next_try_at)
        from orderlatch_data.kind_backoffs as b
       where b.account_id = p_account.account_id and b.next_try_at > v_now
    ),
    (
      select s.paused_until
        from orderlatch_data.account_states as s
       where s.account_id = p_account.account_id and s.paused_until > v_now
    )
  );
end
$$;
revoke all on function orderlatch_data.next_due_at(orderlatch_data.accounts) from public;
comment on function orderlatch_data.next_due_at(orderlatch_data.accounts) is
  'The nearest moment at which a back-off, a pause, a decision, a lookup or a request of the account comes '
  'due; null when there is none. What is due already and was not granted waits for a person, an answer or '
  'another worker, and does not count.';
