-- Whether the login reads the events of every decision, as the views show them to it.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.login_reads_all()
returns boolean
language sql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select pg_has_role(session_user, 'orderlatch_owner', 'member')
    or pg_has_role(session_user, 'orderlatch_operator', 'member')
    or pg_has_role(session_user, 'orderlatch_auditor', 'member')
    or pg_has_role(session_user, 'orderlatch_risk', 'member')
$$;
revoke all on function orderlatch_data.login_reads_all() from public;
comment on function orderlatch_data.login_reads_all() is
  'Whether session_user is a member of orderlatch_owner, _operator, _auditor or _risk; a strategy''s login '
  'reads the events of the decisions that it may act for.';

-- Names an event for ever. Its event_id alone may be given again after a restore that lost it.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.event_key(p_server_started_at timestamptz, p_event_id bigint)
returns text
language sql
immutable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select to_hex((extract(epoch from p_server_started_at) * 1000000)::bigint) || '-' || p_event_id
$$;
revoke all on function orderlatch_data.event_key(timestamptz, bigint) from public;
comment on function orderlatch_data.event_key(timestamptz, bigint) is
  'When the server that wrote the event started, in hexadecimal microseconds since 1970, and its event_id.';

-- Refuses to follow events where that cannot be done, or in steps that make no sense.
-- Locks: none. Raises: OL131 argument_invalid, OL135 server_is_standby.
create or replace function orderlatch_data.require_events(p_how_many integer)
returns void
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  if pg_is_in_recovery() then
    raise exception using
      errcode = 'OL135',
      message = 'server_is_standby: events are followed on the primary',
      detail = 'A standby cannot tell which transactions are under way.',
      hint = 'Put target_session_attrs=read-write into the connection string.';
  end if;
  if p_how_many is null or p_how_many not between 1 and 1000 then
    raise exception using
      errcode = 'OL131',
      message = 'argument_invalid: p_how_many must be from 1 to 1000',
      detail = format('it is %s', coalesce(p_how_many::text, 'null'));
  end if;
end
$$;
revoke all on function orderlatch_data.require_events(integer) from public;
comment on function orderlatch_data.require_events(integer) is
  'Passes a number from 1 to 1000 on a server that is no standby; else OL131 or OL135.';

-- The moves of decisions since a cursor, and a cursor for the next call. Reads only; nobody waits for it.
-- Locks: following (session, shared, until the connection ends). Raises: OL131, OL135.
create or replace function orderlatch.events_since(
  p_cursor text default null,
  p_how_many integer default 100
)
returns table (
  cursor text,
  caught_up boolean,
  event_id bigint,
  event_key text,
  decision_hash text,
  account text,
  strategy_id text,
  symbol text,
  from_status text,
  to_status text,
  moved_at timestamptz,
  reason text,
  request_id uuid
)
language plpgsql
stable
parallel restricted
security definer
set search_path = pg_catalog, pg_temp
set jit = off
set max_parallel_workers_per_gather = 0
as $$
declare
  v_all constant boolean := orderlatch_data.login_reads_all();
  -- of a login that may see few of the events, no more than this are looked at in one call
  v_looked_at constant integer := case when v_all then p_how_many else greatest(p_how_many, 1000) end;
  v_at orderlatch_data.event_cursor;
  v_batch text;
begin
  perform orderlatch_data.require_events(p_how_many);
  perform orderlatch_data.keep_following();
  v_at := orderlatch_data.read_cursor(p_cursor);
  v_batch := orderlatch_data.write_mark(v_at.behind) || '/' || orderlatch_data.write_mark(v_at.ahead) || '/';
  return query
  with looked_at as materialized (
    select e.*, d.account_id, d.strategy_id, d.symbol, d.decision_hash
      from orderlatch_data.events_between(v_at.behind, v_at.ahead, v_at.last_event_id, v_looked_at) as e
      join orderlatch_data.trade_decisions as d on d.decision_id = e.decision_id
  ), mine as materialized (
    select s.account_id, s.strategy_id
      from (select distinct l.account_id, l.strategy_id from looked_at as l) as s
     where v_all or orderlatch_data.login_may_act(s.account_id, s.strategy_id)
  ), given as materialized (
    select l.*, a.account
      from looked_at as l
      join mine as m on m.account_id = l.account_id and m.strategy_id = l.strategy_id
      join orderlatch_data.accounts as a on a.account_id = l.account_id
     order by l.event_id
     limit p_how_many
  )
  select v_batch || g.event_id, false, g.event_id,
         orderlatch_data.event_key(g.server_started_at, g.event_id), encode(g.decision_hash, 'hex'),
         g.account, g.strategy_id, g.symbol, g.from_status, g.to_status, g.moved_at, g.reason, g.request_id
    from given as g
  union all
  select case when c.is_last then orderlatch_data.write_mark(v_at.ahead) else v_batch || c.last_id end,
         c.is_last and v_at.begins_now, null, null, null, null, null, null, null, null, null, null, null
    from (
      select count(*) < v_looked_at as is_last, max(l.event_id) as last_id from looked_at as l
    ) as c
   where (select count(*) from given as g) < p_how_many
   order by 3 nulls last;
end
$$;
revoke all on function orderlatch.events_since(text, integer) from public;
grant execute on function orderlatch.events_since(text, integer) to
  orderlatch_strategy, orderlatch_risk, orderlatch_operator, orderlatch_auditor;
comment on function orderlatch.events_since(text, integer) is
  'Follows decisions without missing a move, whatever the order of commits. p_cursor: cursor of the last '
  'row that was dealt with; null: from the first event on; now: only what happens from now on. p_how_many: '
  'rows with an event, 1 to 1000. Each row has an event and the cursor behind it; those of one decision come '
  'in the order in which they happened. A row without an event says where to go on, now, or when there is '
  'something new (caught_up). event_key is unique for ever: after a restore events may come again, and '
  'event_id may name another event. A strategy sees the decisions that its login may act for. '
  'From the first call on the session counts as one that listens on orderlatch_events. See docs/events.md. '
  'Raises OL131 argument_invalid, OL135 server_is_standby.';
