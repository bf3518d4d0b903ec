-- The list of a proof is read page by page to a short one; a failed page proves nothing and is asked for again.
begin;
select plan(35);

select test_support.hold_clock('2026-03-02 15:00:00Z');
select test.given_account('paper', '{"max_in_doubt": 100, "max_decision_age": "1 day"}');
select test.given_worker() as worker \gset
-- A page of p_count orders of somebody else, submitted one microsecond apart up to p_last.
create function pg_temp.page(p_count integer, p_last timestamptz, p_step interval default '1 microsecond') returns jsonb language sql volatile as $$
  select coalesce(jsonb_agg(jsonb_build_object(
           'id', gen_random_uuid(), 'client_order_id', gen_random_uuid(), 'status', 'filled', 'symbol', 'GOOG',
           'submitted_at', orderlatch_data.canonical_time(p_last - (p_count - n) * p_step)) order by n), '[]')
    from generate_series(1, p_count) as n
$$;
create function pg_temp.after(p_request_id uuid) returns text language sql volatile as $$
  select r.query ->> 'after' from orderlatch_data.broker_requests as r where r.request_id = p_request_id
$$;
select test.given_submitting_decision(:worker) as decision \gset
select test.record(test.answer_maybe(test.holder(:'decision')));
select test.given_absent_twice(:worker, :'decision');
update orderlatch_data.doubts set next_lookup_at = 'infinity';

select (test.claim_one(:worker, 'list_orders')).request_id as page \gset
select is(pg_temp.after(:'page'), '2026-03-02T14:55:00.000000Z', 'the first page begins where the list does');
select is(test.kinds(:worker), '{}', 'one page is on its way at a time');
select is(test.record(test.answer_status(:'page', 200, pg_temp.page(500, '2026-03-02 14:57:00Z')::text)), 'orders_listed',
          'a full page');
select is(test.status(:'decision'), 'in_doubt', 'proves nothing yet');
select (test.claim_one(:worker, 'list_orders')).request_id as page \gset
select is(pg_temp.after(:'page'), '2026-03-02T14:56:59.999999Z',
          'the next begins a microsecond before its last order, as bounds are exclusive');

-- Failures.
select is(test.record(test.answer_status(:'page', 502, '<html>')), 'in_doubt', 'a page that fails');
select is(test.kinds(:worker), '{}', 'is not asked for at once');
select test_support.advance_clock('1 second');
select (test.claim_one(:worker, 'list_orders')).request_id as page \gset
select is(pg_temp.after(:'page'), '2026-03-02T14:56:59.999999Z', 'but again, where it was');
select is(test.record(test.answer_status(:'page', 200, (pg_temp.page(3, '2026-03-02 14:58:00Z') || '{"id": "half an order"}')::text)), 'in_doubt',
          'a page with something else in it is no page');
select test_support.advance_clock('2 seconds');
select (test.claim_one(:worker, 'list_orders')).request_id as page \gset
select is(test.record(test.answer_error(:'page', 404, 40410000, 'order not found for x')), 'in_doubt',
          'nor is an error of the broker');
select test_support.advance_clock('4 seconds');
select (test.claim_one(:worker, 'list_orders')).request_id as page \gset
select is(test.record(test.answer_error(:'page', 429, 42910000, 'rate limit exceeded', '{"retry-after": "9"}')), 'throttled',
          'nor is a 429');
select test_support.advance_clock('9 seconds');
select (test.claim_one(:worker, 'list_orders')).request_id as page \gset
select is((select r.pages || ' ' || (r.completed_at is null) from orderlatch_data.broker_reads as r), '1 true',
          'one page has been read');

-- Nanoseconds, and the end.
select is(test.record(test.answer_status(:'page', 200,
            (pg_temp.page(499, '2026-03-02 14:59:00Z') || jsonb_build_array(pg_temp.page(1, '2026-03-02 14:59:00Z') -> 0
              || '{"submitted_at": "2026-03-02T14:59:00.123456789Z"}'))::text)), 'orders_listed', 'another full page');
select (test.claim_one(:worker, 'list_orders')).request_id as page \gset
select is(pg_temp.after(:'page'), '2026-03-02T14:59:00.123455Z', 'nanoseconds never move the cursor forward');
select is(test.record(test.answer_status(:'page', 200, pg_temp.page(499, '2026-03-02 15:02:00Z')::text)), 'orders_listed',
          'a page of 499');
