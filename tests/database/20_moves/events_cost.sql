-- Following events costs what is new, not what was: no table is scanned, and no more rows are read than are given.
select test.given_account();
select test.given_decision();
alter table orderlatch_data.decision_events set (autovacuum_enabled = off);
set session_replication_role = replica;
set synchronous_commit = off;
do $$
begin
  for v_transaction in 1 .. 100 loop
    insert into orderlatch_data.decision_events (decision_id, from_status, to_status, moved_at, moved_by, reason, event_hash)
    select 1, 'none', 'planned', clock_timestamp(), 'x', 'x', '' from generate_series(1, 1000);
    commit;
  end loop;
end
$$;
reset session_replication_role;

-- The rows of the journal that a call reads, by whatever way; a scan of all of them counts as many as there are.
create function test.rows_read(p_cursor text, p_how_many integer)
returns bigint
language plpgsql
as $$
declare
  v_before bigint;
  v_after bigint;
begin
  select s.seq_tup_read + s.idx_tup_fetch into v_before
    from pg_stat_xact_user_tables as s where s.relid = 'orderlatch_data.decision_events'::regclass;
  perform from orderlatch.events_since(p_cursor, p_how_many);
  select s.seq_tup_read + s.idx_tup_fetch into v_after
    from pg_stat_xact_user_tables as s where s.relid = 'orderlatch_data.decision_events'::regclass;
  return v_after - v_before;
end
$$;
select cursor as behind from orderlatch.events_since('now') \gset
select cursor as halfway from orderlatch.events_since(null, 1000) order by event_id offset 999 limit 1 \gset
select test.given_decision();
select test.given_decision();

select plan(12);
-- whatever the planner knows or does not know
select cmp_ok(test.rows_read(:'behind', 100), '<=', 110::bigint, 'what is new is read: before statistics');
select cmp_ok(test.rows_read(:'halfway', 100), '<=', 110::bigint, 'in a batch of 100,000, what is given: before statistics');
select cmp_ok(test.rows_read(null, 100), '<=', 110::bigint, 'from the beginning too: before statistics');
set plan_cache_mode = force_generic_plan;
select cmp_ok(test.rows_read(:'behind', 100), '<=', 110::bigint, 'what is new is read: with a plan for all cursors');
select cmp_ok(test.rows_read(:'halfway', 100), '<=', 110::bigint, 'in a batch, what is given: with a plan for all cursors');
select cmp_ok(test.rows_read(null, 100), '<=', 110::bigint, 'from the beginning too: with a plan for all cursors');
reset plan_cache_mode;
analyze orderlatch_data.decision_events;
select cmp_ok(test.rows_read(:'behind', 100), '<=', 110::bigint, 'what is new is read');
select cmp_ok(test.rows_read(:'halfway', 100), '<=', 110::bigint, 'in a batch, what is given');
select cmp_ok(test.rows_read(null, 100), '<=', 110::bigint, 'from the beginning too');
set plan_cache_mode = force_generic_plan;
select cmp_ok(test.rows_read(:'behind', 100), '<=', 110::bigint, 'what is new is read: with a plan for all cursors');
select cmp_ok(test.rows_read(:'halfway', 100), '<=', 110::bigint, 'in a batch, what is given: with a plan for all cursors');
select cmp_ok(test.rows_read(null, 100), '<=', 110::bigint, 'from the beginning too: with a plan for all cursors');
select * from finish();
