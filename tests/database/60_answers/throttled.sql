-- Over the rate limit: the account pauses, and one lookup comes before anything else happens to the decision.
begin;
select plan(33);

select test_support.hold_clock('2026-03-02 15:00:00Z');
select test.given_account('paper', '{"max_in_doubt": 100}');
select test.given_worker() as worker \gset
create function pg_temp.throttle(p_members jsonb) returns text language plpgsql as $$
declare
  v_decision_hash text := test.given_submitting_decision((select min(w.worker_id) from orderlatch_data.workers as w), p_members);
begin
  perform test.record(test.answer_error(test.holder(v_decision_hash), 429, 42910000, 'rate limit exceeded', '{"retry-after": "10"}'));
  return v_decision_hash;
end
$$;

select pg_temp.throttle('{"symbol": "A"}') as decision \gset
select is((select r.meaning from orderlatch_data.broker_responses as r where r.request_id = test.holder(:'decision')),
          'throttled', 'throttled');
select is((select jsonb_build_object('status', o.status, 'clean', o.clean, 'lookup_first', o.lookup_first, 'submits', o.submits,
                                     'holder', o.holder_request_id, 'tries', o.tries) from test.open_row(:'decision') as o),
          '{"status": "approved", "clean": false, "lookup_first": true, "submits": 1, "holder": null, "tries": 0}'::jsonb,
          'a decision is approved again, not clean, to be looked up first');
select is(test.reason(:'decision'), 'throttled by the broker', 'and says why');
select is((select s.paused_until from orderlatch_data.account_states as s), orderlatch_data.clock() + interval '10 seconds',
          'the account pauses');
select is((test.doubt(:'decision')).next_lookup_at, orderlatch_data.clock() + interval '10 seconds',
          'the lookup waits for its end');
select test.given_approved_decision('paper', '{"symbol": "Z"}') as other \gset
select test.given_stranger() as stranger \gset
select is(test.kinds(:worker) || test.kinds(:stranger), '{}', 'no call of any kind leaves while it pauses');
select test_support.advance_clock('9.999999 seconds');
select is(test.kinds(:worker), '{}', 'to the microsecond');
select test_support.advance_clock('1 microsecond');
select is(test.kinds(:worker), '{find_order,submit_order}', 'then it is looked up, and others go out; it does not');
select test.record(test.answer_order(test.holder(:'other')));
select (test.open_row(:'decision')).lookup_request_id as lookup \gset
select is(test.record(test.answer_absent(:'lookup')), 'absent', 'the broker does not have it');
select is((select jsonb_build_object('status', o.status, 'clean', o.clean, 'lookup_first', o.lookup_first)
            from test.open_row(:'decision') as o),
          '{"status": "approved", "clean": false, "lookup_first": false}'::jsonb, 'it may go, and stays unclean');
select is((test.doubt(:'decision')).decision_id, null, 'nothing is left of the doubt');
select is((test.claim_one(:worker)).body::jsonb ->> 'client_order_id', :'decision', 'it is sent again under the same id');
select test.record(test.answer_order(test.holder(:'decision')));
select is(test.status(:'decision'), 'submitted', 'and accepted');

-- It did land.
select pg_temp.throttle('{"symbol": "B"}') as landed \gset
select test_support.advance_clock('10 seconds');
select is(test.record(test.answer_order((test.claim_one(:worker, 'find_order')).request_id)), 'order_exists',
          'an order that is found');
select is(test.moves(:'landed'), '{none>planned,planned>approved,approved>submitting,submitting>approved,approved>submitted}',
          'is the order of its decision');
select is(test.incidents(), '{}', 'and no incident');

-- Looking fails: neither lapse, nor withdrawal, nor submit goes before it.
select pg_temp.throttle('{"symbol": "C"}') as stuck \gset
select test_support.advance_clock('10 seconds');
select is(test.record(test.answer_maybe((test.claim_one(:worker, 'find_order')).request_id)), 'in_doubt',
          'a lookup that fails proves nothing');
select is((test.open_row(:'stuck')).lookup_first, true, 'it still comes first');
select test_support.advance_clock('20 minutes');
select is((test.claim_one(:worker, 'find_order')).request_id, (test.open_row(:'stuck')).lookup_request_id,
          'past its time it is looked up again');
select is(test.status(:'stuck'), 'approved', 'and has not lapsed');
select is((select w.outcome from orderlatch.withdraw_decision(:'stuck', 'no more') as w), 'wish_noted',
          'it is not withdrawn either');
select is(test.record(test.answer_error((test.open_row(:'stuck')).lookup_request_id, 404, 40410000, 'endpoint not found')),
          'in_doubt',
          'a 404 of somebody else does not free it');
select is(test.record(test.answer_absent((select r.request_id from orderlatch_data.broker_requests as r
            where r.kind = 'find_order'
            and r.decision_id = test.decision_id(:'stuck') order by r.claimed_at limit 1))), 'in_doubt',
              'nor does an answer that was recorded before');
select test_support.advance_clock('20 minutes');
select is(test.record(test.answer_absent((test.claim_one(:worker, 'find_order')).request_id)), 'absent', 'absent,');
select is(test.status(:'stuck'), 'withdrawn', 'it is withdrawn as was wished');
select is(test.reason(:'stuck'), 'no more', 'with the reason of the wish');

-- Without a wish it lapses.
select pg_temp.throttle('{"symbol": "D"}') as late \gset
select test_support.advance_clock('20 minutes');
select test.look_in_vain(:worker);
select is(test.kinds(:worker), '{}', 'a decision past its time is not sent when its lookup frees it');
select is(test.status(:'late'), 'lapsed', 'but lapses');
select is((select o.clean from orderlatch_data.decision_outcomes as o where o.decision_id = test.decision_id(:'late')), false,
          'not clean');

-- A 429 that is not the broker's own leaves it in doubt; throttled reads pause the account too.
select test.given_submitting_decision(:worker, '{"symbol": "E"}') as foreign_429 \gset
select is(test.record(test.answer_status(test.holder(:'foreign_429'), 429, '<html>')), 'in_doubt',
          'a 429 of somebody else is in doubt');
select is((select s.paused_until > orderlatch_data.clock() from orderlatch_data.account_states as s), false,
          'and pauses nothing');
select is(test.record(test.answer_error((test.claim_one(:worker, 'find_order')).request_id, 429, null, 'too many requests.')),
          'throttled',
          'a lookup over the limit');
select is((select s.paused_until - orderlatch_data.clock() from orderlatch_data.account_states as s), '1 minute',
          'pauses the account');

select * from finish();
rollback;
