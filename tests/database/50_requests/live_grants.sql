-- A live account submits under a live grant that has not ended, and no call outlasts it.
begin;
select plan(14);

select test_support.hold_clock('2026-03-02 15:00:00Z');
select test.given_account('live', p_environment => 'live');
select test.given_worker('live') as worker \gset
select test.given_approved_decision('live') as decision \gset

select is(test.kinds(:worker), '{}', 'without a grant nothing is submitted');
select is(test.ask_again_ms(:worker), 60000, 'and there is nothing to ask again for soon');
select orderlatch.grant_live('live', '2500 milliseconds', 'tests');
select is((test.claim_one(:worker)).send_within_ms, 2500, 'a grant that ends soon ends the time to send');
select is((select r.answer_by - r.claimed_at from orderlatch_data.broker_requests as r
            where r.request_id = test.holder(:'decision')),
          '20 seconds', 'but not the time to answer');
select test.record(test.answer_not_sent(test.holder(:'decision')));
select test_support.advance_clock('2499 milliseconds');
select is((test.claim_one(:worker)).send_within_ms, 1, 'the last millisecond is granted');
select test.record(test.answer_not_sent(test.holder(:'decision')));
select orderlatch.grant_live('live', '2500.5 milliseconds', 'tests');
select test_support.advance_clock('2500 milliseconds');
select is(test.kinds(:worker), '{}', 'a fraction of one is not');
select test_support.advance_clock('1 second');
select is(test.kinds(:worker), '{}', 'a grant that has ended is none');

select orderlatch.grant_live('live', '1 second', 'tests');
select orderlatch.grant_live('live', '1 hour', 'tests');
select is((test.claim_one(:worker)).send_within_ms, 5000, 'the grant that ends last counts');
select test.record(test.answer_maybe(test.holder(:'decision')));
select test_support.advance_clock('2 hours');
select is(test.kinds(:worker), '{find_order}', 'lookups need no grant');
select test.record(test.answer_absent(r.request_id)) from orderlatch_data.open_requests as r;

select test_support.advance_clock('1 minute');
select test.given_approved_decision('live', '{"symbol": "X"}') as next \gset
select orderlatch.grant_live('live', '1 hour', 'tests');
select is((select array_agg(c.kind) from test.claim(:worker) as c), '{find_order,submit_order}',
          'under a new grant submits go on');
select test.record(test.answer_not_sent(test.holder(:'next')));
select test_support.advance_clock('1 minute');
select orderlatch.revoke_live('live');
select is(test.kinds(:worker), '{}', 'revoked, it is none');
select test.given_account('paper');
select test.given_worker('paper') as other \gset
select test.given_approved_decision('paper');
select is(test.kinds(:other), '{submit_order}', 'a paper account needs no grant');
select is((select count(*)::integer from orderlatch_data.live_grants), 5, 'every grant stays on record');
select is(test.broken_promises(), '{}', 'no promise is broken');

select * from finish();
rollback;
