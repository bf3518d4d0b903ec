-- What a worker is granted: the whole of each call, with the times of the account.
begin;
select plan(17);

select test_support.hold_clock('2026-03-02 15:00:00Z');
select test.given_account('paper', '{"send_within": "3 seconds", "call_timeout": "7 seconds", "answer_grace": "11 seconds"}');
select test.given_worker() as worker \gset

create function pg_temp.row_of(p_request_id uuid) returns jsonb language sql volatile as $$
  select to_jsonb(r) - 'request_id' - 'worker_id' - 'account_id' from orderlatch_data.broker_requests as r
     where r.request_id = p_request_id
$$;

select test.given_approved_decision('paper', '{
  "symbol": "aapl", "order_type": "stop_limit", "time_in_force": "GTC", "qty": "1.50", "limit_price": "190.10", "stop_price": 190
}'::jsonb || '{"qty": 3}') as decision \gset
select * from test.claim_one(:worker) \gset
select is(:'account'::text, 'paper', 'a call names its account');
select is(:'method' || ' ' || :'path', 'POST /v2/orders', 'an order is posted');
select is(:{?query}, false, 'without a query');
select is(
  :'body'::jsonb,
  jsonb_build_object('symbol', 'AAPL', 'qty', '3', 'side', 'buy', 'type', 'stop_limit', 'time_in_force', 'gtc',
                     'limit_price', '190.1', 'stop_price', '190', 'client_order_id', :'decision'),
  'its body is the order as it was decided, decimals as texts, the hash as client_order_id');
select is(array[:send_within_ms, :timeout_ms], '{3000,7000}', 'the durations are the account''s');
select is(
  pg_temp.row_of(:'request_id'),
  jsonb_build_object(
    'kind', 'submit_order', 'decision_id', test.decision_id(:'decision'), 'read_id', null, 'broker_order_id', null, 'method', 'POST', 'path', '/v2/orders',
    'query', null, 'body', :'body', 'claimed_at', '2026-03-02T15:00:00+00:00', 'send_within_ms', 3000, 'timeout_ms', 7000,
    'answer_by', '2026-03-02T15:00:21+00:00'),
  'the same is written down before the call, to be answered within all three times of the account');
select is((select r.worker_id from orderlatch_data.broker_requests as r where r.request_id = :'request_id'), :worker,
          'with its worker');
select is(
  (select array[r.kind, r.answer_by::text, (r.lock_key = (test.open_row(:'decision')).lock_key)::text]
     from orderlatch_data.open_requests as r where r.request_id = :'request_id'),
  array['submit_order', '2026-03-02 15:00:21+00', 'true'], 'it is on its way');
select is(test.moves(:'decision'), '{none>planned,planned>approved,approved>submitting}', 'the decision is submitting');
select is((select o.holder_request_id || ' ' || o.submits from test.open_row(:'decision') as o), :'request_id' || ' 1',
          'held by the call, its first submit');

select test.given_approved_decision('paper', '{"symbol": "BRK", "qty": null, "notional": "12.50"}') as dollars \gset
select is((test.claim_one(:worker)).body::jsonb ->> 'notional', '12.5', 'an order by dollars says so');
select ok(not (select r.body::jsonb ? 'qty' from orderlatch_data.broker_requests as r
            where r.request_id = test.holder(:'dollars')),
          'and names no quantity');

select test.record(test.answer_maybe(test.holder(:'decision')));
select * from test.claim_one(:worker, 'find_order') \gset
select is(
  pg_temp.row_of(:'request_id') - 'claimed_at' - 'answer_by',
  jsonb_build_object(
    'kind', 'find_order', 'decision_id', test.decision_id(:'decision'), 'read_id', null, 'broker_order_id', null,
    'method', 'GET',
    'path', '/v2/orders:by_client_order_id', 'query', jsonb_build_object('client_order_id', :'decision'), 'body', null,
    'send_within_ms', 3000, 'timeout_ms', 7000),
  'an order is looked up by its client_order_id');
select is(:'query'::jsonb ->> 'client_order_id', :'decision', 'which the worker gets');
select test.record(test.answer_absent(:'request_id'));

select test.record(test.answer_order(test.holder(:'dollars')));
select test.given_absent_twice(:worker, :'decision');
select * from test.claim_one(:worker, 'list_orders') \gset
select is(
  pg_temp.row_of(:'request_id') - 'claimed_at' - 'answer_by' - 'read_id',
  jsonb_build_object(
    'kind', 'list_orders', 'broker_order_id', null, 'decision_id', null, 'method', 'GET', 'path', '/v2/orders', 'body', null,
    'query', '{"status": "all", "limit": "500", "direction": "asc", "nested": "false", "symbols": "AAPL",
               "after": "2026-03-02T14:55:00.000000Z"}'::jsonb,
    'send_within_ms', 3000, 'timeout_ms', 7000),
  'a proof reads all orders of the symbol from five minutes before the first submit, without an end');
select isnt((select r.read_id from orderlatch_data.broker_requests as r where r.request_id = :'request_id'), null,
            'for its read');
select is(test.broken_promises(), '{}', 'no promise is broken');

select * from finish();
rollback;
