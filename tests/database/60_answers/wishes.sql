-- A wish to withdraw a decision whose submit has left: granted when there is provably no order, and not before.
begin;
select plan(27);

select test_support.hold_clock('2026-03-02 15:00:00Z');
select test.given_account('paper', '{"max_in_doubt": 100, "max_decision_age": "1 day", "throttle_wait": "1 second"}');
select test.given_worker() as worker \gset
-- A decision that is submitting and wished away.
create function pg_temp.given_wish(p_symbol text) returns text language plpgsql as $$
declare
  v_decision_hash text;
begin
  perform test_support.advance_clock('10 minutes');
  v_decision_hash := test.given_submitting_decision((select max(w.worker_id) from orderlatch_data.workers as w),
    jsonb_build_object('symbol', p_symbol));
  if (select w.outcome from orderlatch.withdraw_decision(v_decision_hash, 'changed my mind') as w) <> 'wish_noted' then
    raise exception 'the wish is not noted';
  end if;
  return v_decision_hash;
end
$$;

select pg_temp.given_wish('A') as decision \gset
select is(test.status(:'decision') || ' ' || (test.open_row(:'decision')).wish, 'submitting changed my mind',
          'a wish does not stop a call that is on its way');
select is(test.record(test.answer_order(test.holder(:'decision'))), 'order_exists', 'accepted,');
select is(test.status(:'decision'), 'submitted', 'it is submitted');
select is((select w.outcome from orderlatch.withdraw_decision(:'decision', 'again') as w), 'too_late', 'then it is too late');

select pg_temp.given_wish('B') as decision \gset
select is(test.record(test.answer_error(test.holder(:'decision'), 403, 40310000, 'no')), 'refused', 'refused,');
select is(test.status(:'decision'), 'refused', 'it is refused');

select pg_temp.given_wish('C') as decision \gset
select is(test.record(test.answer_not_sent(test.holder(:'decision'))), 'not_sent', 'not sent,');
select is((test.moves(:'decision'))[4:], '{submitting>approved,approved>withdrawn}', 'it is withdrawn at once');
select is((select e.reason || ' ' || (e.request_id = test.holder(:'decision')) from orderlatch_data.decision_events as e
            where e.to_status = 'withdrawn'), 'changed my mind true',
              'with the reason of the wish, and the request that allowed it');

select pg_temp.given_wish('D') as decision \gset
select is(test.record(test.answer_error(test.holder(:'decision'), 401, null, 'unauthorized.')), 'unauthorized', 'a bad key,');
select is(test.status(:'decision'), 'withdrawn', 'it is withdrawn');
select orderlatch.lift_halt(h.halt_id, 'tests') from orderlatch_data.halts as h;

select pg_temp.given_wish('E') as decision \gset
select is(test.record(test.answer_error(test.holder(:'decision'), 429, 42910000, 'rate limit exceeded')), 'throttled',
          'throttled,');
select is(test.status(:'decision'), 'approved', 'it waits for its lookup');
select test_support.advance_clock('1 second');
select is(test.record(test.answer_absent((test.claim_one(:worker, 'find_order')).request_id)), 'absent', 'absent,');
select is(test.status(:'decision'), 'withdrawn', 'it is withdrawn');

select pg_temp.given_wish('F') as decision \gset
select test.record(test.answer_error(test.holder(:'decision'), 429, 42910000, 'rate limit exceeded'));
select test_support.advance_clock('1 second');
select is(test.record(test.answer_order((test.claim_one(:worker, 'find_order')).request_id)), 'order_exists',
          'throttled and found,');
select is(test.status(:'decision'), 'submitted', 'it is submitted');

select pg_temp.given_wish('G') as decision \gset
select is(test.record(test.answer_maybe(test.holder(:'decision'))), 'in_doubt', 'in doubt,');
select is((select w.status || ' ' || w.outcome from orderlatch.withdraw_decision(:'decision', 'another reason') as w),
          'in_doubt wish_noted', 'it may be wished again');
select is(test.prove_absent(:worker, :'decision'), 'withdrawn', 'and is withdrawn when its order is proved absent');
select is(test.reason(:'decision'), 'proved absent: changed my mind', 'with the reason of the first wish');
select is((select o.clean from orderlatch_data.decision_outcomes as o where o.decision_id = test.decision_id(:'decision')), false,
          'not clean,');
select is((select count(*)::integer from orderlatch_data.live_signals as g where g.decision_id = test.decision_id(:'decision')),
          0,
          'but proved absent: its signal may be decided anew');

select test_support.advance_clock('10 minutes');
select test.given_submitting_decision(:worker, '{"symbol": "H"}') as decision \gset
select test.record(test.answer_maybe(test.holder(:'decision')));
select (test.claim_one(:worker, 'find_order')).request_id as lookup \gset
select orderlatch.withdraw_decision(:'decision', 'too late');
select is(test.record(test.answer_order(:'lookup')), 'order_exists', 'found while wished away,');
select is(test.status(:'decision'), 'submitted', 'it is submitted');

select pg_temp.given_wish('I') as decision \gset
select test.record(test.answer_maybe(test.holder(:'decision')));
select is(orderlatch.resolve_in_doubt(:'decision', 'absent', '{"note": "by hand"}'), 'withdrawn',
          'declared absent by an operator it is withdrawn');
select is(test.broken_promises(), '{}', 'no promise is broken');

select * from finish();
rollback;
