-- Says, until the connection ends, that this session follows events.
-- Locks: following (session, shared, until the connection ends). Raises: none.
create or replace function orderlatch_data.keep_following()
returns void
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  perform pg_advisory_lock_shared(orderlatch_data.lock_class('following'), 0);
end
$$;
revoke all on function orderlatch_data.keep_following() from public;
comment on function orderlatch_data.keep_following() is
  'From now on somebody_follows, until the connection ends. The session has to LISTEN itself.';

-- Whether anybody follows events: a commit that notifies waits for every other one that does.
-- Locks: following (try, given back at once). Raises: none.
create or replace function orderlatch_data.somebody_follows()
returns boolean
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_class constant integer := orderlatch_data.lock_class('following');
begin
  -- in one expression, within which nothing is canceled: held on, the lock would keep followers out
  return case when pg_try_advisory_lock(v_class, 0) then not pg_advisory_unlock(v_class, 0) else true end;
end
$$;
revoke all on function orderlatch_data.somebody_follows() from public;
comment on function orderlatch_data.somebody_follows() is
  'True where another session has said keep_following, or asks this at the same moment. Who begins to follow '
  'while a transaction that has asked is not committed yet is not notified by that one: a notification only '
  'saves waiting.';
