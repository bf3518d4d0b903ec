-- A no to an order that may exist already proves nothing by itself: it is remembered, and absence has to be proved.
begin;
select plan(17);

select test_support.hold_clock('2026-03-02 15:00:00Z');
select test.given_account('paper', '{"max_in_doubt": 100, "max_decision_age": "1 day"}');
select test.given_worker() as worker \gset
create function pg_temp.given_second_submit(p_symbol text) returns text language plpgsql as $$
declare
  v_worker integer := (select max(w.worker_id) from orderlatch_data.workers as w);
  v_decision_hash text := test.given_submitting_decision(v_worker, jsonb_build_object('symbol', p_symbol));
begin
  perform test.record(test.answer_maybe(test.holder(v_decision_hash)));
  perform test.prove_absent(v_worker, v_decision_hash);
  perform test_support.advance_clock('1 minute');
  perform test.claim_one(v_worker);
  return v_decision_hash;
end
$$;

select pg_temp.given_second_submit('A') as decision \gset
select is(test.record(test.answer_error(test.holder(:'decision'), 403, 40310000, 'insufficient buying power')), 'refused_unclean',
          'a no to a second submit may be caused by the first');
select is(test.status(:'decision'), 'in_doubt', 'the decision is in doubt');
select is(test.reason(:'decision'), 'refused while not clean', 'and says why');
select is((select jsonb_build_object('refusal', d.refusal, 'was_clean', d.was_clean, 'lost', d.lost, 'lookups', d.lookups,
                                     'first', d.first_absent_at) from test.doubt(:'decision') as d),
          '{"refusal": {"status": 403, "code": 40310000, "message": "insufficient buying power"}, "was_clean": false, "lost": false,
            "lookups": 0, "first": null}'::jsonb, 'the no is remembered, the proof begins anew');
select is((select r.meaning || ' ' || r.code from orderlatch_data.broker_responses as r
            where r.request_id = test.holder(:'decision')),
          'refused_unclean 40310000', 'the answer is kept');
select is((select e.evidence ->> 'message' from orderlatch_data.decision_events as e order by e.event_id desc limit 1),
          'insufficient buying power', 'its event tells it');
select is(test.prove_absent(:worker, :'decision'), 'refused', 'the order proved absent, the decision is refused');
select is(test.reason(:'decision'), 'proved absent: refused before: insufficient buying power', 'in the broker''s words');
select is((select o.clean from orderlatch_data.decision_outcomes as o), false, 'but not clean,');
select is((select count(*)::integer from orderlatch_data.live_signals), 1, 'so that its signal stays decided');

-- The first submit did land, and its copy was refused because of it.
select pg_temp.given_second_submit('B') as landed \gset
select test.record(test.answer_error(test.holder(:'landed'), 403, 40310000, 'insufficient buying power'));
select (test.claim_one(:worker, 'find_order')).request_id as lookup \gset
select is(test.record(test.answer_order(:'lookup')), 'order_exists', 'the lookup finds the first copy');
select is(test.status(:'landed'), 'submitted', 'the decision has its order');
select is(test.incidents(), '{}', 'and nothing is wrong');

-- Throttled is not clean either.
select test_support.advance_clock('1 minute');
select test.given_submitting_decision(:worker, '{"symbol": "C"}') as throttled \gset
select test.record(test.answer_error(test.holder(:'throttled'), 429, 42910000, 'rate limit exceeded'));
select test_support.advance_clock('1 minute');
select test.look_in_vain(:worker);
select test.claim_one(:worker);
select is(test.record(test.answer_error(test.holder(:'throttled'), 422, 42210000, 'asset "C" is not tradable')),
          'refused_unclean',
          'a no after a 429 is not final');
select orderlatch.withdraw_decision(:'throttled', 'no more');
select is(test.prove_absent(:worker, :'throttled'), 'refused', 'a remembered no comes before a wish to withdraw');
select is((select count(*)::integer from orderlatch_data.broker_requests as r
            where r.kind = 'submit_order' and r.decision_id = test.decision_id(:'throttled')),
          2, 'and it is not sent again');
select is(test.broken_promises(), '{}', 'no promise is broken');

select * from finish();
rollback;
