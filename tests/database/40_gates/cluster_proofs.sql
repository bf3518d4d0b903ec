-- Before the first claim on another server, and until the orders were read there, nothing is withdrawn and no proof counts.
begin;
select plan(12);

select test_support.hold_clock('2026-03-02 15:00:00Z');
select test.given_reconciled_worker() as worker \gset
select test.given_approved_decision(p_members => '{"symbol": "A"}') as wished \gset
select test.given_approved_decision(p_members => '{"symbol": "B"}') as plain \gset
create function pg_temp.page() returns uuid language sql volatile as $$
  select o.request_id from orderlatch_data.open_requests as o
    join orderlatch_data.broker_requests as q on q.request_id = o.request_id
    join orderlatch_data.broker_reads as r on r.read_id = q.read_id
   where r.purpose = 'proof'
$$;

-- A wish to withdraw ------------------------------------------------------------------------------------------------------

select test_support.advance_clock('1 second');
select test.given_other_server(p_timeline => 7);
select results_eq(
  format('select w.* from orderlatch.withdraw_decision(%L, %L) as w', :'wished', 'the signal is gone'),
  $$ values ('approved', 'wish_noted') $$, 'on a server where nobody has claimed yet a wish to withdraw is noted'
);
select test.serve_reads(:worker);
select is(test.status(:'wished'), 'approved', 'reads made before calls of the cluster before have ended do not count');
select test_support.advance_clock('20 seconds');
select test.serve_reads(:worker);
select is(test.status(:'wished'), 'withdrawn', 'after those the wish is granted');
select test.record(test.answer_order(test.holder(:'plain')));
select test_support.advance_clock('1 minute');
select test.given_approved_decision(p_members => '{"symbol": "C"}') as restarted \gset
select test.given_other_server();
select results_eq(
  format('select w.outcome from orderlatch.withdraw_decision(%L, %L) as w', :'restarted', 'the signal is gone'),
  $$ values ('withdrawn') $$, 'after a mere restart every call is known: it is granted at once'
);

-- A proof whose last page is on its way --------------------------------------------------------------------------------

select test.serve_reads(:worker);
select test.given_decision_in('in_doubt', :worker, '{"symbol": "D"}') as doubtful \gset
select test.given_absent_twice(:worker, :'doubtful');
select orderlatch.withdraw_decision(:'doubtful', 'the signal is gone');
select test.kinds(:worker);
select isnt(pg_temp.page(), null, 'the list that completes a proof is on its way');
select test.given_other_server(p_timeline => 8);
select is(test.record(test.answer_status(pg_temp.page(), 200, '[]')), 'orders_listed', 'it comes after the cluster has changed');
select is(test.status(:'doubtful'), 'in_doubt', 'and proves nothing: the order may have been sent again there');
select test.serve_reads(:worker);
select is(test.status(:'doubtful'), 'in_doubt', 'nor do the reads that are made at once');
select test_support.advance_clock('20 seconds');
select test.serve_reads(:worker);
select is(test.status(:'doubtful'), 'withdrawn', 'another list is read when calls of the cluster before have ended, and ends the doubt');

select is(test.incidents(), '{cluster_changed}', 'no order came despite a verdict');
select is(test.halts(), '{}', 'nothing is halted');
select is(test.broken_promises(), '{}', 'no promise is broken');

select * from finish();
rollback;
