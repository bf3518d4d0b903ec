-- A call that nobody answers is given up at its answer_by; what follows depends on its kind.
begin;
select plan(23);

select test_support.hold_clock('2026-03-02 15:00:00Z');
select test.given_account('paper', '{"max_in_doubt": 100}');
select test.given_stranger() as worker \gset

-- get_account
select (test.claim_one(:worker, 'get_account')).request_id as question \gset
select test_support.advance_clock('19.999999 seconds');
select is(test.kinds(:worker), '{}', 'a call is waited for until the last microsecond');
select test_support.advance_clock('1 microsecond');
select is(test.kinds(:worker), '{get_account}', 'then who the account is, is asked again');
select is((select l.cause || ' ' || l.lost_at from orderlatch_data.lost_requests as l where l.request_id = :'question'),
          'no_answer_in_time 2026-03-02 15:00:20+00', 'and the loss is written down');
select test.record(test.answer_account(:'question', 'paper-id'));
select is((select count(*)::integer from orderlatch_data.worker_accounts as w where w.verified_at is not null), 1,
          'its late answer counts all the same');
select test.record(test.answer_account(r.request_id, 'paper-id')) from orderlatch_data.open_requests as r;

-- submit_order
select test.given_submitting_decision(:worker) as decision \gset
select test_support.advance_clock('20 seconds');
select is(test.kinds(:worker), '{find_order}', 'a lost submit is looked up at once');
select is(test.moves(:'decision'), '{none>planned,planned>approved,approved>submitting,submitting>in_doubt}',
          'its decision is in doubt');
select is(test.reason(:'decision'), 'lost: no_answer_in_time', 'because it was lost');
select is(
  (select jsonb_build_object('request', d.request_id = test.holder(:'decision'), 'lost', d.lost, 'was_clean', d.was_clean,
                             'duplicate', d.duplicate, 'mismatched', d.mismatched, 'in_doubt_at', d.in_doubt_at,
                             'believe_after', d.believe_after)
     from test.doubt(:'decision') as d),
  '{"request": true, "lost": true, "was_clean": true, "duplicate": false, "mismatched": false,
    "in_doubt_at": "2026-03-02T15:00:40+00:00", "believe_after": "2026-03-02T15:01:40+00:00"}'::jsonb,
  'absence is believed a minute after its answer_by');
select is((select o.clean || ' ' || o.submits || ' ' || (o.holder_request_id = test.holder(:'decision'))
            from test.open_row(:'decision') as o),
          'false 1 true', 'it is not clean any more, and still held by the lost call');
select is((select e.request_id from orderlatch_data.decision_events as e where e.to_status = 'in_doubt'),
          test.holder(:'decision'),
          'the event names it');

-- find_order
select (test.open_row(:'decision')).lookup_request_id as lookup \gset
select test_support.advance_clock('20 seconds');
select is(test.kinds(:worker), '{}', 'a lost lookup is not repeated at once');
select test_support.advance_clock('1 second');
select is(test.kinds(:worker), '{find_order}', 'but after a second');
select is(test.record(test.answer_absent(:'lookup')), 'stale', 'its late word of absence is stale');
select is((test.doubt(:'decision')).lookups, 2::smallint, 'the second lookup is on its way');
select (test.open_row(:'decision')).lookup_request_id as lookup \gset
select test_support.advance_clock('20 seconds');
select test.claim(:worker);
select is(test.record(test.answer_absent(:'lookup')), 'absent', 'as long as no newer one was granted, a lost lookup counts');

-- list_orders
select test.given_absent_twice(:worker, :'decision');
select (test.claim_one(:worker, 'list_orders')).request_id as page \gset
select test_support.advance_clock('19.5 seconds');
select test.look_in_vain(:worker);
select test_support.advance_clock('500 milliseconds');
select * from test.claim_one(:worker, 'list_orders') as again \gset again_
select isnt(:'again_request_id', :'page'::text, 'a lost page is asked for again at once');
select is((select count(distinct (r.query, r.read_id))::integer from orderlatch_data.broker_requests as r
            where r.kind = 'list_orders'), 1,
          'the same page of the same list');
select is(test.record(test.answer_status(:'page', 200, '[]')), 'stale', 'the late answer of a lost page proves nothing');
select is(test.status(:'decision'), 'in_doubt', 'the doubt goes on');
select is(test.record(test.answer_status(:'again_request_id', 200, '[]')), 'orders_listed', 'the page on its way');
select is(test.status(:'decision'), 'approved', 'ends it');
select is((select array_agg(l.cause) from orderlatch_data.lost_requests as l), array_fill('no_answer_in_time'::text, '{5}'),
          'five calls were lost');
select is(test.broken_promises(), '{}', 'no promise is broken');

select * from finish();
rollback;
