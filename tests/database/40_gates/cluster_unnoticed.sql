-- After a change of the cluster nothing is taken back at once, also before the first claim has noticed the change.
begin;
select plan(13);

select test_support.hold_clock('2026-03-02 15:00:00Z');
create temporary table worlds as select test.given_reconciled_worker() as worker_id;
create temporary table decisions as
  select test.given_approved_decision(p_members => '{"symbol": "A"}') as restarted, test.given_approved_decision(p_members => '{"symbol": "B"}') as sent,
         test.given_approved_decision(p_members => '{"symbol": "C"}') as unsent, test.given_decision(p_members => '{"symbol": "D"}') as planned;
create function pg_temp.withdraw(p_decision_hash text)
returns text
language sql
as $$ select w.outcome from orderlatch.withdraw_decision(p_decision_hash, 'the signal is gone', true) as w $$;

-- Mere restarts lose nothing.
select test.given_other_server();
select is(pg_temp.withdraw(d.restarted), 'withdrawn', 'after a restart a decision is withdrawn at once') from decisions as d;

-- Another timeline, another system or another home: what is approved here may have been submitted there.
savepoint before_change;
select test.given_other_server(p_system_identifier => 7);
select is(pg_temp.withdraw(d.sent), 'wish_noted', 'in another system a wish is noted') from decisions as d;
rollback to savepoint before_change;
select test.given_other_server(p_home => 7);
select is(pg_temp.withdraw(d.sent), 'wish_noted', 'in a database that was restored a wish is noted') from decisions as d;
rollback to savepoint before_change;
select test.given_other_server(p_timeline => 7);
select is(pg_temp.withdraw(h.decision_hash), 'wish_noted', 'on another timeline a wish is noted')
  from decisions as d cross join lateral unnest(array[d.sent, d.unsent, d.planned]) as h(decision_hash);
select results_eq(
  $$ select p.outcome from decisions as d
       join orderlatch_data.trade_decisions as t on t.decision_id = test.decision_id(d.sent)
      cross join lateral orderlatch.propose_decision('paper', t.intent::jsonb || '{"qty": "11"}') as p $$,
  $$ values ('conflict') $$, 'its signal stays taken'
);

-- The first claim notices, and reads.
select test_support.advance_clock('1 second');
select test.serve_reads(w.worker_id) from worlds as w;
select test_support.advance_clock('20 seconds');
select isnt(test.serve_reads(w.worker_id, jsonb_build_array(test.order_document(d.sent))), '{}', 'the orders are read')
  from worlds as w, decisions as d;
select is(test.status(d.sent), 'submitted', 'what was sent there is found') from decisions as d;
select is(pg_temp.withdraw(d.sent), 'cancel_asked', 'and is canceled, as it was wished away') from decisions as d;
select test.serve_reads(w.worker_id) from worlds as w;
select is(array[test.status(d.unsent), test.status(d.planned)], '{withdrawn,withdrawn}', 'what was not is withdrawn') from decisions as d;
select is_empty($$ select i.incident from orderlatch.open_incidents as i where i.incident <> 'cluster_changed' $$, 'nothing of it is an incident');
select is_empty('select i.promise from orderlatch.invariants as i where i.violations > 0', 'every invariant holds');

select * from finish();
rollback;
