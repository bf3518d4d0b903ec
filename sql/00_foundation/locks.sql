-- Names the classes of the two-key advisory locks, in one place: this list is the order of locking.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.lock_class(p_name text)
returns integer
language plpgsql
immutable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return case p_name
    when 'worker' then 20300     -- held by a session: this life of a worker goes on; key worker_id
    when 'cluster' then 20307    -- noting the server that claims find themselves on; key 0
    when 'judging' then 20301    -- recording and judging decisions of an account; key account_id
    when 'shutting' then 20306   -- a halt is being set; keys as of gate; claims only look
    when 'gate' then 20305       -- claims that may submit, shared; a halt, alone; key account_id, 0: all
    when 'granting' then 20302   -- granting calls for an account; key account_id
    when 'answering' then 20303  -- recording answers that change what is known of an account; key account_id
    when 'decision' then 20304   -- moving one decision; key: see decision_lock_key, request_lock_key
    when 'agenda' then 20308     -- changing when an account is to be visited; only tried; key account_id
    when 'following' then 20309  -- held by a session, shared: it follows events; others only try; key 0
  end;
end
$$;
revoke all on function orderlatch_data.lock_class(text) from public;
comment on function orderlatch_data.lock_class(text) is
  'First key of an advisory lock. p_name: worker, cluster, judging, shutting, gate, granting, answering, '
  'decision, agenda or following; a constant one costs nothing, as it is looked up when the statement is '
  'planned. Returns null for any other name.';

-- The second key of a decision's lock.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.decision_lock_key(p_decision_hash bytea)
returns integer
language plpgsql
immutable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return ('x' || encode(substr(p_decision_hash, 1, 4), 'hex'))::bit(32)::integer;
end
$$;
revoke all on function orderlatch_data.decision_lock_key(bytea) from public;
comment on function orderlatch_data.decision_lock_key(bytea) is
  'Second key of a decision''s advisory lock. p_decision_hash: 32 bytes. Two decisions may share a key: '
  'they then only wait for each other.';

-- Holds an account for one purpose until the transaction ends; waits at most 5 seconds.
-- Locks: account. Raises: OL201 account_busy.
create or replace function orderlatch_data.lock_account(p_purpose text, p_account_id integer)
returns void
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
set lock_timeout = '5s'
as $$
begin
  if pg_try_advisory_xact_lock(orderlatch_data.lock_class(p_purpose), p_account_id) then
    return;
  end if;
  -- a block of its own: it is a subtransaction, and few come here
  begin
    perform pg_advisory_xact_lock(orderlatch_data.lock_class(p_purpose), p_account_id);
  exception
    when lock_not_available then
      raise exception using
        errcode = 'OL201',
        message = format(
          'account_busy: another session holds the account for %s for more than 5 seconds', p_purpose
        ),
        detail = format('account_id=%s', p_account_id),
        hint = 'Try again. If it stays so, look for a transaction that stays open: see pg_stat_activity.';
  end;
end
$$;
revoke all on function orderlatch_data.lock_account(text, integer) from public;
comment on function orderlatch_data.lock_account(text, integer) is
  'Holds the account''s advisory lock of a class until the transaction ends. p_purpose: judging, '
  'granting or answering. Waits at most 5 s, then OL201 account_busy.';

-- Holds decisions, ascending by key so that no two sessions wait for each other; each wait is at most 5 s.
-- Locks: decisions ascending. Raises: OL202 decision_busy.
create or replace function orderlatch_data.lock_decisions(p_lock_keys integer[])
returns void
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
set lock_timeout = '5s'
as $$
declare
  v_keys integer[] := p_lock_keys;
  v_key integer;
begin
  if cardinality(p_lock_keys) > 1 then
    v_keys := array(select distinct k.lock_key from unnest(p_lock_keys) as k(lock_key) order by k.lock_key);
  end if;
  -- a loop, because the order of locking is the point
  foreach v_key in array coalesce(v_keys, array[]::integer[]) loop
    continue when v_key is null or orderlatch_data.try_lock_decision(v_key);
    begin
      perform pg_advisory_xact_lock(orderlatch_data.lock_class('decision'), v_key);
    exception
      when lock_not_available then
        raise exception using
          errcode = 'OL202',
          message = 'decision_busy: another session holds the decision for more than 5 seconds',
          detail = format('lock key=%s', v_key),
          hint = 'Try again. If it stays so, look for a transaction that stays open: see pg_stat_activity.';
    end;
  end loop;
end
$$;
revoke all on function orderlatch_data.lock_decisions(integer[]) from public;
comment on function orderlatch_data.lock_decisions(integer[]) is
  'Holds the advisory locks of decisions until the transaction ends. p_lock_keys: see decision_lock_key; '
  'nulls are skipped. Waits at most 5 s for each, then OL202 decision_busy.';

-- Holds one decision, or says at once that another session does.
-- Locks: decision (try). Raises: none.
create or replace function orderlatch_data.try_lock_decision(p_lock_key integer)
returns boolean
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return pg_try_advisory_xact_lock(orderlatch_data.lock_class('decision'), p_lock_key);
end
$$;
revoke all on function orderlatch_data.try_lock_decision(integer) from public;
comment on function orderlatch_data.try_lock_decision(integer) is
  'Tries a decision''s advisory lock, until the transaction ends. Returns whether it is held now. Never '
  'waits.';
