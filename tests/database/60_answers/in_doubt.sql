-- Whatever leaves a submit's fate open puts its decision in doubt, keeps its id, and is looked up at once.
begin;
select plan(20);

select test_support.hold_clock('2026-03-02 15:00:00Z');
select test.given_account('paper', '{"max_in_doubt": 100}');
select test.given_worker() as worker \gset
create temporary table ways (no integer, answer jsonb, title text, decision_hash text);
insert into ways
select w.no, w.answer, w.title, test.given_submitting_decision(:worker, jsonb_build_object('symbol', 'S' || w.no))
  from (
    values
      (1, '{"sent": "maybe", "error": "read timeout"}'::jsonb, 'a time-out'),
      (2, '{"sent": "maybe", "status": 200}', 'a response that broke off'),
      (3, '{"sent": "yes", "status": 500, "body": "{\"code\": 50010000, \"message\": \"internal server error occurred\"}"}',
       'a 500 in the broker''s own words'),
      (4, '{"sent": "yes", "status": 502, "body": "<html>bad gateway</html>"}', 'a gateway''s page'),
      (5, '{"sent": "yes", "status": 408, "body": ""}', 'a 408'),
      (6, '{"sent": "yes", "status": 307, "body": ""}', 'a redirect'),
      (7, '{"sent": "yes", "status": 200, "body": ""}', 'an empty 200'),
      (8, '{"sent": "yes", "status": 404, "body": "{\"code\": 40410000, \"message\": \"endpoint not found\"}"}', 'a 404'),
      (9, '{"sent": "yes", "status": 403, "body": "<html>blocked</html>"}', 'a proxy''s 403'),
      (10, '{"sent": "yes", "status": 429, "body": "<html>slow down</html>"}', 'a 429 of somebody else'),
      (11, '{"sent": "yes", "status": 409, "body": "{\"message\": \"conflict\"}"}', 'a 409 of which nobody knows what it means'),
      (12, '{"sent": "yes", "status": 200, "body": "{\"id\": \"x\", \"client_order_id\": \"another\", \"status\": \"new\"}"}',
       'an order with another client_order_id')
  ) as w(no, answer, title);
select is(
  test.record(test.answer(test.holder(w.decision_hash), w.answer ->> 'sent', (w.answer ->> 'status')::integer, w.answer ->> 'body',
                          p_error => w.answer ->> 'error')),
  'in_doubt', w.title || ' leaves a submit in doubt')
  from ways as w order by w.no;
select is((select array_agg(distinct test.moves(w.decision_hash)::text) from ways as w),
          array['{none>planned,planned>approved,approved>submitting,submitting>in_doubt}'], 'every decision is in doubt');
select set_eq('select test.reason(w.decision_hash) from ways as w', array['read timeout', 'answer proves nothing'],
              'and says why');
select is((select array_agg(distinct (d.lost, d.was_clean, d.duplicate, d.mismatched, d.refusal, d.believe_after, d.next_lookup_at)::text)
             from orderlatch_data.doubts as d),
          array['(f,t,f,f,,"2026-03-02 15:01:20+00","2026-03-02 15:00:00+00")'],
            'a lookup is due at once; absence is believed a minute after answer_by');
select is((select array_agg(distinct (o.clean, o.lookup_first, o.submits, o.lookup_request_id)::text)
            from orderlatch_data.open_decisions as o),
          array['(f,f,1,)'], 'none is clean any more');
select is(test.incidents() || test.halts(), '{}', 'that is no incident');
select is((select count(*)::integer from orderlatch_data.seen_orders), 0, 'an order of somebody else is not ours to keep');
select is((select array_agg(distinct c.kind) || count(*)::text from test.claim(:worker) as c), '{find_order,12}',
          'all are looked up');
select is(test.broken_promises(), '{}', 'no promise is broken');

select * from finish();
rollback;
