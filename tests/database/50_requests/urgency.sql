-- The most urgent kind goes first: who am I, lookups, lists that a proof waits for, submits.
begin;
select plan(8);

select test_support.hold_clock('2026-03-02 15:00:00Z');
select test.given_account();
select test.given_worker() as worker \gset
select test.given_decision_in('in_doubt', :worker) as proven \gset
select test.given_absent_twice(:worker, :'proven');
select test_support.advance_clock('-1 second');
select test.given_approved_decision('paper', '{"symbol": "B"}') as waiting \gset
select test.given_approved_decision('paper', '{"symbol": "C"}') as later \gset
select test_support.advance_clock('31 seconds');

select is(test.kinds(:worker, 1), '{find_order}', 'a lookup goes before a list');
select is(test.kinds(:worker, 1), '{list_orders}', 'a list that a proof waits for goes before a submit');
select is(test.kinds(:worker, 1), '{submit_order}', 'then a submit goes out');
select is(test.status(:'waiting') || ', ' || test.status(:'later'), 'submitting, approved', 'the one that was approved first');
select is(test.kinds(:worker, 5), '{submit_order}', 'and the rest, however many more are asked for');
select is(test.kinds(:worker, 5), '{}', 'nothing is granted twice');
select is((select count(distinct r.request_id) = count(*) from orderlatch_data.broker_requests as r), true,
          'each call has an id of its own');
select is(test.broken_promises(), '{}', 'no promise is broken');

select * from finish();
rollback;
