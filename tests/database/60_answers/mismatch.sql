-- An order with a decision's id and other terms: incident, halt, and doubt that only a person ends.
begin;
select plan(38);

select test_support.hold_clock('2026-03-02 15:00:00Z');
select test.given_account('paper', '{"max_in_doubt": 100, "max_decision_age": "1 day"}');
select test.given_worker() as worker \gset
create function pg_temp.calm() returns void language sql volatile as $$
  update orderlatch_data.halts set lifted_at = orderlatch_data.clock(), lifted_by = 't',
    lift_reason = 't' where lifted_at is null;
  update orderlatch_data.incidents set closed_at = orderlatch_data.clock(), closed_by = 't',
    resolution = 't' where closed_at is null;
$$;

-- In the answer to its own submit.
select test.given_submitting_decision(:worker, '{"symbol": "A"}') as decision \gset
select is(test.record(test.answer_order(test.holder(:'decision'), '{"qty": "100"}')), 'order_mismatch',
          'the order is not the one decided');
select is(test.status(:'decision') || ': ' || test.reason(:'decision'), 'in_doubt: an order with this id has other terms',
          'its decision is in doubt');
select is(test.incidents() || test.halts(), '{order_mismatch,order_mismatch}', 'an incident is opened and the account halted');
select is((select i.detail from orderlatch_data.incidents as i),
          jsonb_build_object('broker_order_id', 'order-' || test.decision_id(:'decision'), 'differences',
            '{"qty": {"decided": "10", "shown": "100"}}'::jsonb),
          'the incident names the order and the difference');
select is((select d.mismatched || ' ' || (d.next_lookup_at is null) from test.doubt(:'decision') as d), 'true true',
          'no lookup could end the doubt');
select is((select count(*)::integer from orderlatch_data.broker_orders as b where b.decision_id is not null), 0,
          'the order is not taken for its execution');
select test_support.advance_clock('1 hour');
select is(test.kinds(:worker), '{}', 'nothing is asked');
select test.given_approved_decision('paper', '{"symbol": "A"}') as behind \gset
select pg_temp.calm();
select is(test.kinds(:worker), '{}', 'its symbol waits, when the halt is lifted too');
select is(test.broken_promises(), '{}', 'no promise is broken');

-- A person adopts it.
select is(orderlatch.resolve_in_doubt(:'decision', 'adopt', '{"broker_order_id": "order-1", "note": "we keep it"}'), 'submitted',
          'an operator adopts the order');
select is(test.kinds(:worker), '{get_order,submit_order}', 'its symbol goes on, and the order is read');
select test.record(test.answer_order(test.holder(:'behind')));

-- A person declares it absent: under the halt it lapses, without it may be sent again.
select test.given_submitting_decision(:worker, '{"symbol": "B"}') as halted \gset
select test.record(test.answer_order(test.holder(:'halted'), '{"side": "sell"}'));
select is(orderlatch.resolve_in_doubt(:'halted', 'absent', '{"note": "cancelled by hand"}'), 'lapsed',
          'declared absent under the halt it lapses');
select is(test.reason(:'halted'), 'declared absent by postgres: a halt stands', 'and says why');
select pg_temp.calm();
select test.given_submitting_decision(:worker, '{"symbol": "C"}') as again \gset
select test.record(test.answer_order(test.holder(:'again'), '{"side": "sell"}'));
select pg_temp.calm();
select is(orderlatch.resolve_in_doubt(:'again', 'absent', '{"note": "cancelled by hand"}'), 'approved',
          'declared absent without one it may be sent again');
select test_support.advance_clock('1 second');
select is((test.claim_one(:worker)).body::jsonb ->> 'client_order_id', :'again', 'under the same id');
select test.record(test.answer_order(test.holder(:'again')));

-- Found by a lookup, by a list, and while the submit is on its way.
select test.given_submitting_decision(:worker, '{"symbol": "D"}') as looked_up \gset
select test.given_submitting_decision(:worker, '{"symbol": "E"}') as listed \gset
select test.given_submitting_decision(:worker, '{"symbol": "F"}') as on_its_way \gset
select test.record(test.answer_maybe(test.holder(:'looked_up')));
select test.record(test.answer_maybe(test.holder(:'listed')));
select is(test.record(test.answer_status(gen_random_uuid(), 200, test.order_document(:'on_its_way', '{"type": "limit", "limit_price": "1"}')::text)),
          'order_mismatch', 'an order of other terms is found while the submit is on its way');
