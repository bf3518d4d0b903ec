-- When an account next has something to read or to cancel at the broker.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.next_read_at(p_account_id integer)
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
      select min(r.next_page_at)
        from orderlatch_data.broker_reads as r
       where r.account_id = p_account_id
         and (r.completed_at is null or r.purpose <> 'proof')
         and r.request_id is null
         and r.next_page_at > v_now
    ),
    (
      select min(w.due_at)
        from orderlatch_data.read_wishes as w
       where w.account_id = p_account_id and w.due_at > v_now
    ),
    (
      select min(c.next_try_at)
        from orderlatch_data.order_checks as c
       where c.account_id = p_account_id and c.next_try_at > v_now
    ),
    (
      select min(c.next_try_at)
        from orderlatch_data.order_cancels as c
       where c.account_id = p_account_id and c.ended_at is null and c.next_try_at > v_now
    )
  );
end
$$;
revoke all on function orderlatch_data.next_read_at(integer) from public;
comment on function orderlatch_data.next_read_at(integer) is
  'The nearest moment at which a page, a standing read, a single order or a cancel of the account comes due; '
  'null when there is none.';
