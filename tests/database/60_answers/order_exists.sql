-- A submit that the broker accepted: its order is recorded and its decision submitted, with the whole answer kept.
begin;
select plan(13);

select test_support.hold_clock('2026-03-02 15:00:00Z');
select test.given_account();
select test.given_worker() as worker \gset
select test.given_submitting_decision(:worker) as decision \gset
select test_support.advance_clock('300 milliseconds');
select is(
  test.record(test.answer_order(test.holder(:'decision'), '{"status": "filled", "filled_qty": "10", "filled_avg_price": "190.255"}')),
  'order_exists', 'the broker has the order');
select is(test.moves(:'decision'), '{none>planned,planned>approved,approved>submitting,submitting>submitted}',
          'the decision is submitted');
select is(test.reason(:'decision'), 'the broker has order order-' || test.decision_id(:'decision'), 'the event names the order');
select is((select e.request_id from orderlatch_data.decision_events as e where e.to_status = 'submitted'),
          test.holder(:'decision'),
          'and the request');
select is(
  (select to_jsonb(x) - 'order_no' from orderlatch_data.broker_orders as x),
  jsonb_build_object(
    'decision_id', test.decision_id(:'decision'), 'account_id', test.account_id(), 'broker_order_id',
      'order-' || test.decision_id(:'decision'),
    'status', 'filled', 'filled_qty', 10, 'filled_avg_price', 190.255, 'submitted_at', '2026-03-02T15:00:00.37106+00:00',
    'updated_at', '2026-03-02T15:00:00.371751+00:00', 'found_in_request_id', test.holder(:'decision'),
    'recorded_at', '2026-03-02T15:00:00.3+00:00', 'changed_at', '2026-03-02T15:00:00.3+00:00', 'relation', 'order',
    'parent_broker_order_id', null, 'client_order_id', null, 'document', null, 'foreign_at', null,
    'symbol', 'GOOG', 'side', 'buy', 'order_type', 'market', 'qty', 10, 'notional', null, 'limit_price', null,
    'stop_price', null, 'is_open', false, 'status_at', '2026-03-02T15:00:00.371751+00:00',
    'filled_as_of', '2026-03-02T15:00:00.371751+00:00', 'shown_filled_qty', 10, 'fills_qty', 0, 'fills_value', 0,
    'has_reversals', false),
  'the execution is as the broker shows it, times to the microsecond');
select is(
  (select to_jsonb(r) - '{body,filler}'::text[] from orderlatch_data.broker_responses as r where r.request_id = test.holder(:'decision')),
  jsonb_build_object(
    'request_id', test.holder(:'decision'), 'recorded_at', '2026-03-02T15:00:00.3+00:00', 'sent', 'yes', 'status', 200,
    'meaning', 'order_exists', 'code', null, 'message', null, 'broker_request_id', '649c5a79da1ab9cb20742ffdada0a7bb', 'headers', null,
    'body_octets', (select octet_length(r.body) from orderlatch_data.broker_responses as r
       where r.request_id = test.holder(:'decision')),
    'error', null, 'elapsed_ms', 42),
  'the answer is kept, with the broker''s X-Request-ID');
select is((select convert_from(r.body, 'UTF8')::jsonb ->> 'client_order_id' from orderlatch_data.broker_responses as r
            where r.request_id = test.holder(:'decision')), :'decision', 'octet by octet');
select ok(
  (select pg_column_size(r.body) < octet_length(r.body) and pg_column_size(r.filler) < 100
     from orderlatch_data.broker_responses as r where r.request_id = test.holder(:'decision')),
  'in fewer bytes than it has');
select is((select count(*)::integer from orderlatch_data.open_requests), 0, 'the request is not on its way any more');
select is((select count(*)::integer from orderlatch_data.open_decisions), 0, 'the open row is gone');
select is((select o.status || ' ' || o.clean from orderlatch_data.decision_outcomes as o), 'submitted true', 'the outcome stays');
select is(test.kinds(:worker) || test.incidents() || test.halts(), '{}', 'nothing is left to do');
select is(test.broken_promises(), '{}', 'no promise is broken');

select * from finish();
rollback;
