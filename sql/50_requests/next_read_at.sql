-- When an account next has something to read or to cancel at the broker.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.next_read_at(p_account_id integer, p_after timestamptz)
returns timestamptz
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return least(
    (
      select min(r.next_page_at)
        from orderlatch_data.broker_reads as r
       where r.account_id = p_account_id
         and (r.completed_at is null or r.purpose <> 'proof')
         and r.request_id is null
         and r.next_page_at > p_after
    ),
    (
      select min(w.due_at)
        from orderlatch_data.read_wishes as w
       where w.account_id = p_account_id and w.due_at > p_after
    ),
    (
      select min(c.next_try_at)
        from orderlatch_data.order_checks as c
       where c.account_id = p_account_id and c.next_try_at > p_after
    ),
    (
      select min(c.next_try_at)
        from orderlatch_data.order_cancels as c
       where c.account_id = p_account_id and c.ended_at is null and c.next_try_at > p_after
    )
  );
end
$$;
revoke all on function orderlatch_data.next_read_at(integer, timestamptz) from public;
comment on function orderlatch_data.next_read_at(integer, timestamptz) is
  'The nearest moment after p_after at which a page, a standing read, a single order or a cancel of the '
  'account comes due; null when there is none.';
