-- After a change of the cluster an engine's no waits: what it said yes to may have been sent there.
begin;
select plan(9);

select test_support.hold_clock('2026-03-02 15:00:00Z');
create temporary table worlds as select test.given_reconciled_worker() as worker_id;
select orderlatch.update_account('paper', '{"risk_engine": "external"}');
create temporary table decisions as
  select test.given_decision(p_members => '{"symbol": "A"}') as sent, test.given_decision(p_members => '{"symbol": "B"}') as unsent,
         test.given_decision(p_members => '{"symbol": "C"}') as planned;
select orderlatch.approve_decision(h.decision_hash, '{"engine": "sure"}')
  from decisions as d cross join lateral unnest(array[d.sent, d.unsent]) as h(decision_hash);

select test_support.advance_clock('1 second');
select test.given_other_server(p_timeline => 7);
select test.serve_reads(w.worker_id) from worlds as w;
select throws_ok(
         format('select orderlatch.reject_decision(%L, %L)', h.decision_hash, '{"limit": "reached"}'), 'OL203', null,
         format('a no to a decision that is %s here is refused while the orders are still to be read', test.status(h.decision_hash))
       )
  from decisions as d cross join lateral unnest(array[d.sent, d.unsent, d.planned]) as h(decision_hash);

select test_support.advance_clock('20 seconds');
select is(
  (select test.serve_reads(w.worker_id, jsonb_build_array(test.order_document(d.sent))) && '{list_orders}' from worlds as w, decisions as d),
  true, 'the orders are read'
);
select is(test.status(d.sent), 'submitted', 'what was sent there is found') from decisions as d;
select is_empty($$ select i.incident from orderlatch.open_incidents as i where i.incident <> 'cluster_changed' $$, 'nothing of it is an incident');
select results_eq(
  format('select r.status from orderlatch.reject_decision(%L, %L) as r', h.decision_hash, '{"limit": "reached"}'),
  $$ values ('rejected') $$, format('then the engine may say no to what is %s', test.status(h.decision_hash))
)
  from decisions as d cross join lateral unnest(array[d.planned]) as h(decision_hash);
select throws_ok(
  format('select orderlatch.reject_decision(%L, %L)', d.sent, '{"limit": "reached"}'), 'OL203', null, 'but not to what was sent'
) from decisions as d;
select is_empty('select i.promise from orderlatch.invariants as i where i.violations > 0', 'every invariant holds');

select * from finish();
rollback;
