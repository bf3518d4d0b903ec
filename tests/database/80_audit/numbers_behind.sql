-- A subscription leaves sequences where they were, and so does a restore of single tables. Nothing refuses the number of
-- an approval that was given before: claims search from their mark on, which lies beyond it.
begin;
select plan(7);

select test_support.hold_clock('2026-03-02 15:00:00Z');
select test.given_account('paper', '{"one_decision_per_signal": false}');
create temporary table worlds as select test.given_worker() as worker_id;
select test.given_decision_in('submitted', w.worker_id) from worlds as w cross join generate_series(1, 3);
create function pg_temp.found()
returns text[]
language sql
as $$ select array_agg(v.finding order by v.finding) from orderlatch.verify_all() as v where v.what = 'numbers' $$;

select is(pg_temp.found(), null, 'every number lies beyond those that were given');

select setval('orderlatch_data.approval_nos', 1, false);
select is(test.status(test.given_approved_decision()), 'approved', 'an approval gets the number of another one');
select is_empty(
  $$ select c.kind from worlds as w cross join test.claim(w.worker_id) as c where c.kind = 'submit_order' $$,
  'and no claim finds it'
);
select results_eq(
  $$ select i.promise from orderlatch.invariants as i where i.violations > 0 $$,
  $$ values ('no decision, approval, event or act gets a number that another one has') $$, 'the invariants tell'
);
select matches(
  array_to_string(pg_temp.found(), ' and '), '^orderlatch_data.approval_nos is at 1, and [2-9] was given already$',
  'verify_all says which numbers, and how far they are behind'
);
select is(cardinality(pg_temp.found()), 1, 'so far these alone');
select setval('orderlatch_data.decision_ids', 1), setval('orderlatch_data.act_nos', 1),
       setval('orderlatch_data.decision_events_event_id_seq', 1);
select is(cardinality(pg_temp.found()), 4, 'so it says of decisions, acts and events');

select * from finish();
rollback;
