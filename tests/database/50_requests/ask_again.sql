-- A claim that leaves something for later says when; one that leaves nothing, or found no room, says nothing.
begin;
select plan(17);

select test_support.hold_clock('2026-03-02 15:00:00Z');
select test.given_account('paper', '{"max_decision_age": "30 days"}');
select test.given_worker() as worker \gset

select is(test.ask_again_ms(:worker), null, 'with nothing to do there is nothing to ask again for');
select test.given_approved_decision('paper', '{"valid_until": "2026-03-02T15:00:31.5Z"}') as decision \gset
select is(test.ask_again_ms(:worker, 1), null, 'a claim that is full says nothing');
select is(test.ask_again_ms(:worker), 20000, 'a call on its way is due when its answer is');
select test_support.advance_clock('500.3 milliseconds');
select is(test.ask_again_ms(:worker), 19500, 'in whole milliseconds, never too soon');
select test.record(test.answer_not_sent(test.holder(:'decision')));
select is(test.ask_again_ms(:worker), 1000, 'a decision in back-off is due when it is over');
select test.given_halt('tests') as halt \gset
select test_support.advance_clock('1 second');
select is(test.ask_again_ms(:worker), 30000, 'a halted one when it lapses');
select orderlatch.lift_halt(:halt, 'tests');
select test.claim_one(:worker);
select test.record(test.answer_maybe(test.holder(:'decision')));
select test_support.advance_clock('2 seconds');
select (test.claim_one(:worker, 'find_order')).request_id as lookup \gset
select test.record(test.answer_maybe(:'lookup'));
select is(test.ask_again_ms(:worker), 1000, 'an order in doubt when it is to be looked up again');
select test_support.advance_clock('1 second');
select (test.claim_one(:worker, 'find_order')).request_id as lookup \gset
select test.record(test.answer_error(:'lookup', 429, 42910000, 'rate limit exceeded', '{"retry-after": "17"}'));
update orderlatch_data.doubts set next_lookup_at = orderlatch_data.clock();
update orderlatch_data.open_decisions set lapse_at = orderlatch_data.clock() + interval '1 hour';
select is(test.ask_again_ms(:worker), 17000, 'a paused account when the pause ends');
select test_support.advance_clock('17 seconds');
select is(test.ask_again_ms(:worker), 20000, 'then the lookup is granted, and its answer is due');
select test.record(test.answer_order(r.request_id)) from orderlatch_data.open_requests as r;
select is(test.ask_again_ms(:worker), null, 'when all has settled there is nothing to ask again for');
select is(test.status(:'decision'), 'submitted', 'as the order was found');

select test.given_approved_decision('paper', '{"symbol": "LONG"}') as decision \gset
select orderlatch.halt('tests', 'paper');
select is(test.ask_again_ms(:worker), 60000, 'what is far off is asked for within a minute');
select is((select count(*)::integer from orderlatch.claim_requests(:worker, '{paper}', 5)), 1, 'the hint is one row');
select results_eq(
  format('select c.request_id::text, c.account, c.kind, c.method, c.path, c.query::text, c.body, c.send_within_ms, c.timeout_ms
            from orderlatch.claim_requests(%s, ''{paper}'', 5) as c', :worker),
  'select null::text, null::text, null::text, null::text, null::text, null::text, null::text, null::integer, null::integer',
  'in which everything else is null');

-- Over several accounts the nearest moment counts.
select test.given_account('second');
select test.given_worker('paper', 'second') as both \gset
select test.given_approved_decision('second') as soon \gset
select is(test.ask_again_ms(:both), 20000, 'the nearest moment of any account counts');
select test.record(test.answer_not_sent(test.holder(:'soon')));
select is(test.ask_again_ms(:both), 1000, 'whichever it is');
select is(test.broken_promises(), '{}', 'no promise is broken');

select * from finish();
rollback;
