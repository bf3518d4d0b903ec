-- A call that provably never left: the decision waits a little and is sent again, with the same id and as clean as before.
begin;
select plan(16);

select test_support.hold_clock('2026-03-02 15:00:00Z');
select test.given_account('paper', '{"max_decision_age": "1 day", "max_submits": 1}');
select test.given_worker() as worker \gset
select test.given_submitting_decision(:worker) as decision \gset
select (test.open_row(:'decision')).approval_no as approval_no \gset
select is(test.record(test.answer_not_sent(test.holder(:'decision'), 'connection refused')), 'not_sent', 'the call never left');
select is(test.moves(:'decision'), '{none>planned,planned>approved,approved>submitting,submitting>approved}',
          'the decision is approved again');
select is(test.reason(:'decision'), 'connection refused', 'with the worker''s reason');
select is(
  (select to_jsonb(o) - '{decision_id,account_id,symbol,strategy_id,lock_key,lapse_at,move_reason,move_request_id,move_evidence}'::text[]
     from test.open_row(:'decision') as o),
  jsonb_build_object('status', 'approved', 'approval_no', :approval_no, 'next_try_at', '2026-03-02T15:00:01+00:00', 'tries', 1,
    'submits', 0,
                     'clean', true, 'lookup_first', false, 'wish', null, 'wish_cancels', false, 'holder_request_id', null, 'lookup_request_id', null),
  'clean, held by nobody, in its old place, after one second');
select is((select count(*)::integer from orderlatch_data.doubts), 0, 'it is not in doubt');
select is(test.kinds(:worker), '{}', 'it waits');
select test_support.advance_clock('1 second');
select test.holder(:'decision') as first \gset
select is((test.claim_one(:worker)).body,
          (select r.body from orderlatch_data.broker_requests as r where r.request_id = :'first'),
           'then the same order is sent, under a new request');
select test.record(test.answer(test.holder(:'decision'), 'no'));
select is((test.open_row(:'decision')).next_try_at - orderlatch_data.clock(), '2 seconds', 'the second wait is longer');
select is(test.reason(:'decision'), 'not sent', 'a worker need not say why');

-- The longest wait is the account's, and calls that never left are not counted against max_submits.
update orderlatch_data.open_decisions set tries = 30;
select test_support.advance_clock('2 seconds');
select test.claim_one(:worker);
select test.record(test.answer_not_sent(test.holder(:'decision')));
select is((test.open_row(:'decision')).next_try_at - orderlatch_data.clock(), '5 minutes', 'no wait is longer than backoff_max');
select test_support.advance_clock('5 minutes');
select test.claim_one(:worker);
select is(test.record(test.answer_order(test.holder(:'decision'))), 'order_exists', 'the fourth is the first that leaves');
select is((select o.clean from orderlatch_data.decision_outcomes as o), true, 'the decision was clean all the while');

-- A decision that is not clean does not become clean by it, nor in doubt.
select orderlatch.update_account('paper', '{"max_submits": 3}');
select test.given_submitting_decision(:worker) as unclean \gset
select test.record(test.answer_maybe(test.holder(:'unclean')));
select test.prove_absent(:worker, :'unclean');
select test.claim_one(:worker);
select is(test.record(test.answer_not_sent(test.holder(:'unclean'))), 'not_sent', 'a second submit never leaves');
select is((select o.status || ' ' || o.clean || ' ' || o.submits from test.open_row(:'unclean') as o), 'approved false 1',
          'the decision is approved again, and not clean; its first submit still counts');
select is((test.doubt(:'unclean')).decision_id, null, 'the proof of before stands');
select is(test.broken_promises(), '{}', 'no promise is broken');

select * from finish();
rollback;
