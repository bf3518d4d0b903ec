-- Waits until every transaction that is writing events or acts now has ended, at most 5 seconds.
-- Locks: none. Raises: OL204 writers_busy.
create or replace function orderlatch_data.await_writers()
returns void
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_writers constant text[] := orderlatch_data.audit_writers();
begin
  for v_look in 1 .. 500 loop
    if not v_writers && orderlatch_data.audit_writers() then
      return;
    end if;
    perform pg_sleep(0.01);
  end loop;
  raise exception using
    errcode = 'OL204',
    message = 'writers_busy: a transaction that is writing events or acts has not ended in 5 seconds',
    detail = (
      select string_agg(
               case
                 when w.pid is null then 'a prepared transaction'
                 else format('session %s, since %s', w.pid, s.xact_start)
               end, '; ' order by w.pid
             )
        from orderlatch_data.writing_sessions as w
        left join pg_stat_activity as s on s.pid = w.pid
       where w.virtualtransaction = any (v_writers)
    ),
    hint = 'Call again; pg_stat_activity shows what it waits for.';
end
$$;
revoke all on function orderlatch_data.await_writers() from public;
comment on function orderlatch_data.await_writers() is
  'Once it has returned, every event and act whose number was drawn before is committed, or never will be. '
  'Nobody waits for this one.';

-- Other transactions that are writing events or acts, by the lock that each writer of a table holds.
create or replace view orderlatch_data.writing_sessions as
  select distinct l.pid, l.virtualtransaction
    from pg_locks as l
   where l.locktype = 'relation'
     and l.database = (select b.oid from pg_database as b where b.datname = current_database())
     and l.relation in (
       'orderlatch_data.decision_events'::regclass, 'orderlatch_data.operator_acts'::regclass
     )
     and l.mode in ('RowExclusiveLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
     and l.granted
     and l.pid is distinct from pg_backend_pid();
comment on view orderlatch_data.writing_sessions is
  'Their process ids (null: a prepared transaction) and virtual transaction ids.';

-- The virtual transaction ids of writing_sessions.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.audit_writers()
returns text[]
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return array(select w.virtualtransaction from orderlatch_data.writing_sessions as w);
end
$$;
revoke all on function orderlatch_data.audit_writers() from public;
comment on function orderlatch_data.audit_writers() is 'Empty when nobody else is writing.';
