-- Before anything else a life of a worker finds out whose keys it holds, for each account.
begin;
select plan(26);

select test_support.hold_clock('2026-03-02 15:00:00Z');
select test.given_account();
select test.given_approved_decision() as decision \gset
select test.given_stranger() as worker \gset

select * from test.claim(:worker) \gset
select is(:'kind'::text, 'get_account', 'the first call of a life asks who the account is');
select is(:'method' || ' ' || :'path', 'GET /v2/account', 'of the broker');
select is(test.kinds(:worker), '{}', 'while the question is on its way nothing is granted');
select is(test.record(test.answer_account(:'request_id', 'broker-1')), 'account_verified', 'a paper account learns who it is');
select is((select a.broker_account_id from orderlatch_data.accounts as a), 'broker-1', 'and remembers');
select is((select w.verified_at from orderlatch_data.worker_accounts as w where w.worker_id = :worker), orderlatch_data.clock(),
          'the life is verified');
select is(test.kinds(:worker), '{submit_order}', 'then it is granted what waits');
select is(test.record(test.answer_order(test.holder(:'decision'))), 'order_exists', 'and does it');

select test.given_stranger() as next \gset
select is(test.kinds(:next), '{get_account}', 'the next life asks for itself');
select is(test.kinds(:worker), '{}', 'and the verified one does not ask again');

-- Keys of another account.
select r.request_id as question from orderlatch_data.open_requests as r \gset
select is(test.record(test.answer_account(:'question', 'broker-2')), 'account_mismatch',
          'keys that open another account are found out');
select is((select a.broker_account_id from orderlatch_data.accounts as a), 'broker-1', 'the account stays who it is');
select is(test.incidents() || test.halts(), '{account_mismatch,account_mismatch}',
          'an incident is opened and the account halted');
select is((select i.detail from orderlatch_data.incidents as i), '{"expected": "broker-1", "named": "broker-2"}'::jsonb,
          'the incident names both');
select is(test.kinds(:next), '{}', 'the question is not asked again at once');
select test_support.advance_clock('1 second');
select is(test.kinds(:next), '{get_account}', 'but after a second');
select r.request_id as question from orderlatch_data.open_requests as r \gset
select test.record(test.answer_account(:'question', 'broker-2'));
select test_support.advance_clock('1999 milliseconds');
select is(test.kinds(:next), '{}', 'and then after two');
select test_support.advance_clock('1 millisecond');
select * from test.claim_one(:next, 'get_account') \gset
select is(test.incidents() || test.halts(), '{account_mismatch,account_mismatch}', 'it is one incident and one halt');
select is(test.record(test.answer_account(:'request_id', 'broker-1')), 'account_verified',
          'keys that are put right are accepted');
select is((select count(*)::integer from orderlatch_data.kind_backoffs), 0, 'and the back-off has ended');
select is(test.halts(), '{account_mismatch}', 'a person lifts the halt');
select is(test.broken_promises(), '{}', 'no promise is broken');

-- One broker account is one account.
select test.given_account('twin');
select test.given_stranger('twin') as twin \gset
select (test.claim_one(:twin, 'get_account')).request_id as question \gset
select is(test.record(test.answer_account(:'question', 'broker-1')), 'account_mismatch',
          'keys of a broker account that is another account''s are no keys of a new one');
select is((select a.broker_account_id from orderlatch_data.accounts as a where a.account = 'twin'), null, 'it learns nothing');
select is((select i.detail from orderlatch_data.incidents as i where i.account_id = test.account_id('twin')),
          '{"named": "broker-1", "known_as": "paper"}'::jsonb, 'the incident says whose they are');
select throws_ok($$ select orderlatch.update_account('twin', '{"broker_account_id": "broker-1"}') $$, 'OL131',
                 'argument_invalid: broker_account_id is that of another account', 'nor can it be told to be it');

select * from finish();
rollback;
