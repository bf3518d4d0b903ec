-- Sessions that hold an account's advisory lock, or the cluster's, and since when their transaction goes on.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.lock_holders()
returns table (pid integer, purpose text, account_id integer, since timestamptz)
language sql
stable
parallel safe
security definer
set search_path = pg_catalog, pg_temp
as $$
  select l.pid, c.purpose, nullif(l.objid::bigint::integer, 0), s.xact_start
    from pg_locks as l
    join unnest('{cluster,shutting,gate,judging,granting,answering}'::text[]) as c(purpose)
      on l.classid = orderlatch_data.lock_class(c.purpose)::oid
    join pg_stat_activity as s on s.pid = l.pid
   where l.locktype = 'advisory'
     and l.objsubid = 2
     and l.granted
     and l.database = (select b.oid from pg_database as b where b.datname = current_database())
$$;
revoke all on function orderlatch_data.lock_holders() from public;
comment on function orderlatch_data.lock_holders() is
  'Who holds the cluster (no account), or accounts, or their gates (no account: that of all), for judging, '
  'granting, answering or a halt. With the rights of the owner, as nobody else sees the times of other '
  'logins'' sessions; null where the owner is not in pg_read_all_stats.';

-- Lives of workers whose listening connection holds its lock.
create or replace view orderlatch_data.living_workers as
  select distinct l.objid::bigint::integer as worker_id
    from pg_locks as l
   where l.locktype = 'advisory'
     and l.database = (select b.oid from pg_database as b where b.datname = current_database())
     and l.classid = orderlatch_data.lock_class('worker')::oid
     and l.objsubid = 2
     and l.granted
     -- whoever asks whether it is gone holds it shared for a moment
     and l.mode = 'ExclusiveLock';
comment on view orderlatch_data.living_workers is
  'Their worker_ids, by one look at the locks: of the lives that there ever were most have ended.';