select is(test.status(:'decision'), 'approved', 'is the last, and completes the proof');
select is((select e.evidence ->> 'pages' from orderlatch_data.decision_events as e order by e.event_id desc limit 1), '3',
          'of three pages');

-- The order is in the list: on a page that is not the last.
select (test.claim_one(:worker)).request_id as second \gset
select test.record(test.answer_maybe(:'second'));
select test.given_absent_twice(:worker, :'decision');
select (test.claim_one(:worker, 'list_orders')).request_id as page \gset
select is(pg_temp.after(:'page'), '2026-03-02T14:55:00.000000Z', 'a second proof begins before the first submit too');
select is(test.record(test.answer_status(:'page', 200, (pg_temp.page(499, '2026-03-02 14:57:00Z') || test.order_document(:'decision'))::text)),
          'orders_listed', 'a page that shows the order');
select is(test.status(:'decision'), 'submitted', 'ends the doubt');
select test_support.advance_clock('1 minute');
select is(test.kinds(:worker), '{}', 'and nobody reads on');
select is((select x.found_in_request_id from orderlatch_data.broker_orders as x where x.decision_id is not null), :'page'::uuid,
          'the execution says where it was found');

-- A page full of one moment cannot be passed.
select test.given_submitting_decision(:worker, '{"symbol": "STUCK"}') as stuck \gset
select test.record(test.answer_maybe(test.holder(:'stuck')));
select test.given_absent_twice(:worker, :'stuck');
update orderlatch_data.doubts set next_lookup_at = 'infinity';
select (test.claim_one(:worker, 'list_orders')).request_id as page \gset
select r.from_at + interval '2 seconds' as moment from orderlatch_data.broker_reads as r where r.symbol = 'STUCK' \gset
select test.record(test.answer_status(:'page', 200, pg_temp.page(500, :'moment', '0')::text));
select is(test.incidents(), '{}', 'a page full of one moment');
select (test.claim_one(:worker, 'list_orders')).request_id as page \gset
select test.record(test.answer_status(:'page', 200, pg_temp.page(500, :'moment', '0')::text));
select is(test.incidents(), '{}', 'that comes again is none yet');
select is(test.status(:'stuck'), 'in_doubt', 'but proves nothing');
select * from test.claim_one(:worker, 'list_orders') \gset
select is((:'query'::jsonb -> 'after_order_id') is not null and not (:'query'::jsonb ? 'after'), true, 'it is passed by its last id');
-- A broker that does not take the id.
select test.record(test.answer_error(:'request_id', 422, 40010001, 'invalid parameter'));
select test_support.advance_clock('1 minute');
select test.record(test.answer_error((test.claim_one(:worker, 'list_orders')).request_id, 422, 40010001, 'invalid parameter'));
select test_support.advance_clock('1 minute');
select test.record(test.answer_error((test.claim_one(:worker, 'list_orders')).request_id, 422, 40010001, 'invalid parameter'));
select is(test.incidents(), '{read_stuck}', 'a page by id that fails three times is an incident');
select is(test.status(:'stuck'), 'in_doubt', 'and proves nothing');
select test_support.advance_clock('5 minutes');
select * from test.claim_one(:worker, 'list_orders') \gset
select is(:'query'::jsonb ? 'after', true, 'the read begins anew');
select is(test.record(test.answer_status(:'request_id', 200, '[]')), 'orders_listed', 'as soon as it can be read');
select is(test.status(:'stuck'), 'approved', 'the proof is complete');

-- A list that nobody waits for any more is left alone.
select test.claim_one(:worker);
select test_support.advance_clock('1 second');
select test.record(test.answer_maybe(test.holder(:'stuck')));
select test.given_absent_twice(:worker, :'stuck');
select (test.claim_one(:worker, 'list_orders')).request_id as page \gset
select is(orderlatch.resolve_in_doubt(:'stuck', 'absent', '{"note": "seen on the broker''s page"}'), 'approved',
          'an operator is faster than the list');
select is(test.record(test.answer_status(:'page', 200, pg_temp.page(500, '2026-03-02 15:00:00Z')::text)), 'orders_listed',
          'its page is recorded');
select test_support.advance_clock('10 seconds');
select is((select array_agg(c.kind) from test.claim(:worker) as c), '{submit_order}', 'and no further one is read');
select is(test.broken_promises(), '{}', 'no promise is broken');

select * from finish();
rollback;
