-- A list completes the proofs that waited for it when it began, of its own symbol, and no others.
begin;
select plan(15);

select test_support.hold_clock('2026-03-02 15:00:00Z');
select test.given_account('paper', '{"max_in_doubt": 100, "max_decision_age": "1 day"}');
select test.given_worker() as worker \gset
select test.given_submitting_decision(:worker, '{"symbol": "A"}') as a \gset
select test.given_submitting_decision(:worker, '{"symbol": "B"}') as b \gset
select test.record(test.answer_maybe(test.holder(:'a')));
select test.record(test.answer_maybe(test.holder(:'b')));
select test.given_absent_twice(:worker, :'a');
create temporary table pages as select c.request_id,
  c.query ->> 'symbols' as symbol from test.claim(:worker) as c where c.kind = 'list_orders';
select set_eq('select p.symbol from pages as p', array['A', 'B'], 'each symbol is read for itself');
select test.record(test.answer_status(p.request_id, 200, '[]')) from pages as p where p.symbol = 'B';
select is(test.status(:'a') || ' ' || test.status(:'b'), 'in_doubt approved', 'the list of another symbol proves nothing');

-- While the list of A is on its way its doubt ends, it is sent again and comes into doubt again.
select is(orderlatch.resolve_in_doubt(:'a', 'absent', '{"note": "by hand"}'), 'approved', 'an operator ends the doubt');
select test_support.advance_clock('1 second');
select is((select count(*)::integer from test.claim(:worker) as c where c.kind = 'submit_order'), 2, 'both are sent again');
select test.record(test.answer_order(test.holder(:'b')));
select test.record(test.answer_maybe(test.holder(:'a')));
select is(test.record(test.answer_status(p.request_id, 200, '[]')), 'orders_listed',
          'the list of the first doubt comes back empty') from pages as p where p.symbol = 'A';
select is(test.status(:'a'), 'in_doubt', 'it says nothing of the second submit');
select is((select jsonb_build_object('first', d.first_absent_at, 'read', d.read_id) from test.doubt(:'a') as d),
          '{"first": null, "read": null}'::jsonb,
          'the second doubt has proved nothing yet');
select is(test.prove_absent(:worker, :'a'), 'approved', 'it is proved by itself');
select is((select count(*)::integer from orderlatch_data.broker_reads as r where r.symbol = 'A'), 2, 'with a list of its own');

-- A list that shows orders of ours that nobody was looking for.
select count(*) from test.claim(:worker);
select test.record(test.answer_maybe(test.holder(:'a')));
select test.given_approved_decision('paper', '{"symbol": "C"}') as never_sent \gset
select test.given_decision('paper', '{"symbol": "D"}') as unjudged \gset
select orderlatch.halt('tests');
select test.given_absent_twice(:worker, :'a');
select (test.claim_one(:worker, 'list_orders')).request_id as page \gset
select is(test.record(test.answer_status(:'page', 200, (jsonb_build_array(test.order_document(:'never_sent'), test.order_document(:'unjudged'),
            test.order_document(:'b', '{"status": "filled", "filled_qty": "10", "updated_at": "2026-03-02T16:00:00Z"}')))::text)),
              'orders_listed',
          'a list that shows other orders of ours');
select is(test.status(:'never_sent') || ' ' || test.status(:'unjudged'), 'submitted submitted', 'records them all');
select is((select x.status || ' ' || x.filled_qty from orderlatch_data.broker_orders as x
            where x.decision_id = test.decision_id(:'b')), 'filled 10',
          'and brings those that are known up to date');
select is(test.status(:'a'), 'lapsed', 'while the proof that it was read for ends');
select is(test.incidents(), '{}', 'nothing of this is an incident');
select is(test.broken_promises(), '{}', 'no promise is broken');

select * from finish();
rollback;
