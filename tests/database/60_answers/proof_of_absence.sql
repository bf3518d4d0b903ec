-- Absence is proved by two lookups that count and one complete list; step by step, with the clock.
begin;
select plan(36);

select test_support.hold_clock('2026-03-02 15:00:00Z');
select test.given_account();
select test.given_worker() as worker \gset
select test.given_submitting_decision(:worker) as decision \gset
select test_support.hold_clock('2026-03-02 15:00:02Z');
select test.record(test.answer_maybe(test.holder(:'decision')));
select is((test.doubt(:'decision')).believe_after, '2026-03-02 15:01:20Z',
          'absence is believed from a minute after the submit''s answer_by');

-- The pace of lookups: at once, then after 1, 2, 4 … 30 s.
create function pg_temp.next_wait() returns interval language sql volatile as $$
  select d.next_lookup_at - orderlatch_data.clock() from orderlatch_data.doubts as d
$$;
create function pg_temp.look() returns interval language plpgsql as $$
begin
  perform test.look_in_vain((select max(w.worker_id) from orderlatch_data.workers as w));
  return pg_temp.next_wait();
end
$$;
select is(pg_temp.next_wait(), '0', 'the first lookup is due at once');
select is(pg_temp.look(), '1 second', 'the second a second later');
select is(test.kinds(:worker), '{}', 'and not before');
select test_support.advance_clock('1 second');
select is(pg_temp.look(), '2 seconds', 'then two');
select test_support.advance_clock('2 seconds');
select is(pg_temp.look(), '4 seconds', 'four');
select test_support.advance_clock('4 seconds');
select is(pg_temp.look(), '8 seconds', 'eight');
select test_support.advance_clock('8 seconds');
select is(pg_temp.look(), '16 seconds', 'sixteen');
select test_support.advance_clock('16 seconds');
select is(pg_temp.look(), '30 seconds', 'and thirty seconds at most');
select test_support.advance_clock('30 seconds');
select is(pg_temp.look(), '30 seconds', 'for ever');
select is(orderlatch_data.clock(), '2026-03-02 15:01:03Z', 'a minute has gone by');
select is((select d.first_absent_at from orderlatch_data.doubts as d), null,
          'nothing of that counts: the call might still be on its way');

-- Before believe_after by a microsecond; granted before and answered after; and then the first that counts.
update orderlatch_data.doubts set next_lookup_at = '2026-03-02 15:01:19.999999Z';
select test_support.hold_clock('2026-03-02 15:01:19.999999Z');
select (test.claim_one(:worker, 'find_order')).request_id as early \gset
select test_support.hold_clock('2026-03-02 15:01:25Z');
select is(test.record(test.answer_absent(:'early')), 'absent', 'a lookup that was granted too early');
select is((select d.first_absent_at from orderlatch_data.doubts as d), null, 'does not count, however late it is answered');
update orderlatch_data.doubts set next_lookup_at = '2026-03-02 15:01:25Z';
select (test.claim_one(:worker, 'find_order')).request_id as first \gset
select test_support.hold_clock('2026-03-02 15:01:27Z');
select test.record(test.answer_absent(:'first'));
select is((select d.first_absent_at || '' from orderlatch_data.doubts as d), '2026-03-02 15:01:27+00',
          'the first that counts is noted when it is answered');

-- Spacing is counted from the answer of the first to the grant of the second.
update orderlatch_data.doubts set next_lookup_at = '2026-03-02 15:01:56.999999Z';
select test_support.hold_clock('2026-03-02 15:01:56.999999Z');
select (test.claim_one(:worker, 'find_order')).request_id as soon \gset
select test_support.hold_clock('2026-03-02 15:01:58Z');
select is(test.record(test.answer_absent(:'soon')), 'absent', 'a second one that was granted too soon');
select is((select d.second_absent_at from orderlatch_data.doubts as d), null, 'does not count');
select is(test.kinds(:worker), '{}', 'and no list is read for it');
update orderlatch_data.doubts set next_lookup_at = orderlatch_data.clock();
select test.record(test.answer_maybe((test.claim_one(:worker, 'find_order')).request_id));
select is((select d.second_absent_at from orderlatch_data.doubts as d), null,
          'an error while looking is not evidence of absence');
select is((select d.first_absent_at || '' from orderlatch_data.doubts as d), '2026-03-02 15:01:27+00', 'nor does it undo any');
select test_support.hold_clock('2026-03-02 15:02:30Z');
select (test.claim_one(:worker, 'find_order')).request_id as second \gset
select is((select count(*)::integer from orderlatch_data.broker_reads), 0, 'no list is begun before the second answer');
select test.record(test.answer_absent(:'second'));
select is((select d.second_absent_at || '' from orderlatch_data.doubts as d), '2026-03-02 15:02:30+00', 'the second counts');
select is(test.status(:'decision'), 'in_doubt', 'two lookups alone prove nothing');

-- The list.
select * from test.claim_one(:worker, 'list_orders') \gset
select is(:'query'::jsonb ->> 'after', '2026-03-02T14:55:00.000000Z',
          'the list begins five minutes before the first submit was granted');
select is((select r.began_at || ' ' || r.symbol from orderlatch_data.broker_reads as r), '2026-03-02 15:02:30+00 GOOG',
          'for its symbol');
select is(test.record(test.answer_status(:'request_id', 200,
            jsonb_build_array(test.order_document(:'decision', '{"client_order_id": "by-hand", "id": "o-9"}'))::text)),
              'orders_listed',
          'a complete list without the order');
select is(test.status(:'decision'), 'approved', 'proves that there is none');
select is(test.reason(:'decision'), 'proved absent: to be sent again', 'the event says so');
select is(
  (select e.evidence from orderlatch_data.decision_events as e where e.from_status = 'in_doubt'),
  '{"first_absent_at": "2026-03-02T15:01:27+00:00", "second_absent_at": "2026-03-02T15:02:30+00:00",
    "orders_read_from": "2026-03-02T14:55:00+00:00", "orders_read_at": "2026-03-02T15:02:30+00:00", "pages": 1}'::jsonb,
  'with all that it rests on');
select is((select e.request_id from orderlatch_data.decision_events as e where e.from_status = 'in_doubt'), :'request_id'::uuid,
          'and the request');
select is(
  (select jsonb_build_object('clean', o.clean, 'submits', o.submits, 'holder', o.holder_request_id, 'lookup', o.lookup_request_id, 'due', o.next_try_at)
     from test.open_row(:'decision') as o),
  '{"clean": false, "submits": 1, "holder": null, "lookup": null, "due": "2026-03-02T15:02:30+00:00"}'::jsonb,
    'it may go at once, and is not clean');
select is((select count(*)::integer from orderlatch_data.doubts), 0, 'nothing is left of the doubt');
select is(orderlatch_data.is_backing_off(test.account_id(), 'submit_order', orderlatch_data.clock()), false,
          'nor of the back-off');
select is((test.claim_one(:worker)).body,
          (select r.body from orderlatch_data.broker_requests as r where r.kind = 'submit_order' order by r.claimed_at limit 1),
           'it is sent again, the same order');

-- A second doubt begins again from nothing.
select test.record(test.answer_maybe(test.holder(:'decision')));
select is((select d.believe_after || ' ' || d.lookups from orderlatch_data.doubts as d
            where d.first_absent_at is null and d.read_id is null),
          '2026-03-02 15:03:50+00 0', 'the second doubt begins from nothing');
select is(test.broken_promises(), '{}', 'no promise is broken');

select * from finish();
rollback;
