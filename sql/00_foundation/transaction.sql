-- Refuses an isolation level whose snapshot was taken before the locks.
-- Locks: none. Raises: OL132 isolation_unsupported.
create or replace function orderlatch_data.require_read_committed()
returns void
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  if current_setting('transaction_isolation') not in ('read committed', 'read uncommitted') then
    raise exception using
      errcode = 'OL132',
      message = format(
        'isolation_unsupported: the transaction is %s', current_setting('transaction_isolation')
      ),
      detail = 'A snapshot taken before the lock would not see what the lock''s last holder has committed.',
      hint = 'Call this function in a READ COMMITTED transaction.';
  end if;
end
$$;
revoke all on function orderlatch_data.require_read_committed() from public;
comment on function orderlatch_data.require_read_committed() is
  'Passes in a read committed transaction (read uncommitted is the same thing in Postgres), else OL132 '
  'isolation_unsupported.';

-- Makes the commit of this transaction durable, whatever server, database or role have switched off.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.make_durable()
returns void
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  -- remote_apply waits for more than on does, and stays
  if current_setting('synchronous_commit') not in ('on', 'remote_apply') then
    perform set_config('synchronous_commit', 'on', true);
  end if;
end
$$;
revoke all on function orderlatch_data.make_durable() from public;
comment on function orderlatch_data.make_durable() is
  'Raises synchronous_commit to on for the rest of the transaction, so that what it records survives a '
  'crash of the server. remote_apply stays as it is.';
