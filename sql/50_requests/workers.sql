-- Registers a life of a worker: a new id, held alive by a session lock of the connection that calls.
-- Locks: worker (session, until the connection ends). Raises: OL102, OL131, OL301, OL302, OL306.
create or replace function orderlatch.register_worker(
  p_worker_name text,
  p_accounts jsonb,
  p_schema_version integer
)
returns integer
language plpgsql
volatile
parallel unsafe
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_worker_id integer;
  v_carried record;
  v_account orderlatch_data.accounts;
begin
  if p_schema_version is distinct from orderlatch.schema_version() then
    raise exception using
      errcode = 'OL306',
      message = format(
        'schema_version_unsupported: the worker speaks version %s', coalesce(p_schema_version::text, 'null')
      ),
      detail = format('this database speaks version %s', orderlatch.schema_version()),
      hint = 'Upgrade whichever is older.';
  end if;
  if coalesce(p_worker_name, '') !~ '^[[:graph:]]{1,128}$' then
    raise exception using
      errcode = 'OL131',
      message = 'argument_invalid: p_worker_name must be 1 to 128 visible characters without blanks';
  end if;
  perform orderlatch_data.require_batch('p_accounts', p_accounts);

  insert into orderlatch_data.workers as w (worker_name, login, registered_at)
  values (p_worker_name, session_user, orderlatch_data.clock())
  returning w.worker_id into v_worker_id;

  -- a loop, because each account is checked by name
  for v_carried in
    select c.carried ->> 'account' as account, c.carried ->> 'environment' as environment
      from jsonb_array_elements(p_accounts) as c(carried)
     order by c.carried ->> 'account'
  loop
    v_account := orderlatch_data.find_account(v_carried.account);
    perform orderlatch_data.require_carrier(v_account);
    if v_carried.environment is distinct from v_account.environment then
      raise exception using
        errcode = 'OL302',
        message = format('environment_mismatch: account %L is %s', v_account.account, v_account.environment),
        detail = format(
          'the worker''s base URL for it is %s', coalesce(v_carried.environment, 'of no environment')
        ),
        hint = 'No call was made. Correct the base URL, or the account that the worker carries.';
    end if;
    insert into orderlatch_data.worker_accounts (worker_id, account_id, environment)
    values (v_worker_id, v_account.account_id, v_carried.environment)
    on conflict on constraint worker_accounts_pkey do nothing;
  end loop;

  perform pg_advisory_lock(orderlatch_data.lock_class('worker'), v_worker_id);
  return v_worker_id;
end
$$;
revoke all on function orderlatch.register_worker(text, jsonb, integer) from public;
grant execute on function orderlatch.register_worker(text, jsonb, integer) to orderlatch_worker;
comment on function orderlatch.register_worker(text, jsonb, integer) is
  'Registers a life of a worker and returns its worker_id. The connection that calls holds a session lock '
  'on it: when the connection ends, the life has ended and its unanswered requests are lost. p_worker_name: '
  'for people. p_accounts: JSON array of {"account", "environment"}; environment is that of the base URL '
  'the worker would call. p_schema_version: what the worker speaks. Raises OL102 account_unknown, OL131 '
  'argument_invalid, OL301 login_not_bound, OL302 environment_mismatch, OL306 schema_version_unsupported.';

-- Ends a life of a worker that has recorded all its answers.
-- Locks: none; gives back the session lock of register_worker. Raises: OL101 worker_unknown.
create or replace function orderlatch.release_worker(p_worker_id integer)
returns void
language plpgsql
volatile
parallel unsafe
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  update orderlatch_data.workers as w
     set released_at = orderlatch_data.clock()
   where w.worker_id = p_worker_id and w.login = session_user and w.released_at is null;
  if not found then
    raise exception using
      errcode = 'OL101',
      message = format(
        'worker_unknown: no worker %s of login %L is registered',
        coalesce(p_worker_id::text, 'null'), session_user
      );
  end if;
  perform pg_advisory_unlock(orderlatch_data.lock_class('worker'), p_worker_id);
end
$$;
revoke all on function orderlatch.release_worker(integer) from public;
grant execute on function orderlatch.release_worker(integer) to orderlatch_worker;
comment on function orderlatch.release_worker(integer) is
  'Says goodbye: the worker claims nothing any more. To be called on the connection that registered. Raises '
  'OL101 worker_unknown.';

-- Whether a life of a worker has ended: nobody holds its lock.
-- Locks: worker (try, shared). Raises: none.
create or replace function orderlatch_data.worker_is_gone(p_worker_id integer)
returns boolean
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  -- the usual answer costs one try of a lock that another session holds
  if not pg_try_advisory_xact_lock_shared(orderlatch_data.lock_class('worker'), p_worker_id) then
    return false;
  end if;
  -- a session can share its own lock: then it is alive too, and this is its connection
  return not exists (
    select 1
      from pg_locks as l
     where l.locktype = 'advisory'
       and l.database = (select d.oid from pg_database as d where d.datname = current_database())
       and l.classid = orderlatch_data.lock_class('worker')::oid
       and l.objid = p_worker_id::oid
       and l.objsubid = 2
       and l.mode = 'ExclusiveLock'
       and l.granted
  );
end
$$;
revoke all on function orderlatch_data.worker_is_gone(integer) from public;
comment on function orderlatch_data.worker_is_gone(integer) is
  'Whether no session holds the liveness lock of a worker. Tells nothing in the first seconds after the '
  'server started, when nobody has had time to connect again: the caller waits for that.';

-- Refuses a worker that is not registered, or whose listening connection is gone.
-- Locks: worker (try, shared). Raises: OL101 worker_unknown.
create or replace function orderlatch_data.require_worker(p_worker_id integer)
returns void
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  perform
     from orderlatch_data.workers as w
    where w.worker_id = p_worker_id and w.login = session_user and w.released_at is null;
  if not found or orderlatch_data.worker_is_gone(p_worker_id) then
    raise exception using
      errcode = 'OL101',
      message = format('worker_unknown: worker %s is not alive', coalesce(p_worker_id::text, 'null')),
      detail = 'It is not registered by this login, has said goodbye, or its listening connection has ended.',
      hint = 'Call register_worker on the listening connection and claim with the new id.';
  end if;
end
$$;
revoke all on function orderlatch_data.require_worker(integer) from public;
comment on function orderlatch_data.require_worker(integer) is
  'Passes a worker_id that session_user registered and whose liveness lock is held, else OL101 '
  'worker_unknown.';

-- Refuses a login that is not bound to the account: it may neither claim its calls nor record their answers.
-- Locks: none. Raises: OL301 login_not_bound.
create or replace function orderlatch_data.require_carrier(p_account orderlatch_data.accounts)
returns void
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  if not orderlatch_data.login_may_act(p_account.account_id, null) then
    raise exception using
      errcode = 'OL301',
      message = format(
        'login_not_bound: login %L may not carry calls of account %L', session_user, p_account.account
      ),
      hint = 'An operator binds logins to whole accounts with bind_login.';
  end if;
end
$$;
revoke all on function orderlatch_data.require_carrier(orderlatch_data.accounts) from public;
comment on function orderlatch_data.require_carrier(orderlatch_data.accounts) is
  'Passes when session_user is bound to the whole account, else OL301 login_not_bound.';
