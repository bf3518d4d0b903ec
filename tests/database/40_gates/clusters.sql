-- Claims notice when the database is on another server than before, and why.
begin;
select plan(19);

select test_support.hold_clock('2026-03-02 15:00:00Z');
select is_empty($$ select c.* from orderlatch.clusters as c $$, 'nothing is noted before there is an account');
create temporary table worlds as select test.given_reconciled_worker() as worker_id;
create function pg_temp.noted()
returns text[]
language sql
as $$ select array_agg(c.why order by c.cluster_no) from orderlatch_data.clusters as c $$;
create function pg_temp.claim()
returns void
language sql
as $$ select count(*) from worlds as w cross join lateral test.claim(w.worker_id) $$;

select results_eq(
  $$ select c.why, c.noticed_at, c.server_started_at, c.system_identifier, c.timeline from orderlatch.clusters as c $$,
  $$ select 'first', orderlatch_data.clock(), pg_postmaster_start_time(), s.system_identifier,
            ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::integer
       from pg_control_system() as s $$,
  'the first account notes the server that this is'
);
select test.given_mirrored_account('second');
select pg_temp.claim();
select is(pg_temp.noted(), '{first}', 'another account and claims on the same server note nothing');

-- A restart
select test.given_other_server();
select pg_temp.claim();
select is(pg_temp.noted(), '{first,first,restart}', 'a claim notices that the server was started again');
select results_eq(
  $$ select c.server_started_at, c.changed_from from orderlatch_data.clusters as c order by c.cluster_no desc limit 1 $$,
  $$ select pg_postmaster_start_time(), null::timestamptz $$,
  'and that no commit is lost by that'
);
select is(test.incidents(), '{}', 'a restart is no incident');
select pg_temp.claim();
select is(pg_temp.noted(), '{first,first,restart}', 'the next claim knows');

-- Another cluster
select test.given_other_server(p_timeline => 7);
select pg_temp.claim();
select is(
  (pg_temp.noted())[4:], '{restart,cluster}', 'another timeline, as after a promotion or a restore, is another cluster'
);
select is(test.incidents(), '{cluster_changed}', 'that is an incident');
select results_eq(
  $$ select i.account, i.detail -> 'timeline' from orderlatch.open_incidents as i $$,
  $$ select null::text, jsonb_build_array(7, orderlatch_data.timeline()) $$,
  'of no account, which names both timelines'
);
select test_support.advance_clock('1 minute');
select test.given_other_server(p_system_identifier => 42);
select pg_temp.claim();
select is((pg_temp.noted())[6:], '{cluster,cluster}', 'another system identifier, as after a dump was restored, is another cluster');
select is(test.incidents(), '{cluster_changed}', 'the incident is still open');
select test.given_other_server(p_home => 42);
select pg_temp.claim();
select is((pg_temp.noted())[8:], '{cluster,cluster}', 'a dump restored into the same server is another cluster');
select is(
  orderlatch_data.home() >> 32, (select d.oid::bigint from pg_database as d where d.datname = current_database()),
  'as home is the database'
);
select is(
  orderlatch_data.home() & ((1::bigint << 32) - 1), (select 'orderlatch_data.clusters'::regclass::oid::bigint), 'and the table'
);

-- After a restart the cluster has still changed when it did.
create temporary table changed as
  select c.changed_from from orderlatch_data.clusters as c order by c.cluster_no desc limit 1;
select test_support.advance_clock('1 second');
select test.given_other_server();
select pg_temp.claim();
select results_eq(
  $$ select c.why, c.reads_from, c.changed_from from orderlatch_data.clusters as c order by c.cluster_no desc limit 1 $$,
  $$ select 'restart', orderlatch_data.clock(), h.changed_from from changed as h $$,
  'a restart soon after a change does not make it forgotten'
);

-- The server before had a clock that was ahead.
update orderlatch_data.broker_reads as r
   set began_at = orderlatch_data.clock() + interval '1 hour'
 where r.account_id = test.account_id('second') and r.purpose = 'orders';
select test.given_other_server(p_timeline => 8);
select pg_temp.claim();
select results_eq(
  $$ select c.noticed_at, c.reads_from, c.changed_from from orderlatch_data.clusters as c order by c.cluster_no desc limit 1 $$,
  $$ select orderlatch_data.clock(), n.later, n.later
       from (select orderlatch_data.clock() + interval '1 hour 1 microsecond' as later) as n $$,
  'a read that the server before has begun does not count, even if its clock was ahead'
);

-- What is due then
select set_eq(
  $$ select a.account
       from orderlatch_data.read_wishes as w
       join orderlatch_data.accounts as a on a.account_id = w.account_id
      where w.purpose = 'orders'
        and w.reason = 'cluster'
        and w.due_at = orderlatch_data.clock() + interval '1 hour 1 microsecond 20 seconds' $$,
  $$ values ('paper'), ('second') $$,
  'every account has its orders read again once the calls of the cluster before have ended'
);
select set_eq(
  $$ select w.purpose
       from orderlatch_data.read_wishes as w
      where w.account_id = test.account_id('second') and w.due_at <= orderlatch_data.clock() $$,
  $$ values ('orders'), ('open_orders'), ('fills'), ('positions') $$,
  'and all its reads at once'
);

select * from finish();
rollback;
