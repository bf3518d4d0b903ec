-- Makes accounts due for a visit, without waiting for anybody.
-- Locks: none; a row of the agenda that somebody else is changing is passed over. Raises: none.
create or replace function orderlatch_data.wake_accounts(p_account_ids integer[])
returns void
language sql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  with held as materialized (
    -- held until the commit: a visit meanwhile cannot say that it has done all there was
    select g.account_id, g.due_at, g.tidy_at
      from orderlatch_data.account_agenda as g
     where g.account_id = any (p_account_ids)
       -- a snapshot older than the row could not lock it
       and current_setting('transaction_isolation') not in ('repeatable read', 'serializable')
     order by g.account_id
       for no key update skip locked
  ), woken as (
    update orderlatch_data.account_agenda as g
       set due_at = n.now_at, tidy_at = n.now_at
      from held as h
     cross join (select orderlatch_data.clock() as now_at) as n
     where g.account_id = h.account_id and (h.due_at > n.now_at or h.tidy_at > n.now_at)
  )
  insert into orderlatch_data.account_wakes (account_id)
  select distinct a.account_id
    from unnest(p_account_ids) as a(account_id)
   where not exists (select 1 from held as h where h.account_id = a.account_id)
$$;
revoke all on function orderlatch_data.wake_accounts(integer[]) from public;
comment on function orderlatch_data.wake_accounts(integer[]) is
  'From the commit of this transaction on the accounts are due: by their row of account_agenda, or, where a '
  'visit or another waker is changing that at this moment, by a row of account_wakes.';
