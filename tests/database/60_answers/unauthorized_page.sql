-- A page that says 401 is not the broker's: somebody between may say it when the order has gone through.
begin;
select plan(12);

select test_support.hold_clock('2026-03-02 15:00:00Z');
select test.given_account('paper', '{"max_decision_age": "1 day"}');
select test.given_worker() as worker \gset

-- The order has landed, and is found.
select test.given_submitting_decision(:worker, '{"symbol": "A"}') as landed \gset
select is(test.record(test.answer_status(test.holder(:'landed'), 401, '<html>401 Authorization Required</html>')), 'unauthorized',
          'a page that says 401 is about the key');
select is(test.incidents() || test.halts(), '{unauthorized,unauthorized}', 'an incident is opened and the account halted');
select is(test.status(:'landed'), 'in_doubt', 'but whether the order has arrived it does not say');
select orderlatch.lift_halt(h.halt_id, 'the gateway is put right') from orderlatch_data.halts as h;
select is(test.kinds(:worker), '{find_order}', 'it is looked for');
select r.request_id as lookup from orderlatch_data.open_requests as r where r.kind = 'find_order' \gset
select is(test.record(test.answer_order(:'lookup')), 'order_exists', 'and is there');
select is(test.status(:'landed'), 'submitted', 'once');

-- The broker's own words.
select test_support.advance_clock('1 minute');
select test.given_submitting_decision(:worker, '{"symbol": "C"}') as plain \gset
select test.record(test.answer_status(test.holder(:'plain'), 401, E'{"message": "unauthorized."}\n'));
select is((select o.status || ' ' || o.clean || ' ' || o.submits from test.open_row(:'plain') as o), 'approved true 0',
          'are believed: no order came of it');
select orderlatch.withdraw_decision(:'plain', 'enough');
select orderlatch.lift_halt(h.halt_id, 'the key is put right') from orderlatch_data.halts as h where h.lifted_at is null;

-- It is not found: what is sent again is not clean, so that a refusal which its own first copy causes is not believed.
select test_support.advance_clock('1 minute');
select test.given_submitting_decision(:worker, '{"symbol": "B"}') as doubtful \gset
select test.record(test.answer_status(test.holder(:'doubtful'), 401, ''));
select is(test.status(:'doubtful'), 'in_doubt', 'an empty 401 says as little');
select orderlatch.lift_halt(h.halt_id, 'the gateway is put right') from orderlatch_data.halts as h where h.lifted_at is null;
select test_support.advance_clock('1 minute');
select is(test.prove_absent(:worker, :'doubtful'), 'approved', 'proved absent it is sent again');
select test.claim_one(:worker);
select is(test.record(test.answer_error(test.holder(:'doubtful'), 403, 40310000, 'insufficient buying power')), 'refused_unclean',
          'and a refusal of that is remembered');
select is(test.status(:'doubtful'), 'in_doubt', 'not believed');

select is(test.broken_promises(), '{}', 'no promise is broken');

select * from finish();
rollback;
