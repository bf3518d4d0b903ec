-- A key that is not accepted halts the account; the decision waits for a person to put it right.
begin;
select plan(19);

select test_support.hold_clock('2026-03-02 15:00:00Z');
select test.given_account('paper', '{"max_decision_age": "1 day"}');
select test.given_worker() as worker \gset
select test.given_submitting_decision(:worker) as decision \gset
select is(test.record(test.answer_error(test.holder(:'decision'), 401, null, 'unauthorized.')), 'unauthorized',
          'the key is not accepted');
select is((select o.status || ' ' || o.clean || ' ' || o.submits from test.open_row(:'decision') as o), 'approved true 0',
          'the decision is approved again, clean');
select is(test.reason(:'decision'), 'the broker does not accept the key', 'and says why');
select is(test.incidents() || test.halts(), '{unauthorized,unauthorized}', 'an incident is opened and the account halted');
select is((select i.request_id from orderlatch_data.incidents as i), test.holder(:'decision'), 'the incident names the request');
select test_support.advance_clock('1 minute');
select is(test.kinds(:worker), '{}', 'nothing is submitted');
select orderlatch.lift_halt(h.halt_id, 'the key is put right') from orderlatch_data.halts as h;
select is(test.kinds(:worker), '{submit_order}', 'until the halt is lifted');
select is(test.record(test.answer_error(test.holder(:'decision'), 403, null, 'forbidden.')), 'unauthorized',
          'a 403 about the key is the same');
select is(test.incidents() || test.halts(), '{unauthorized,unauthorized}',
          'the open incident is not opened twice, the account is halted again');
select orderlatch.lift_halt(h.halt_id, 'again') from orderlatch_data.halts as h where h.lifted_at is null;

-- Not clean: still approved, and still not clean.
select test_support.advance_clock('1 minute');
select test.claim_one(:worker);
select test.record(test.answer_maybe(test.holder(:'decision')));
select test_support.advance_clock('1 minute');
select (test.claim_one(:worker, 'find_order')).request_id as lookup \gset
select is(test.record(test.answer_error(:'lookup', 401, null, 'unauthorized.')), 'unauthorized', 'a lookup with a bad key');
select is(test.status(:'decision'), 'in_doubt', 'proves nothing');
select is(test.halts(), '{unauthorized}', 'and halts the account');
select orderlatch.lift_halt(h.halt_id, 'again') from orderlatch_data.halts as h where h.lifted_at is null;
select test_support.advance_clock('1 second');
select is(test.prove_absent(:worker, :'decision'), 'approved', 'the doubt ends as if nothing had been');
select test.claim_one(:worker);
select is(test.record(test.answer_error(test.holder(:'decision'), 401, null, 'unauthorized.')), 'unauthorized',
          'a second submit with a bad key');
select is((select o.status || ' ' || o.clean || ' ' || o.submits from test.open_row(:'decision') as o), 'approved false 1',
          'leaves it approved, and not clean');

-- get_account
select orderlatch.lift_halt(h.halt_id, 'again') from orderlatch_data.halts as h where h.lifted_at is null;
select test.given_stranger() as stranger \gset
select (test.claim_one(:stranger, 'get_account')).request_id as question \gset
select is(test.record(test.answer_error(:'question', 403, null, 'forbidden.')), 'unauthorized', 'a question with a bad key');
select is(test.halts(), '{unauthorized}', 'halts the account');
select is(test.kinds(:stranger), '{}', 'and is not asked again at once');
select is(test.broken_promises(), '{}', 'no promise is broken');

select * from finish();
rollback;
