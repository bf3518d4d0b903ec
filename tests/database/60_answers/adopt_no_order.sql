-- An operator adopts an id that is none of the broker's, as the client_order_id: that it is no order comes out.
begin;
select plan(8);

select test_support.hold_clock('2026-03-02 15:00:00Z');
select test.given_account('paper', '{"max_in_doubt": 10}');
select test.given_worker() as worker \gset
select test.given_decision_in('in_doubt', :worker) as decision \gset
create function pg_temp.answer_check(p_worker integer) returns text language sql volatile as $$
  select test.record(test.answer_error((test.claim_one(p_worker, 'get_order')).request_id, 422, 40010001, 'order_id is missing'))
$$;

select throws_ok(
  format('select orderlatch.resolve_in_doubt(%L, %L, %L)', :'decision', 'adopt', '{"broker_order_id": "order.of/mine"}'), 'OL307', null,
  'what no path could hold is the id of no order'
);
select is(orderlatch.resolve_in_doubt(:'decision', 'adopt', jsonb_build_object('broker_order_id', :'decision'::text)), 'submitted',
          'the client_order_id looks like one');
select is(pg_temp.answer_check(:worker), 'absent', 'the broker knows no order by what is no uuid');
select is((test.broker_order(:'decision')).status, 'unknown', 'said once');
select test_support.advance_clock('30 seconds');
select is(pg_temp.answer_check(:worker), 'absent', 'and said twice');
select is((test.broker_order(:'decision')).status || ' ' || test.incidents()::text, 'vanished {order_vanished}',
          'it is an incident: there is no such order');
select is(
  (select r.meaning from orderlatch_data.read_answer('cancel_order', 'x', 'yes', 422,
     convert_to('{"code": 40010001, "message": "order_id is missing"}', 'UTF8')) as r), 'absent', 'nor can it be canceled'
);
select is(test.broken_promises(), '{}', 'no promise is broken');

select * from finish();
rollback;
