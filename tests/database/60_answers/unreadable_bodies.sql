-- A body that cannot be understood leaves its own submit in doubt, is kept as it came, and costs nobody else anything.
begin;
select plan(24);

select test_support.hold_clock('2026-03-02 15:00:00Z');
select test.given_account('paper', '{"max_in_doubt": 100, "crowd_size": 100}');
select test.given_worker() as worker \gset
create temporary table bodies (no integer, body bytea, title text, decision_hash text);
insert into bodies
select b.no, b.body, b.title, test.given_submitting_decision(:worker, jsonb_build_object('symbol', 'S' || b.no))
  from (
    values
      (1, convert_to('{"id": "x\u0000y"}', 'UTF8'), 'a null character that jsonb cannot hold'),
      (2, convert_to('{"id": "\ud800"}', 'UTF8'), 'a lone surrogate'),
      (3, '\x7b226964223a20223cff227d', 'octets that are no UTF-8'),
      (4, '\x00', 'a null octet'),
      (5, convert_to('<html>' || repeat('<p>Bad gateway</p>', 60000) || '</html>', 'UTF8'), 'a megabyte of HTML'),
      (6, convert_to(repeat('[', 200000), 'UTF8'), 'two hundred thousand open brackets'),
      (7, convert_to(repeat('[', 200000) || repeat(']', 200000), 'UTF8'), 'two hundred thousand nested lists'),
      (8, convert_to('{"id": ' || repeat('9', 140000) || '}', 'UTF8'), 'a number of 140,000 digits'),
      (9, convert_to('{"id": 1e999999}', 'UTF8'), 'a number that no numeric holds'),
      (10, ''::bytea, 'nothing'),
      (11, convert_to('{"id": "x", "client_order_id": "', 'UTF8'), 'half an order'),
      (12, convert_to(E'\ufeff{}', 'UTF8'), 'a byte order mark')
  ) as b(no, body, title);
create function pg_temp.report(p_request_id uuid, p_body bytea) returns jsonb language sql immutable as $$
  select jsonb_build_object('request_id', p_request_id, 'sent', 'yes', 'status', 200, 'body', encode(p_body, 'base64'),
                            'headers', '{"content-type": "text/html"}'::jsonb)
$$;

-- All in one batch, with one that can be read.
select test.given_submitting_decision(:worker, '{"symbol": "GOOD"}') as good \gset
create temporary table meanings as
  select r.* from orderlatch.record_responses(
    (select jsonb_agg(pg_temp.report(test.holder(b.decision_hash), b.body) order by b.no) from bodies as b)
      || test.answer_order(test.holder(:'good'))) as r;
select is((select m.meaning from meanings as m where m.answer_no = b.no), 'in_doubt',
          b.title || ' is in doubt') from bodies as b order by b.no;
select is((select m.meaning from meanings as m where m.answer_no = 13), 'order_exists', 'the answer beside them counts');
select is(test.status(:'good'), 'submitted', 'and does what it means');
select is((select array_agg(distinct test.status(b.decision_hash)) from bodies as b), '{in_doubt}', 'the decisions are in doubt');
select results_eq(
  'select r.body_octets, octet_length(r.body), r.body = substr(b.body, 1, 65536) from bodies as b
     join orderlatch_data.broker_responses as r on r.request_id = test.holder(b.decision_hash) order by b.no',
  'select octet_length(b.body), least(65536, octet_length(b.body)), true from bodies as b order by b.no',
  'each body is kept, its first 64 KiB, and how long it was');
select is(
  (select array_agg(distinct r.headers) from bodies as b
     join orderlatch_data.broker_responses as r on r.request_id = test.holder(b.decision_hash)),
  array['{"content-type": "text/html"}'::jsonb], 'with the headers, though HTTP calls it a success');

-- A whole order in a long body is read whole, though only its beginning is kept.
select test_support.advance_clock('1 second');
select b.decision_hash as long from bodies as b where b.no = 2 \gset
select count(*) from test.claim(:worker);
select (test.open_row(:'long')).lookup_request_id as lookup \gset
select is(
  test.record(test.answer_status(:'lookup', 200,
    (test.order_document(:'long') || jsonb_build_object('aaa', repeat('x', 2000000)))::text)),
  'order_exists', 'an order with two million octets of something else is an order');
select is((select r.body_octets > 2000000 and octet_length(r.body) = 65536 from orderlatch_data.broker_responses as r
            where r.request_id = :'lookup'),
          true, 'its body is cut and marked');

select is(test.record(pg_temp.report((test.open_row(b.decision_hash)).lookup_request_id, b.body)), 'in_doubt',
          'a lookup that says this proves nothing either')
  from bodies as b where b.no = 1;
select is((test.doubt(b.decision_hash)).next_lookup_at, orderlatch_data.clock() + interval '1 second', 'it is looked up again')
  from bodies as b where b.no = 1;
select is(test.incidents() || test.halts(), '{}', 'nobody is alarmed');
select is(test.broken_promises(), '{}', 'no promise is broken');
select is((select count(*)::integer from orderlatch_data.seen_orders), 0, 'nothing was taken for an order of somebody else');

select * from finish();
rollback;
