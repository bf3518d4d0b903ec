-- A report of which something cannot be read costs at most itself; what is not clear is a maybe.
begin;
select plan(26);

select test_support.hold_clock('2026-03-02 15:00:00Z');
select test.given_account('paper', '{"max_in_doubt": 100}');
select test.given_worker() as worker \gset

select throws_ok(format('select orderlatch.record_responses(%L)', a.answers), a.code, null, a.title)
  from (
    values (null, 'OL131', 'null is no array of answers'), ('{}', 'OL131', 'nor is an object'), ('"x"', 'OL131', 'nor is a text'),
           ((select jsonb_agg(n) from generate_series(1, 1001) as n)::text, 'OL134', '1001 answers are too many at once')
  ) as a(answers, code, title);
select is_empty('select 1 from orderlatch.record_responses(''[]'')', 'no answer, no meaning');
select results_eq(
  $$ select r.answer_no, r.request_id, r.meaning from orderlatch.record_responses('[1, "x", null, [], {}, {"request_id": 5}, {"request_id": "x"},
       {"request_id": "11111111-2222-4333-8444-5555555555555"}, {"request_id": "11111111-2222-4333-8444-555555555555",
         "sent": "yes"}]') as r
      order by r.answer_no $$,
  $$ select n, case n when 9 then '11111111-2222-4333-8444-555555555555'::uuid end, 'stale' from generate_series(1, 9) as n $$,
  'what names no request is stale, each by itself');

create temporary table reports (no integer, members jsonb, meaning text, title text, decision_hash text);
insert into reports
select m.no, m.members, m.meaning, m.title, test.given_submitting_decision(:worker, jsonb_build_object('symbol', 'S' || m.no))
  from (
    values
      (1, '{}'::jsonb, 'in_doubt', 'a report that says nothing is a maybe'),
      (2, '{"sent": "perhaps"}', 'in_doubt', 'an unknown sent is a maybe'),
      (3, '{"sent": "NO"}', 'in_doubt', 'a no in capitals is a maybe'),
      (4, '{"sent": false}', 'in_doubt', 'false is no no'),
      (5, '{"sent": "yes"}', 'in_doubt', 'a yes without a status is in doubt'),
      (6, '{"sent": "yes", "status": "two hundred"}', 'in_doubt', 'so is one whose status is no number'),
      (7, '{"sent": "yes", "status": 99999}', 'in_doubt', 'or has five digits'),
      (8, '{"sent": "yes", "status": 200, "body": "%%%"}', 'in_doubt', 'a body that is no base64 is none'),
      (9, '{"sent": "yes", "status": 200, "body": {"id": 1}}', 'in_doubt', 'nor is one that is an object'),
      (10, '{"sent": "yes", "status": 200, "body": "eyJpZCI6"}', 'in_doubt', 'nor one that ends too soon'),
      (11, '{"sent": "no", "elapsed_ms": "long", "headers": "none", "error": 7}', 'not_sent',
       'a no is a no, whatever else is garbage'),
      (12, '{"sent": "no", "elapsed_ms": 99999999999, "headers": [1]}', 'not_sent', 'a time that no integer holds is none'),
      (13, '{"sent": "no", "error": null, "headers": {"x-request-id": null, "date": {"a": 1}}}', 'not_sent',
       'headers may be anything'),
      (14, '{"sent": "no", "status": 200, "body": "e30="}', 'not_sent', 'a no with a response is a no')
  ) as m(no, members, meaning, title);
create temporary table meanings as
  select r.* from orderlatch.record_responses(
    (select jsonb_agg(jsonb_build_object('request_id', test.holder(m.decision_hash)) || m.members
                order by m.no) from reports as m)) as r;
select is((select g.meaning from meanings as g where g.answer_no = m.no), m.meaning, m.title) from reports as m order by m.no;

-- Of the headers only those are kept that carry no secret.
select test_support.advance_clock('1 second');
select count(*) from test.claim(:worker);
select (test.open_row(r.decision_hash)).lookup_request_id as lookup from reports as r where r.no = 1 \gset
select test.record(test.answer_status(:'lookup', 500, '', jsonb_build_object(
  'x-request-id', 'abc', 'x-ratelimit-limit', '200', 'x-ratelimit-remaining', 199, 'x-ratelimit-reset', '1', 'retry-after', '2',
  'content-type', repeat('t', 300), 'date', 'today', 'apca-api-secret-key', 'hush', 'authorization', 'Bearer hush', 'set-cookie',
    'hush')));
select is(
  (select r.headers || jsonb_build_object('x-request-id', r.broker_request_id) from orderlatch_data.broker_responses as r
              where r.request_id = :'lookup'),
  jsonb_build_object('x-request-id', 'abc', 'x-ratelimit-limit', '200', 'x-ratelimit-remaining', '199', 'x-ratelimit-reset', '1',
                     'retry-after', '2', 'content-type', repeat('t', 200), 'date', 'today'),
  'seven headers are kept, each cut at 200 characters');
select is((select count(*)::integer from orderlatch_data.broker_responses as r where r::text like '%hush%'), 0, 'no secret is');
select r.decision_hash as wordy, (test.open_row(r.decision_hash)).lookup_request_id as lookup from reports as r
   where r.no = 2 \gset
select test.record(test.answer_maybe(:'lookup', repeat('e', 5000)));
select is((select length(r.error) from orderlatch_data.broker_responses as r where r.request_id = :'lookup'), 500,
          'a long error is cut');
select throws_ok('select orderlatch.record_responses(''[{"error": "\u0000"}]'')', '22P05', null,
                 'what is no jsonb fails before any function runs');
select is(test.status(:'wordy'), 'in_doubt', 'and leaves nothing behind');
select is(test.broken_promises(), '{}', 'no promise is broken');

select * from finish();
rollback;
