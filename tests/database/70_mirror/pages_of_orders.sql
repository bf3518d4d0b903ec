-- A read of orders goes on page by page until one is not full; a page moves the cursor with what it holds, or not at all.
begin;
select plan(37);

select test_support.hold_clock('2026-03-02 16:00:00Z');
select test.given_mirrored_account('paper', '{"reconcile_from": "2026-03-02T14:00:00Z", "backoff_first": "1 second"}');
select test.given_worker() as worker \gset
-- Orders o-1 to o-n, submitted p_step apart from p_first on.
create function pg_temp.orders(p_count integer, p_first timestamptz, p_step interval, p_name text default 'o') returns jsonb
language sql volatile as $$
  select jsonb_agg(test.a_broker_order(
           p_name || '-' || n, jsonb_build_object(
             'status', 'canceled', 'submitted_at', orderlatch_data.canonical_time(p_first + (n - 1) * p_step))) order by n)
    from generate_series(1, p_count) as n
$$;
create function pg_temp.known() returns bigint language sql volatile as $$ select count(*) from orderlatch_data.broker_orders $$;
create function pg_temp.read_orders(p_book jsonb) returns bigint language sql volatile as $$
  select test_support.advance_clock('2 minutes');
  select count(*) from unnest(test.serve(1, p_book)) as k where k = 'list_orders'
$$;

-- Equal times on the edges of pages: 501 orders of three moments, then 1,300 of one moment.
select jsonb_build_object('orders', pg_temp.orders(167, '2026-03-02 14:30:00Z', '0') || pg_temp.orders(167, '2026-03-02 14:31:00Z', '0', 'p')
                                    || pg_temp.orders(167, '2026-03-02 14:32:00Z', '0', 'q')) as book \gset
select test.serve(:worker, :'book');
select is(pg_temp.known(), 501::bigint, 'orders of one moment on both sides of an edge are all read');
select jsonb_build_object('orders', pg_temp.orders(1300, '2026-03-02 14:40:00Z', '0', 'r') || pg_temp.orders(3, '2026-03-02 14:41:00Z', '1 second', 's')) as book \gset
select pg_temp.read_orders(:'book');
select is(pg_temp.known(), 1804::bigint, 'so are more than two pages of one moment, and what comes after them');
select is((test.standing_read('orders')).cursor_at, '2026-03-02 14:41:02Z'::timestamptz, 'the cursor is at the last');
select is((test.standing_read('orders')).page_token, null, 'the token is forgotten');
select is(test.incidents(), '{foreign_order}', 'nothing is stuck');

-- Nanoseconds: exclusive bounds never pass the last order of a page by.
select jsonb_build_object('orders', (
  select jsonb_agg(test.a_broker_order('t-' || n, jsonb_build_object(
           'status', 'canceled', 'submitted_at', '2026-03-02T14:50:00.000001' || lpad((n / 2)::text, 3, '0') || 'Z')))
    from generate_series(1, 600) as n)) as book \gset
select pg_temp.read_orders(:'book');
select is(pg_temp.known(), 2404::bigint, 'orders within one microsecond are all read');

-- Full and exactly full pages.
select pg_temp.read_orders(jsonb_build_object('orders', pg_temp.orders(499, '2026-03-02 14:56:00Z', '1 millisecond', 'u'))) as calls \gset
select is(:calls, 2, 'a page of 499 is the last: with that of open orders there are two calls');
select pg_temp.read_orders(jsonb_build_object('orders', pg_temp.orders(500, '2026-03-02 15:02:00Z', '1 millisecond', 'v'))) as calls \gset
select is(:calls, 3, 'after a page of 500 one more is read');
select is((test.standing_read('orders')).pages, 2, 'it counts two pages');

