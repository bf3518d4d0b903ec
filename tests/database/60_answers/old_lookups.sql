-- A lookup belongs to the doubt that it was granted for: its answer or loss does not touch a later one.
begin;
select plan(9);

select test_support.hold_clock('2026-03-02 15:00:00Z');
select test.given_account('paper', '{"max_decision_age": "1 day"}');
select test.given_worker() as worker \gset
select test.given_decision_in('in_doubt', :worker) as decision \gset
select test_support.advance_clock('1 second');
select (test.claim_one(:worker, 'find_order')).request_id as lookup \gset
select orderlatch.resolve_in_doubt(:'decision', 'absent', '{"note": "by hand"}');
select (test.claim_one(:worker)).request_id as second \gset
select is((test.open_row(:'decision')).lookup_request_id, null, 'a new submit takes the lookup''s place');
select test_support.advance_clock('1 second');
select test.record(test.answer_maybe(:'second'));
select is((test.doubt(:'decision')).next_lookup_at, orderlatch_data.clock(), 'the second doubt is looked into at once');
-- no worker asks for a while: meanwhile the old lookup is lost
select test_support.advance_clock('1 minute');
select is(test.kinds(:worker), '{find_order}', 'the loss of the first doubt''s lookup does not put it off');
select is((select l.request_id from orderlatch_data.lost_requests as l), :'lookup'::uuid, 'though it is lost');
select is(test.record(test.answer_absent(:'lookup')), 'stale', 'and its late answer stale');
select is((test.doubt(:'decision')).next_lookup_at, null, 'the second doubt''s own lookup is on its way');
select is(test.record(test.answer_order(:'lookup')), 'order_exists', 'an order that the old lookup found after all exists');
select is(test.status(:'decision'), 'submitted', 'for the second doubt as for the first');
select is(test.broken_promises(), '{}', 'no promise is broken');

select * from finish();
rollback;
