-- Lets a claim in to grant submits, until its transaction ends, unless a halt of the scope is being set.
-- Locks: gate (try, shared); shutting (try, shared, given back at once). Raises: none.
create or replace function orderlatch_data.try_enter_gate(p_key integer)
returns boolean
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  -- in this order: whoever sets a halt and then looks who is inside sees every claim that was let in before
  return case
    when not pg_try_advisory_xact_lock_shared(orderlatch_data.lock_class('gate'), p_key) then false
    when not pg_try_advisory_lock_shared(orderlatch_data.lock_class('shutting'), p_key) then false
    else pg_advisory_unlock_shared(orderlatch_data.lock_class('shutting'), p_key)
  end;
end
$$;
revoke all on function orderlatch_data.try_enter_gate(integer) from public;
comment on function orderlatch_data.try_enter_gate(integer) is
  'Whether submits may be granted in this transaction, as far as this gate goes. p_key: an account_id, or 0 '
  'for the gate of all accounts; a submit needs both. Halts must be read in a later statement. Never waits.';

-- Shuts a gate: from now until the transaction ends no claim is let in; waits for those that are inside.
-- Locks: shutting, gate (alone), at most 5 seconds. Raises: none.
create or replace function orderlatch_data.shut_gate(p_key integer)
returns boolean
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  -- a block of its own: what is held here stays held when the next block gives up
  begin
    perform orderlatch_data.wait_for_shutting(p_key);
  exception
    when lock_not_available or deadlock_detected then
      return false;
  end;
  begin
    perform orderlatch_data.wait_for_gate(p_key);
  exception
    when lock_not_available or deadlock_detected then
      return false;
  end;
  return true;
end
$$;
revoke all on function orderlatch_data.shut_gate(integer) from public;
comment on function orderlatch_data.shut_gate(integer) is
  'Returns whether every claim that was inside has ended. If not, another one is let in only after this '
  'transaction, and sessions_at_gate names those that are inside. p_key: as of try_enter_gate.';

-- Keeps further claims from entering a gate; waits at most a second, for another halt of the same scope.
-- Locks: shutting. Raises: none of its own; 55P03 after a second.
create or replace function orderlatch_data.wait_for_shutting(p_key integer)
returns void
language sql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
set lock_timeout = '1s'
as $$
  select pg_advisory_xact_lock(orderlatch_data.lock_class('shutting'), p_key)
$$;
revoke all on function orderlatch_data.wait_for_shutting(integer) from public;
comment on function orderlatch_data.wait_for_shutting(integer) is
  'Claims hold this lock for no longer than it takes to look. Held until the transaction ends.';

-- Waits at most 4 seconds until no claim is inside a gate.
-- Locks: gate (alone). Raises: none of its own; 55P03 after 4 seconds.
create or replace function orderlatch_data.wait_for_gate(p_key integer)
returns void
language sql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
set lock_timeout = '4s'
as $$
  select pg_advisory_xact_lock(orderlatch_data.lock_class('gate'), p_key)
$$;
revoke all on function orderlatch_data.wait_for_gate(integer) from public;
comment on function orderlatch_data.wait_for_gate(integer) is
  'Held until the transaction ends.';

-- The sessions, other than this one, that a halt could not wait for.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.sessions_at_gate(p_key integer)
returns table (pid integer, login text, since timestamptz)
language sql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select distinct l.pid, s.usename::text, s.xact_start
    from pg_locks as l
    join pg_stat_activity as s on s.pid = l.pid
   where l.locktype = 'advisory'
     and l.classid in (orderlatch_data.lock_class('gate')::oid, orderlatch_data.lock_class('shutting')::oid)
     and l.objid = p_key::oid
     and l.objsubid = 2
     and l.granted
     and l.database = (select d.oid from pg_database as d where d.datname = current_database())
     and l.pid <> pg_backend_pid()
   order by l.pid
$$;
revoke all on function orderlatch_data.sessions_at_gate(integer) from public;
comment on function orderlatch_data.sessions_at_gate(integer) is
  'Who is inside a gate, or is shutting it, and since when the transaction goes on: null where the owner is '
  'not in pg_read_all_stats.';

-- Submits on their way in a scope, each with the moment by which it has reached the broker or never will.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.submits_in_flight(
  p_account_id integer,
  p_strategy_id text,
  p_symbol text
)
returns table (
  request_id uuid,
  decision_id bigint,
  worker_id integer,
  claimed_at timestamptz,
  sent_by timestamptz
)
language sql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  with unanswered as (
    select r.request_id
      from orderlatch_data.open_requests as r
     where r.kind = 'submit_order' and r.account_id = coalesce(p_account_id, r.account_id)
    union
    -- one that was given up because its worker's life ended may be on the wire all the same
    select d.request_id
      from orderlatch_data.doubts as d
     where d.lost and d.account_id = coalesce(p_account_id, d.account_id)
  )
  select q.request_id, q.decision_id, q.worker_id, q.claimed_at, m.sent_by
    from unanswered as u
    join orderlatch_data.broker_requests as q on q.request_id = u.request_id
    join orderlatch_data.trade_decisions as t on t.decision_id = q.decision_id
   cross join lateral (
     select q.claimed_at + (q.send_within_ms + q.timeout_ms) * interval '1 millisecond' as sent_by
   ) as m
   where (p_strategy_id is null or t.strategy_id = p_strategy_id)
     and (p_symbol is null or orderlatch_data.is_same_symbol(t.symbol, p_symbol))
     and m.sent_by > orderlatch_data.clock()
   order by q.claimed_at, q.request_id
$$;
revoke all on function orderlatch_data.submits_in_flight(integer, text, text) from public;
comment on function orderlatch_data.submits_in_flight(integer, text, text) is
  'Unanswered submits of a scope (null: any). sent_by: its call begins within send_within_ms of the claim '
  'and is over timeout_ms later, so that nothing of it leaves after that.';
