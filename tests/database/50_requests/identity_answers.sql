-- A life of a worker that is not verified for an account can bring facts, and nothing else.
begin;
select plan(20);

select test_support.hold_clock('2026-03-02 15:00:00Z');
select test.given_account('live', p_environment => 'live');
select orderlatch.grant_live('live', '1 day', 'tests');
select test.given_stranger('live') as stranger \gset
select (test.claim_one(:stranger, 'get_account')).request_id as question \gset
select is(test.record(test.answer_status(:'question', 200, q.body)), 'in_doubt', q.title)
  from (values ('{"id": ""}', 'an account without an id is nobody')) as q(body, title);
select is((select w.verified_at from orderlatch_data.worker_accounts as w), null, 'nobody is verified by it');
select test_support.advance_clock('1 second');
select (test.claim_one(:stranger, 'get_account')).request_id as question \gset
select is(test.record(test.answer_status(:'question', 200, '[{"id": "live-id"}]')), 'in_doubt',
          'a list of accounts is no answer');
select test_support.advance_clock('2 seconds');
select (test.claim_one(:stranger, 'get_account')).request_id as question \gset
select is(test.record(test.answer_account(:'question', 'paper-id')), 'account_mismatch',
          'a live account knows who it is beforehand');
select is((select a.broker_account_id from orderlatch_data.accounts as a), 'live-id', 'and learns nothing');
select orderlatch.lift_halt(h.halt_id, 'tests') from orderlatch_data.halts as h;
select test_support.advance_clock('4 seconds');

-- A life that was verified and is not any more, with calls on their way.
select test.given_worker('live') as worker \gset
select test.given_submitting_decision(:worker, '{"symbol": "A"}') as unsent \gset
select test.given_submitting_decision(:worker, '{"symbol": "B"}') as refused \gset
select test.given_submitting_decision(:worker, '{"symbol": "C"}') as found \gset
update orderlatch_data.worker_accounts set verified_at = null where worker_id = :worker;
select is(test.record(test.answer_not_sent(test.holder(:'unsent'))), 'in_doubt',
          'its word that a call was not sent is not taken');
select is(test.record(test.answer_error(test.holder(:'refused'), 403, 40310000, 'insufficient buying power')), 'in_doubt',
          'nor the broker''s no to keys of who knows whom');
select is(test.status(:'unsent') || ', ' || test.status(:'refused'), 'in_doubt, in_doubt', 'both are in doubt');
select is(test.record(test.answer_order(test.holder(:'found'))), 'order_exists', 'an order that it shows exists');
select is(test.status(:'found'), 'submitted', 'and counts');

-- Its lookups and lists find, but do not prove absence.
update orderlatch_data.worker_accounts set verified_at = orderlatch_data.clock() where worker_id = :worker;
select test_support.hold_clock(greatest((test.doubt(:'unsent')).believe_after, (test.doubt(:'refused')).believe_after));
select array_agg(c.request_id) as lookups from test.claim(:worker) as c \gset
update orderlatch_data.worker_accounts set verified_at = null where worker_id = :worker;
select is(test.record(test.answer_absent((:'lookups'::uuid[])[1])), 'in_doubt',
          'its word that an order is not there is not taken');
select is(test.record(test.answer_absent((:'lookups'::uuid[])[2])), 'in_doubt', 'for no decision');
select is((select count(*)::integer from orderlatch_data.doubts as d where d.first_absent_at is not null), 0,
          'and counts nowhere');
update orderlatch_data.worker_accounts set verified_at = orderlatch_data.clock() where worker_id = :worker;
select test_support.advance_clock('1 minute');
select test.look_in_vain(:worker);
select test_support.advance_clock('1 minute');
select test.look_in_vain(:worker);
select array_agg(c.request_id::text order by c.query ->> 'symbols') as pages from test.claim(:worker) as c
   where c.kind = 'list_orders' \gset
update orderlatch_data.worker_accounts set verified_at = null where worker_id = :worker;
select is(cardinality(:'pages'::text[]), 2, 'two proofs wait for their lists');
select is(test.record(test.answer_status((:'pages'::uuid[])[1], 200, '[]')), 'in_doubt', 'an empty list of its proves nothing');
select is(test.status(:'unsent'), 'in_doubt', 'the doubt goes on');
select is(
  test.record(test.answer_status((:'pages'::uuid[])[2], 200, jsonb_build_array(test.order_document(:'refused'))::text)),
  'in_doubt', 'nor does one that shows an order');
select is(test.status(:'refused'), 'submitted', 'but the order exists');
select is((test.doubt(:'unsent')).second_absent_at is not null, true, 'the other proof still waits');
select is(test.broken_promises(), '{}', 'no promise is broken');

select * from finish();
rollback;