-- Legs count: whether the broker counts them is not known.
select jsonb_build_object('orders', (
  select jsonb_agg(o.document || jsonb_build_object('legs', jsonb_build_array(
           test.a_broker_order((o.document ->> 'id') || '-t', jsonb_build_object('status', 'canceled', 'submitted_at', o.document ->> 'submitted_at')),
           test.a_broker_order((o.document ->> 'id') || '-s', jsonb_build_object('status', 'canceled', 'submitted_at', o.document ->> 'submitted_at')))))
    from jsonb_array_elements(pg_temp.orders(170, '2026-03-02 15:10:00Z', '1 millisecond', 'w')) as o(document))) as book \gset
select pg_temp.known() as before \gset
select pg_temp.read_orders(:'book') as calls \gset
select is(:calls, 3, 'a page of 170 orders with two legs each is full');
select is(pg_temp.known() - :before, 510::bigint, 'each leg is an order');

-- submitted_at moves when an order is accepted, also from one page to the next.
select test_support.advance_clock('1 minute');
select jsonb_build_object('orders', pg_temp.orders(600, '2026-03-02 15:20:00Z', '1 millisecond', 'x')) as book \gset
select pg_temp.known() as before \gset
select orderlatch.reconcile_account('paper', 'to see them move');
select test.serve_once(:worker, :'book');
select is((test.standing_read('orders')).after_at, '2026-03-02 15:20:00.498999Z'::timestamptz, 'the next page begins before the last order of this one');
select test.serve(:worker, jsonb_set(:'book', '{orders,499,submitted_at}', '"2026-03-02T15:20:00.5991Z"'));
select is(pg_temp.known() - :before, 600::bigint, 'an order that moves from page to page is read');
select is((test.broker_order('x-500')).submitted_at, '2026-03-02 15:20:00.5991Z'::timestamptz,
          'and its time moves with it');
select test.serve(:worker, '{}');

-- A page that fails moves nothing, and is asked for again where it was.
select test_support.advance_clock('10 minutes');
select test.serve(:worker, '{}');
select test_support.advance_clock('2 minutes');
select pg_temp.known() as before \gset
select jsonb_build_object('orders', pg_temp.orders(700, '2026-03-02 15:40:00Z', '1 millisecond', 'y')) as book \gset
select test.serve_once(:worker, :'book');
select (test.standing_read('orders')) as halfway \gset
select c.request_id as page, c.query as first_query from test.claim(:worker) as c where c.kind = 'list_orders' and c.query ->> 'nested' = 'true' \gset
select test.record(a.answer) from (
  values (test.answer_status(:'page', 502, '<html>'))) as a(answer);
select is((test.standing_read('orders')).after_at || ' ' || (test.standing_read('orders')).pages || ' ' || (test.standing_read('orders')).failures,
          (:'halfway'::orderlatch_data.broker_reads).after_at || ' 1 1', 'a page that fails moves nothing');
select is((test.standing_read('orders')).covered_at, (:'halfway'::orderlatch_data.broker_reads).covered_at, 'and covers nothing');
select test_support.advance_clock('1 second');
select c.request_id as page, c.query as second_query from test.claim(:worker) as c where c.kind = 'list_orders' and c.query ->> 'nested' = 'true' \gset
select is(:'second_query'::jsonb, :'first_query'::jsonb, 'the same page is asked for again');
-- Lost: a worker that never answers.
select test_support.advance_clock('21 seconds');
select c.request_id as third, c.query as third_query from test.claim(:worker) as c where c.kind = 'list_orders' and c.query ->> 'nested' = 'true' \gset
select is(:'third_query'::jsonb, :'first_query'::jsonb, 'so is one that nobody answers');
select is(test.record(test.answer_status(:'page', 200, jsonb_build_array(:'book'::jsonb -> 'orders' -> 600)::text)), 'stale',
          'its late answer is out of turn');
