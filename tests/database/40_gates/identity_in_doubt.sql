-- What may be at one broker account is not looked for at another: the identity stays until every submit is settled.
begin;
select plan(11);

select test_support.hold_clock('2026-03-02 15:00:00Z');
select test.given_account('live', p_environment => 'live');
select orderlatch.grant_live('live', '1 day', 'tests');
select test.given_worker('live') as worker \gset
create function pg_temp.move(p_id text) returns text language sql volatile as $$
  select format('select orderlatch.update_account(%L, %L)', 'live', jsonb_build_object('broker_account_id', p_id))
$$;

select test.given_submitting_decision(:worker, '{"symbol": "A"}') as decision \gset
select throws_ok(pg_temp.move('other-id'), 'OL309', $$submits_unsettled: 1 submits of account 'live' are on their way or in doubt$$,
                 'while a submit is on its way the account stays who it is');
select lives_ok(pg_temp.move('live-id'), 'that it is who it is may be said');
select ok(orderlatch_data.is_verified(:worker, test.account_id('live')), 'and nobody loses what it has proved');
select test.record(test.answer_maybe(test.holder(:'decision')));
select is(test.status(:'decision'), 'in_doubt', 'the call timed out: the order may be at the broker account of before');
select throws_ok(pg_temp.move('other-id'), 'OL309', null,
                 'which no other account can tell: its 404 would prove absence, and the decision go out a second time');
select lives_ok($$ select orderlatch.update_account('live', '{"max_submits": 4}') $$, 'other settings are free');
select is((select a.broker_account_id from orderlatch_data.accounts as a), 'live-id', 'nothing was changed');

select test_support.advance_clock('1 minute');
select orderlatch.resolve_in_doubt(:'decision', 'absent', '{"looked": "at the old account, by hand"}');
select is(test.status(:'decision'), 'approved', 'an operator who has looked there ends the doubt');
select lives_ok(pg_temp.move('other-id'), 'then the account may become another');
select ok(not orderlatch_data.is_verified(:worker, test.account_id('live')), 'and nobody is verified any more');

-- A paper account that forgets who it is learns it anew, from whatever keys come next: that is another identity too.
select test.given_account('paper');
select test.given_worker('paper') as paper \gset
select test.given_decision_in('in_doubt', :paper) as doubtful \gset
select throws_ok($$ select orderlatch.update_account('paper', '{"broker_account_id": null}') $$, 'OL309', null,
                 'nor may a paper account forget it');

select * from finish();
rollback;
