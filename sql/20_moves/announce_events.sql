-- Wakes those who follow events of accounts, once the transaction commits.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.announce_events(p_account_ids integer[])
returns void
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  if cardinality(p_account_ids) > 0 then
    perform pg_notify('orderlatch_events', a.account)
       from orderlatch_data.accounts as a
      where a.account_id = any (p_account_ids);
  end if;
end
$$;
revoke all on function orderlatch_data.announce_events(integer[]) from public;
comment on function orderlatch_data.announce_events(integer[]) is
  'Notifies the channel orderlatch_events with the name of each account: events_since has something.';