select isnt((test.broker_order('y-601')).order_no, null, 'but what it shows is a fact');
select is((test.standing_read('orders')).request_id, :'third'::uuid, 'and the page on its way still is');
select test.record(test.answer_status(:'third', 200, (select b.body::text from test.broker_says(:'book', 'list_orders', '/v2/orders', :'third_query') as b)));
select is(pg_temp.known() - :before, 700::bigint, 'in the end all are known, each once');
select is((test.standing_read('orders')).covered_at, (:'halfway'::orderlatch_data.broker_reads).began_at, 'the read covers the moment at which it began');

-- An unreadable page, an error in the broker's words, a list with something else in it: none completes a read.
create temporary table bad (body text, status integer, title text);
insert into bad values ('', 200, 'an empty body'), ('{"orders": []}', 200, 'an object'), ('[{"id": "half"}]', 200, 'half an order'),
  ('[]', 203, 'fine'), ('{"code": 40410000, "message": "endpoint not found."}', 404, 'an endpoint that is not there'),
  ('[]', 500, 'an empty list with a 500');
create function pg_temp.completes(p_status integer, p_body text) returns boolean language plpgsql as $$
declare
  v_covered timestamptz;
  v_page uuid;
begin
  perform test_support.advance_clock('10 minutes');
  v_covered := (test.standing_read('orders')).covered_at;
  perform test.claim(1);
  v_page := (test.standing_read('orders')).request_id;
  perform test.record(test.answer_status(v_page, p_status, p_body));
  return (test.standing_read('orders')).covered_at > v_covered;
end
$$;
select is(pg_temp.completes(b.status, b.body), b.title = 'fine', b.title || ' completes a read only when it is a list') from bad as b;

-- A life of a worker that is not verified proves nothing, and only orders of decisions are taken from it.
select test_support.advance_clock('10 minutes');
select test.serve(:worker, '{}');
select test_support.advance_clock('2 minutes');
select test.given_approved_decision() as decision \gset
select test.claim(:worker);
select (test.standing_read('orders')).request_id as page, (test.standing_read('orders')).covered_at as covered \gset
update orderlatch_data.worker_accounts set verified_at = null;
select is(test.record(test.answer_status(:'page', 200, jsonb_build_array(
            test.a_broker_order('stranger'), test.order_document(:'decision'))::text)), 'in_doubt', 'a page from keys that are not proved');
select is((test.standing_read('orders')).covered_at, :'covered'::timestamptz, 'covers nothing');
select is((test.broker_order('stranger')).order_no, null, 'shows no order of others');
select is(test.status(:'decision'), 'submitted', 'but an order of a decision is a fact');

-- A token that the broker does not take.
update orderlatch_data.worker_accounts set verified_at = orderlatch_data.clock();
select test_support.advance_clock('10 minutes');
select test.claim(:worker);
select test.record(test.answer_status((test.standing_read('orders')).request_id, 200, pg_temp.orders(500, '2026-03-02 16:50:00Z', '0', 'z')::text));
select test.claim(:worker);
select test.record(test.answer_status((test.standing_read('orders')).request_id, 200, pg_temp.orders(500, '2026-03-02 16:50:00Z', '0', 'z')::text));
select isnt((test.standing_read('orders')).page_token, null, 'a page full of one moment is passed by id');
create function pg_temp.fail(p_status integer, p_body text) returns void language sql as $$
  select test_support.advance_clock('10 minutes');
  select test.claim(1);
  select test.record(test.answer_status((test.standing_read('orders')).request_id, p_status, p_body));
$$;
select pg_temp.fail(503, '<html>') from generate_series(1, 5);
select is((test.standing_read('orders')).page_token is null or test.incidents() && '{read_stuck}', false, 'an outage says nothing of the token');
select pg_temp.fail(422, '{"code": 42210000, "message": "after_order_id is not known"}');
select is((test.standing_read('orders')).page_token is null and test.incidents() && '{read_stuck}', true, 'the broker''s own refusal does');
select pg_temp.fail(200, pg_temp.orders(499, '2026-03-02 16:50:00Z', '0', 'z')::text);
select is(test.incidents() && '{read_stuck}', false, 'once it was read to its end the incident is closed');

select * from finish();
rollback;
