-- Judging a decision that was only recorded; a verdict is given once.
begin;
select plan(19);

select test_support.hold_clock('2026-03-02 15:00:00Z');
select test.given_account();
create temporary table decisions as
  select 'good' as name, test.given_decision() as decision_hash
  union all
  select 'bad', test.given_decision('paper', '{"order_type": "stop", "qty": "0.5", "time_in_force": "gtc"}');
create function pg_temp.hash_of(p_name text)
returns text
language sql
as $$ select d.decision_hash from decisions as d where d.name = p_name $$;

select results_eq(
  $$ select e.status, e.reasons from orderlatch.evaluate_decision(pg_temp.hash_of('good')) as e $$,
  $$ values ('approved', '{}'::text[]) $$, 'a decision within all limits is approved'
);
select results_eq(
  $$ select e.status, e.reasons from orderlatch.evaluate_decision(pg_temp.hash_of('bad')) as e $$,
  $$ values ('rejected', '{invalid_order:fractional_time_in_force,invalid_order:missing_stop_price}'::text[]) $$,
  'a decision at fault is rejected, with all reasons'
);
create temporary table verdicts as select v.* from orderlatch_data.risk_verdicts as v;
select results_eq(
  'select v.verdict_no::integer, v.verdict from verdicts as v order by v.decision_id',
  $$ values (1, 'approved'), (1, 'rejected') $$, 'each verdict is stored'
);

-- Again, an hour and a limit later.
select test_support.advance_clock('1 hour');
select orderlatch.set_limit('order_quantity', 1);
select results_eq(
  $$ select e.status, e.reasons from orderlatch.evaluate_decision(pg_temp.hash_of('good')) as e $$,
  $$ values ('approved', '{}'::text[]) $$, 'a decision that was approved is not judged again'
);
select results_eq(
  $$ select e.status, e.reasons from orderlatch.evaluate_decision(pg_temp.hash_of('bad')) as e $$,
  $$ values ('rejected', '{invalid_order:fractional_time_in_force,invalid_order:missing_stop_price}'::text[]) $$,
  'a decision that was rejected is not judged again'
);
select results_eq(
  'select * from orderlatch_data.risk_verdicts as v order by v.decision_id', 'select * from verdicts as v order by v.decision_id',
  'no verdict was added'
);
select orderlatch.set_limit('order_quantity', 1, p_enabled => false);

-- In every other status it only looks.
create temporary table worlds as
  select s.status, test.given_account(s.status) as account, test.given_worker(s.status) as worker_id, null::text as decision_hash
    from unnest('{submitting,in_doubt,submitted,refused,withdrawn,lapsed}'::text[]) as s(status);
update worlds set decision_hash = test.given_decision_in(worlds.status, worlds.worker_id);
select results_eq(
         format('select e.status, e.reasons from orderlatch.evaluate_decision(%L) as e', w.decision_hash),
         format('values (%L, %L::text[])', w.status, '{}'), format('a decision that is %s stays so', w.status)
       )
  from worlds as w;

-- The order of approval is the order of judging, not of recording.
select test.given_account('ordered');
create temporary table ordered as
  select n, test.given_decision('ordered', jsonb_build_object('leg', n::text)) as decision_hash from generate_series(1, 3) as n;
select orderlatch.evaluate_decision(o.decision_hash) from ordered as o where o.n = 2;
select orderlatch.evaluate_decision(o.decision_hash) from ordered as o where o.n = 3;
select orderlatch.evaluate_decision(o.decision_hash) from ordered as o where o.n = 1;
select is(
  (select array_agg(r.n order by d.approval_no)
     from ordered as r join orderlatch_data.open_decisions as d on d.decision_id = test.decision_id(r.decision_hash)),
  '{2,3,1}', 'decisions are numbered in the order of their approval'
);

-- Refusals.
select throws_ok(format('select orderlatch.evaluate_decision(%L)', c.decision_hash), c.sqlstate, null, format('%s is refused', c.title))
  from (
    values (repeat('0', 64), 'OL103', 'an unknown decision'), ('x', 'OL131', 'what is no hash'), (null, 'OL131', 'null')
  ) as c(decision_hash, sqlstate, title);
select test.given_account('external', '{"risk_engine": "external"}');
create temporary table foreign_one as select test.given_decision('external') as decision_hash;
select throws_ok(
  format('select orderlatch.evaluate_decision(%L)', f.decision_hash), 'OL304', null,
  'a decision of an account with an external engine is not judged here'
) from foreign_one as f;
select is(test.status(f.decision_hash), 'planned', 'it stays planned') from foreign_one as f;
select is_empty('select i.promise from orderlatch.invariants as i where i.violations > 0', 'every invariant holds');

select * from finish();
rollback;
