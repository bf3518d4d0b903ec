-- A dump restored into a young cluster: its events bear transaction numbers that are still to come here.
select test.given_account();
select test.given_decision();
alter table orderlatch_data.decision_events set (autovacuum_enabled = off);
set session_replication_role = replica;
set synchronous_commit = off;
insert into orderlatch_data.decision_events
  (decision_id, from_status, to_status, moved_at, moved_by, reason, event_hash, server_started_at, xid)
select 1, 'none', 'planned', clock_timestamp(), 'x', 'x', '', '2026-01-01', (5000000000 + n.no)::text::xid8
  from generate_series(1, 20000) as n(no);
reset session_replication_role;

-- The rows of the journal that a call reads, by whatever way.
create function test.rows_read(p_cursor text)
returns bigint
language plpgsql
as $$
declare
  v_before bigint;
  v_after bigint;
begin
  select s.seq_tup_read + s.idx_tup_fetch into v_before
    from pg_stat_xact_user_tables as s where s.relid = 'orderlatch_data.decision_events'::regclass;
  perform from orderlatch.events_since(p_cursor, 100);
  select s.seq_tup_read + s.idx_tup_fetch into v_after
    from pg_stat_xact_user_tables as s where s.relid = 'orderlatch_data.decision_events'::regclass;
  return v_after - v_before;
end
$$;
select cursor as behind from orderlatch.events_since('now') \gset
select test.given_decision();

select plan(2);
select cmp_ok(test.rows_read(:'behind'), '<=', 110::bigint, 'what is new is read, and nothing of the cluster before');
analyze orderlatch_data.decision_events;
select cmp_ok(test.rows_read(:'behind'), '<=', 110::bigint, 'with statistics too');
select * from finish();
