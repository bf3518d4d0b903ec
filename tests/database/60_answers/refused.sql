-- A final no of the broker ends a clean decision, and frees its signal.
begin;
select plan(12);

select test_support.hold_clock('2026-03-02 15:00:00Z');
select test.given_account();
select test.given_worker() as worker \gset
select test.given_submitting_decision(:worker) as decision \gset
select is(test.record(test.answer_error(test.holder(:'decision'), 403, 40310000, 'insufficient buying power', '{"x-request-id": "abc"}')),
          'refused', 'the broker says no');
select is(test.moves(:'decision'), '{none>planned,planned>approved,approved>submitting,submitting>refused}',
          'the decision is refused');
select is(test.reason(:'decision'), 'refused: insufficient buying power', 'in the broker''s words');
select is((select e.evidence from orderlatch_data.decision_events as e where e.to_status = 'refused'),
          '{"status": 403, "code": 40310000, "message": "insufficient buying power"}'::jsonb, 'with status and code');
select is((select o.clean from orderlatch_data.decision_outcomes as o), true, 'for certain');
select is((select row(r.status, r.meaning, r.code, r.message, r.broker_request_id)::text
            from orderlatch_data.broker_responses as r
            where r.request_id = test.holder(:'decision')), '(403,refused,40310000,"insufficient buying power",abc)',
              'the answer is kept');
select is((select count(*)::integer from orderlatch_data.live_signals), 0, 'the signal may be decided anew');
select is(test.kinds(:worker) || test.incidents() || test.halts(), '{}', 'nothing is left to do');
select is(orderlatch.execution_exists(:'decision'), false, 'there is no order');
select throws_ok(format('select orderlatch.resolve_in_doubt(%L, ''absent'', ''{"note": "x"}'')', :'decision'), 'OL203', null,
                 'and nothing to resolve');
select test.given_submitting_decision(:worker) as long \gset
select test.record(test.answer_error(test.holder(:'long'), 422, 42210000, repeat('x', 5000)));
select is(length(test.reason(:'long')), 509, 'what is kept of a long message is its first 500 characters');
select is(test.broken_promises(), '{}', 'no promise is broken');

select * from finish();
rollback;
