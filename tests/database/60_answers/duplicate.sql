-- "client_order_id must be unique": an order exists. Absence is never believed again; a found order or a person ends it.
begin;
select plan(27);

select test_support.hold_clock('2026-03-02 15:00:00Z');
select test.given_account('paper', '{"max_in_doubt": 100, "max_decision_age": "1 day"}');
select test.given_worker() as worker \gset
create function pg_temp.given_duplicate(p_symbol text) returns text language plpgsql as $$
declare
  v_decision_hash text := test.given_submitting_decision(
    (select max(w.worker_id) from orderlatch_data.workers as w), jsonb_build_object('symbol', p_symbol));
begin
  perform test.record(test.answer_error(test.holder(v_decision_hash), 422, 40010001, 'client_order_id must be unique'));
  return v_decision_hash;
end
$$;

select pg_temp.given_duplicate('A') as found \gset
select is((select r.meaning from orderlatch_data.broker_responses as r where r.request_id = test.holder(:'found')), 'duplicate',
          'the id is taken');
select is(test.status(:'found') || ': ' || test.reason(:'found'), 'in_doubt: the broker says the id is taken',
          'the decision is in doubt');
select is((select d.duplicate || ' ' || d.mismatched || ' ' || (d.refusal is null) from test.doubt(:'found') as d),
          'true false true', 'for good');
select is(test.record(test.answer_order((test.claim_one(:worker, 'find_order')).request_id)), 'order_exists',
          'looked up at once, the order is found');
select is(test.status(:'found'), 'submitted', 'and ends the doubt');
select is(test.incidents(), '{}', 'nothing is wrong');

-- An order with the id and other terms.
select pg_temp.given_duplicate('B') as other_terms \gset
select is(test.record(test.answer_order((test.claim_one(:worker, 'find_order')).request_id, '{"qty": "11"}')), 'order_mismatch',
          'an order with other terms is not the one');
select is(test.status(:'other_terms'), 'in_doubt', 'the doubt goes on');
select is(test.incidents() || test.halts(), '{order_mismatch,order_mismatch}', 'with an incident and a halt');
select orderlatch.lift_halt(h.halt_id, 'tests') from orderlatch_data.halts as h;
select orderlatch.close_incident(i.incident_id, 'tests') from orderlatch_data.incidents as i;

-- No order to be found, for ever.
select pg_temp.given_duplicate('C') as missing \gset
select test_support.advance_clock('2 minutes');
select test.look_in_vain(:worker);
select test_support.advance_clock('1 minute');
select test.look_in_vain(:worker);
select test_support.advance_clock('1 minute');
select is(test.kinds(:worker), '{find_order}', 'no list is read: there is nothing to prove');
select is((select d.first_absent_at from test.doubt(:'missing') as d), null, 'no word of absence is counted');
select test.record(test.answer_absent((test.open_row(:'missing')).lookup_request_id));
select test_support.advance_clock('5 minutes 59.9 seconds');
select test.look_in_vain(:worker);
select is(test.incidents(), '{}', 'before ten minutes it alarms nobody');
select test_support.advance_clock('30 seconds');
select is(test.look_in_vain(:worker), 1::bigint, 'it is looked up all the while');
select is(test.incidents(), '{duplicate_without_order}', 'after ten minutes a person is asked');
select is((select i.decision_id from orderlatch_data.incidents as i where i.closed_at is null), test.decision_id(:'missing'),
          'about this decision');
select test_support.advance_clock('1 day');
select test.look_in_vain(:worker);
select is(test.status(:'missing'), 'in_doubt', 'a day later it is still in doubt');
select is((select count(*)::integer from orderlatch_data.incidents as i where i.incident = 'duplicate_without_order'), 1,
          'it is one incident');

-- A person ends it: the order is there.
select is(orderlatch.resolve_in_doubt(:'missing', 'adopt', '{"broker_order_id": "seen-1", "status": "filled"}'), 'submitted',
          'an operator adopts it');
select is((select x.broker_order_id || ' ' || x.status from orderlatch_data.broker_orders as x
            where x.decision_id = test.decision_id(:'missing')),
          'seen-1 unknown', 'what it is like only the broker says');

-- Or the operator says that there is none.
select pg_temp.given_duplicate('D') as absent \gset
select is(orderlatch.resolve_in_doubt(:'absent', 'absent', '{"note": "support says so"}'), 'approved',
          'declared absent it may be sent again');
select test_support.advance_clock('1 minute');
select is((test.claim_one(:worker)).body::jsonb ->> 'client_order_id', :'absent', 'under the same id');
select is(test.record(test.answer_error(test.holder(:'absent'), 409, 40910000, 'conflict')), 'duplicate', 'taken again');
select is((test.doubt(:'absent')).duplicate, true, 'it is in doubt again');
select orderlatch.update_account('paper', '{"duplicate_alarm_after": "2 minutes"}');
select test_support.advance_clock('1 minute');
select is(test.record(test.answer_maybe((test.claim_one(:worker, 'find_order')).request_id)), 'in_doubt', 'a lookup that fails');
select test_support.advance_clock('1 minute');
select is(test.record(test.answer_maybe((test.claim_one(:worker, 'find_order')).request_id)), 'in_doubt', 'and fails again');
select is(test.incidents(), '{duplicate_without_order,duplicate_without_order}', 'alarms too, after the account''s own time');
select is(test.broken_promises(), '{}', 'no promise is broken');

select * from finish();
rollback;
