-- Which database this is: a restore, even into the same server, makes another one.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.home()
returns bigint
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  -- the directory of its files is named after the database: no catalogue is read
  return split_part(pg_relation_filepath('orderlatch_data.clusters'), '/', -2)::bigint << 32
       | 'orderlatch_data.clusters'::regclass::oid::bigint;
end
$$;
revoke all on function orderlatch_data.home() from public;
comment on function orderlatch_data.home() is
  'Object ids of the database (upper 32 bits) and of the table clusters. A dump that is restored has '
  'others; a physical copy has the same.';

-- The timeline of the WAL that this server writes; the control file lags behind after a promotion.
-- Locks: none. Raises: 55000 on a standby, which writes none.
create or replace function orderlatch_data.timeline()
returns integer
language plpgsql
volatile
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::integer;
end
$$;
revoke all on function orderlatch_data.timeline() from public;
comment on function orderlatch_data.timeline() is
  'Number of the timeline: it grows with each promotion and with each restore to a point in time.';

-- Whether this is the server that claims found themselves on last, running since then.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.is_known_server()
returns boolean
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_last record;
begin
  select c.server_started_at, c.timeline, c.home into v_last
    from orderlatch_data.clusters as c
   order by c.cluster_no desc
   limit 1;
  return found
     and v_last.server_started_at = pg_postmaster_start_time()
     and v_last.timeline = orderlatch_data.timeline()
     and v_last.home = orderlatch_data.home();
end
$$;
revoke all on function orderlatch_data.is_known_server() from public;
comment on function orderlatch_data.is_known_server() is
  'Whether start, timeline and home of this server are those of the newest row of clusters. The system '
  'identifier need not be asked: it cannot change while a server runs.';

-- Has a claim that does not know its server note it. One claim does, the others come again.
-- Locks: cluster (try). Raises: none.
create or replace function orderlatch_data.know_server()
returns boolean
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  if not pg_try_advisory_xact_lock(orderlatch_data.lock_class('cluster'), 0) then
    return false;
  end if;
  -- asked again by a statement of its own: the last holder of the lock may have noted it
  if not orderlatch_data.is_known_server() then
    perform orderlatch_data.note_server();
  end if;
  return true;
end
$$;
revoke all on function orderlatch_data.know_server() from public;
comment on function orderlatch_data.know_server() is
  'For a claim that found is_known_server false: notes the server that this is, unless another session just '
  'has. Returns false while another session is noting it: before that is committed nothing may be granted.';

-- Notes the server that this is, and has every account read.
-- Locks: none; the caller holds the cluster, or knows that no account is there. Raises: none.
create or replace function orderlatch_data.note_server()
returns void
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_now constant timestamptz := orderlatch_data.clock();
  v_last orderlatch_data.clusters;
  v_this orderlatch_data.clusters;
begin
  select c.* into v_last from orderlatch_data.clusters as c order by c.cluster_no desc limit 1;
  select s.system_identifier, orderlatch_data.timeline(), orderlatch_data.home()
    into v_this.system_identifier, v_this.timeline, v_this.home
    from pg_control_system() as s;
  v_this.why := case
    when v_last.cluster_no is null then 'first'
    when (v_last.system_identifier, v_last.timeline, v_last.home)
       = (v_this.system_identifier, v_this.timeline, v_this.home) then 'restart'
    else 'cluster'
  end;
  -- a read that the server before has begun must not count, even if that server's clock was ahead
  select greatest(v_now, max(greatest(r.began_at, r.covered_at)) + interval '1 microsecond')
    into v_this.reads_from
    from orderlatch_data.broker_reads as r
   where r.purpose <> 'proof';
  v_this.changed_from := case when v_this.why = 'cluster' then v_this.reads_from else v_last.changed_from end;
  insert into orderlatch_data.clusters
    (system_identifier, timeline, home, server_started_at, noticed_at, why, reads_from, changed_from)
  values (
    v_this.system_identifier, v_this.timeline, v_this.home, pg_postmaster_start_time(), v_now, v_this.why,
    v_this.reads_from, v_this.changed_from
  );
  if v_this.why = 'cluster' then
    perform orderlatch_data.open_incident(
      'cluster_changed', null, null, null,
      jsonb_build_object(
        'system_identifier', array[v_last.system_identifier, v_this.system_identifier],
        'timeline', array[v_last.timeline, v_this.timeline]
      ),
      v_this.system_identifier || '/' || v_this.timeline
    );
  end if;
  if v_this.why <> 'first' then
    perform orderlatch_data.read_everything(v_this.why);
  end if;
end
$$;
revoke all on function orderlatch_data.note_server() from public;
comment on function orderlatch_data.note_server() is
  'Inserts a row into clusters: from its commit on no account submits before it is reconciled, see '
  'reconcile_waits. Another cluster, or one that was promoted or restored, is the incident '
  'cluster_changed: halts and withdrawals of its last moments may be lost as well.';

-- Wishes for all reads of all accounts, and for another of the orders once unknown calls have ended.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.read_everything(p_why text)
returns void
language sql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  -- inserted as it is: wish_reads would take one that is due earlier for as good
  insert into orderlatch_data.read_wishes (account_id, purpose, reason, due_at)
  select w.account_id, 'orders', p_why, w.reads_from
    from orderlatch_data.reconcile_waits as w
   where w.reason = 'cluster' and p_why = 'cluster'
   order by w.account_id;
  select orderlatch_data.wish_reads(a.account_id, '{orders,open_orders,fills,positions}', p_why)
    from orderlatch_data.accounts as a
   order by a.account_id;
$$;
revoke all on function orderlatch_data.read_everything(text) from public;
comment on function orderlatch_data.read_everything(text) is
  'wish_reads for every account. p_why: restart or cluster, for people.';

-- The servers that this database has been on.
create or replace view orderlatch.clusters as
  select c.cluster_no, c.why, c.noticed_at, c.server_started_at, c.system_identifier, c.timeline
    from orderlatch_data.clusters as c
   order by c.cluster_no;
revoke all on orderlatch.clusters from public;
grant select on orderlatch.clusters to orderlatch_operator, orderlatch_auditor;
comment on view orderlatch.clusters is
  'Each start of each server that claims have found themselves on. why: first; restart; or cluster, when '
  'another server has taken over, or a backup was restored, and commits may be lost.';

drop trigger if exists written_once on orderlatch_data.clusters;
create trigger written_once before update or delete or truncate on orderlatch_data.clusters
  for each statement execute function orderlatch_data.refuse_change();
comment on trigger written_once on orderlatch_data.clusters is 'Refuses update, delete and truncate.';
