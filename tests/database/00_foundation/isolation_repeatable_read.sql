-- Functions that take locks refuse a snapshot that is older than the lock: repeatable read.
select test.given_account() \g /dev/null
select test.given_account('external', '{"risk_engine": "external"}') \g /dev/null
create temporary table known as
  select test.given_decision() as decision_hash, test.given_decision('external') as external_hash, test.a_decision() as decision,
         test.given_worker() as worker_id;

begin isolation level repeatable read;
select plan(15);

create temporary table before as
  select (select count(*) from orderlatch_data.trade_decisions) as decisions,
         (select count(*) from orderlatch_data.decision_events) as events,
         (select count(*) from orderlatch_data.broker_requests) as requests,
         (select count(*) from orderlatch_data.risk_limits) as limits;
select throws_ok(d.statement, 'OL132', null, format('to %s in a repeatable read transaction is refused', d.deed))
  from known as k
 cross join lateral (
   values
     ('propose', format('select orderlatch.propose_decision(%L, %L)', 'paper', k.decision)),
     ('propose an array', format('select orderlatch.propose_decisions(%L, %L)', 'paper', '[]')),
     ('record', format('select orderlatch.ensure_decision(%L, %L)', 'paper', k.decision)),
     ('judge', format('select orderlatch.evaluate_decision(%L)', k.decision_hash)),
     ('approve', format('select orderlatch.approve_decision(%L, %L)', k.external_hash, '{"a": 1}')),
     ('reject', format('select orderlatch.reject_decision(%L, %L)', k.external_hash, '{"a": 1}')),
     ('withdraw', format('select orderlatch.withdraw_decision(%L, %L)', k.decision_hash, 'why')),
     ('set a limit', 'select orderlatch.set_limit(''order_quantity'', 1)'),
     ('claim', format('select orderlatch.claim_requests(%s, %L, 10)', k.worker_id, '{paper}')),
     ('record answers', 'select orderlatch.record_responses(''[]'')'),
     ('end a doubt', format('select orderlatch.resolve_in_doubt(%L, %L, %L)', k.decision_hash, 'absent', '{"a": 1}'))
 ) as d(deed, statement);
select results_eq(
  $$ select (select count(*) from orderlatch_data.trade_decisions), (select count(*) from orderlatch_data.decision_events),
            (select count(*) from orderlatch_data.broker_requests), (select count(*) from orderlatch_data.risk_limits) $$,
  'select * from before', 'what was refused has left nothing behind'
);
select is(s.status, 'planned', 'reading is allowed at any level')
  from known as k, orderlatch.decision_status(k.decision_hash) as s;
select ok(v.intact, 'verifying is allowed at any level') from known as k, orderlatch.verify_decision(k.decision_hash) as v;
select lives_ok($$ select orderlatch.halt('why', 'paper') $$, 'halting is allowed at any level');

select * from finish();
rollback;