select is(test.status(:'on_its_way'), 'in_doubt', 'its decision is in doubt');
select is(test.record(test.answer_error(test.holder(:'on_its_way'), 422, 40010001, 'client_order_id must be unique')), 'stale',
          'what the submit''s own answer denies changes nothing');
select is(test.broken_promises(), '{}', 'no promise is broken');
select pg_temp.calm();
select c.request_id as lookup from test.claim(:worker) as c where test.decision_of(c.request_id) = :'looked_up' \gset
select is(test.record(test.answer_order(:'lookup', '{"limit_price": "1"}')), 'order_mismatch', 'a lookup finds other terms');
select is((test.doubt(:'looked_up')).mismatched, true, 'the doubt is for a person now');
select pg_temp.calm();
select test_support.advance_clock('1 minute');
select test.given_absent_twice(:worker, :'listed');
select (test.claim_one(:worker, 'list_orders')).request_id as page \gset
select is(test.record(test.answer_status(:'page', 200, jsonb_build_array(test.order_document(:'listed', '{"qty": "1"}'))::text)),
          'orders_listed',
          'a list shows other terms');
select is(test.status(:'listed') || ' ' || (test.doubt(:'listed')).mismatched, 'in_doubt true',
          'the complete list proves no absence then');
select is(test.incidents(), '{order_mismatch}', 'a person is asked');
select pg_temp.calm();

-- Shown again as it was decided: the same order, and another one.
select is(test.record(test.answer_order(test.holder(:'looked_up'))), 'order_exists', 'the same order is shown as it was decided');
select is(test.status(:'looked_up'), 'submitted', 'that ends the doubt');
select is(test.incidents(), '{}', 'it is one order');
select is(test.record(test.answer_order(test.holder(:'listed'), '{"id": "a-second-order"}')), 'order_exists',
          'another order has the terms that were decided');
select is(test.status(:'listed'), 'submitted', 'it is the decision''s');
select is(test.incidents() || test.halts(), '{duplicate_order,duplicate_order}', 'but there are two: an incident and a halt');
select is((select i.detail from orderlatch_data.incidents as i where i.incident = 'duplicate_order'),
          jsonb_build_object('known', 'order-' || test.decision_id(:'listed'), 'also', 'a-second-order'),
            'the incident names both');
select pg_temp.calm();

-- An order that is another decision's already.
select test.given_submitting_decision(:worker, '{"symbol": "G"}') as greedy \gset
select is(test.record(test.answer_order(test.holder(:'greedy'), '{"id": "a-second-order"}')), 'order_mismatch',
          'the order of another decision is not its order');
select is((select i.detail -> 'differences' -> 'id' ->> 'shown' from orderlatch_data.incidents as i where i.closed_at is null),
          'the order of decision ' || test.decision_id(:'listed'), 'the incident names whose it is');
select throws_ok(format('select orderlatch.resolve_in_doubt(%L, ''adopt'', ''{"broker_order_id": "a-second-order"}'')', :'greedy'), 'OL131', null,
                 'nor can it be adopted');
select is(test.status(:'greedy'), 'in_doubt', 'it stays in doubt');

-- Found before risk has judged, or when it is settled.
select test.given_decision('paper', '{"symbol": "H"}') as planned \gset
select test.record(test.answer_status(gen_random_uuid(), 200, test.order_document(:'planned', '{"qty": "1"}')::text));
select is(test.moves(:'planned'), '{none>planned,planned>in_doubt}', 'a planned decision whose id is on other terms is in doubt');
select test.record(test.answer_status(gen_random_uuid(), 200, test.order_document(:'halted', '{"qty": "1"}')::text));
select is(test.status(:'halted'), 'lapsed', 'a settled one stays what it is, with an incident');
select is(test.broken_promises(), '{}', 'no promise is broken');

select * from finish();
rollback;
