-- Whether a 429 keeps the account from making any call.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.is_paused(p_account_id integer)
returns boolean
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return exists (
    select 1
      from orderlatch_data.account_states as s
     where s.account_id = p_account_id and s.paused_until > orderlatch_data.clock()
  );
end
$$;
revoke all on function orderlatch_data.is_paused(integer) from public;
comment on function orderlatch_data.is_paused(integer) is
  'Whether the broker''s rate limit has not reset yet.';

-- Whether this life of a worker has proved to hold the keys of the account.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.is_verified(p_worker_id integer, p_account_id integer)
returns boolean
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return exists (
    select 1
      from orderlatch_data.worker_accounts as c
     where c.worker_id = p_worker_id and c.account_id = p_account_id and c.verified_at is not null
  );
end
$$;
revoke all on function orderlatch_data.is_verified(integer, integer) from public;
comment on function orderlatch_data.is_verified(integer, integer) is
  'Whether get_account answered this life of a worker with the account''s broker_account_id.';
