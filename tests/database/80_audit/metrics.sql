-- Gauges for exporters.
begin;
select plan(10);

select test_support.hold_clock('2026-03-02 15:00:00Z');
select test.given_account('paper');
select test.given_account('real', '{}', 'live');
create temporary table worlds as select test.given_worker('paper') as worker_id;
create function pg_temp.gauge(p_name text, p_labels jsonb default '{}')
returns double precision
language sql
as $$ select m.value from orderlatch.metrics as m where m.name = 'orderlatch_' || p_name and m.labels = p_labels $$;

select is(pg_temp.gauge('in_doubt_oldest_seconds', '{"account": "paper"}'), 0::float8, 'without a doubt the oldest has no age');
create temporary table doubted as select test.given_decision_in('in_doubt', w.worker_id) as decision_hash from worlds as w;
select test.given_decision_in('approved', w.worker_id) from worlds as w;
select test.given_halt('all of it'), test.given_halt('one of them', 'paper'), test.given_halt('and again', 'paper');
select orderlatch_data.open_incident('foreign_order', test.account_id('paper'), null, null, '{}');
select orderlatch.grant_live('real', '1 hour', 'open');
select test_support.advance_clock('90 seconds');

select results_eq(
  $$ select m.labels ->> 'status', m.value from orderlatch.metrics as m where m.name = 'orderlatch_decisions_open' order by 1 $$,
  $$ values ('approved', 1::float8), ('in_doubt', 1) $$, 'open decisions are counted by status'
);
select is(pg_temp.gauge('in_doubt_oldest_seconds', '{"account": "paper"}'), 90::float8, 'the oldest doubt has its age');
select results_eq(
  $$ select m.labels ->> 'account', m.value from orderlatch.metrics as m where m.name = 'orderlatch_halts_standing' order by 1 $$,
  $$ values ('', 1::float8), ('paper', 2) $$, 'halts are counted by account'
);
select is(pg_temp.gauge('incidents_open', '{"account": "paper", "incident": "foreign_order"}'), 1::float8, 'incidents by their kind');
select is(pg_temp.gauge('live_grant_seconds', '{"account": "real"}'), 3510::float8, 'a live grant runs out');
select is(pg_temp.gauge('workers_alive'), 1::float8, 'a worker is alive');
select is(
  pg_temp.gauge('events'), (select count(*)::float8 from orderlatch_data.decision_events as e), 'events are counted by their number');
select is_empty(
  $$ select m.name from orderlatch.metrics as m
      where m.name !~ '^orderlatch_[a-z_]+$' or m.help = '' or jsonb_typeof(m.labels) <> 'object' or m.value is null $$,
  'each has a name that Prometheus takes, labels, a value and a help'
);
select is_empty(
  $$ select m.name, m.labels from orderlatch.metrics as m group by m.name, m.labels having count(*) > 1 $$, 'each name has each set of labels once');

select * from finish();
rollback;
