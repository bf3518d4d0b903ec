-- Creating accounts and changing them.
begin;
select plan(33);

select test_support.hold_clock('2026-03-02 15:00:00Z');

select lives_ok($$ select orderlatch.create_account('paper', 'paper') $$, 'a paper account needs a name and nothing else');
select results_eq(
  $$ select to_jsonb(a) - 'account_id' - 'created_by' from orderlatch_data.accounts as a $$,
  $$ values ('{
       "account": "paper", "environment": "paper", "broker_account_id": null, "risk_engine": "builtin",
       "one_decision_per_signal": true, "max_decision_age": "00:15:00", "max_submits": 3, "on_absent": "resubmit",
       "broker_remembers_ids": true, "max_in_doubt": 3, "send_within": "00:00:05", "call_timeout": "00:00:10",
       "answer_grace": "00:00:05", "lookup_first_wait": "00:00:01", "lookup_max_wait": "00:00:30", "crowd_size": 10,
       "crowd_lookup_wait": "00:05:00", "absence_quiet": "00:01:00", "absence_spacing": "00:00:30",
       "absence_window": "00:05:00", "duplicate_alarm_after": "00:10:00", "backoff_first": "00:00:01",
       "backoff_max": "00:05:00", "throttle_wait": "00:01:00", "reconcile_from": null, "reconcile_every": "00:01:00",
       "reconcile_overlap": "00:05:00", "positions_every": "00:05:00", "on_foreign_order": "warn", "drift_grace": "00:01:00",
       "crypto_fee_allowance": 0.003, "day_time_zone": "America/New_York", "rate_limit": 200, "burst": null,
       "created_at": "2026-03-02T15:00:00+00:00"
     }'::jsonb || jsonb_build_object('created_at', '2026-03-02 15:00:00Z'::timestamptz)) $$,
  'an account begins with the defaults of the design'
);
select is((select a.created_by from orderlatch_data.accounts as a), 'postgres', 'an account is signed');
select results_eq(
  'select s.account_id, s.paused_until, s.last_read_at from orderlatch_data.account_states as s',
  'select test.account_id(), null::timestamptz, null::timestamptz', 'an account has a row for what answers will teach'
);

select throws_ok($$ select orderlatch.create_account('paper', 'paper') $$, 'OL133', null, 'a second account of a name is refused');
select throws_ok(format('select orderlatch.create_account(%s)', c.arguments), c.sqlstate, null, format('%s is refused', c.title))
  from (
    values
      ($$null, 'paper'$$, 'OL131', 'no name'),
      ($$'', 'paper'$$, 'OL131', 'an empty name'),
      ($$'two words', 'paper'$$, 'OL131', 'a name with a blank'),
      ($$E'bell\x07', 'paper'$$, 'OL131', 'a name with a control character'),
      ($$repeat('x', 65), 'paper'$$, 'OL131', 'a name of 65 characters'),
      ($$'new', null$$, 'OL131', 'no environment'),
      ($$'new', 'Paper'$$, 'OL131', 'an environment in capitals'),
      ($$'new', 'demo'$$, 'OL131', 'an environment that does not exist'),
      ($$'new', 'live'$$, 'OL308', 'a live account without its identity'),
      ($$'new', 'live', '{"broker_account_id": ""}'$$, 'OL308', 'a live account with an empty identity'),
      ($$'new', 'live', '{"broker_account_id": null}'$$, 'OL308', 'a live account with a null identity'),
      ($$'new', 'live', '{"broker_account_id": "a b"}'$$, 'OL131', 'an identity with a blank'),
      ($$'new', 'paper', '[]'$$, 'OL131', 'an array of settings'),
      ($$'new', 'paper', null$$, 'OL131', 'null for settings'),
      ($$'new', 'paper', '{"max_submits": 0}'$$, 'OL131', 'a setting out of its range'),
      ($$'new', 'paper', '{"maximum": 1}'$$, 'OL131', 'an unknown setting')
  ) as c(arguments, sqlstate, title);
select is((select count(*) from orderlatch_data.accounts), 1::bigint, 'what was refused has left nothing behind');
select lives_ok(
  $$ select orderlatch.create_account(repeat('x', 64), 'live', jsonb_build_object('broker_account_id', repeat('y', 128))) $$,
  'a live account with its identity is created, and names have their full length'
);
select is(
  (select a.environment from orderlatch_data.accounts as a where a.account = repeat('x', 64)), 'live', 'it is live'
);

-- Changes.
select orderlatch.update_account('paper', '{"max_submits": 5, "on_absent": "lapse", "send_within": "2.5 seconds"}');
select results_eq(
  $$ select a.max_submits, a.on_absent, a.send_within, a.call_timeout from orderlatch_data.accounts as a where a.account = 'paper' $$,
  $$ values (5::smallint, 'lapse', '2.5 seconds'::interval, '10 seconds'::interval) $$, 'settings that are named change, others stay'
);
select orderlatch.update_account('paper', '{}');
select throws_ok(
  $$ select orderlatch.update_account('paper', '{"max_submits": 6, "on_absent": "forget"}') $$, 'OL131', null,
  'one bad setting refuses the whole change'
);
select is((select a.max_submits from orderlatch_data.accounts as a where a.account = 'paper'), 5::smallint, 'all or none was changed');
select throws_ok($$ select orderlatch.update_account('nobody', '{}') $$, 'OL102', null, 'an unknown account cannot be changed');
select throws_ok(
  $$ select orderlatch.update_account(repeat('x', 64), '{"broker_account_id": null}') $$, 'OL308', null,
  'a live account cannot lose its identity'
);
select throws_ok(
  $$ select orderlatch.update_account(repeat('x', 64), '{"broker_account_id": ""}') $$, 'OL131', null,
  'nor swap it for an empty one'
);

-- A changed identity has to be proved anew.
create temporary table worker as select test.given_worker() as worker_id;
select orderlatch.update_account('paper', '{"max_submits": 4}');
select ok(orderlatch_data.is_verified(w.worker_id, test.account_id()), 'a change of another setting leaves workers verified')
  from worker as w;
select orderlatch.update_account('paper', '{"broker_account_id": "another"}');
select ok(not orderlatch_data.is_verified(w.worker_id, test.account_id()), 'after a change of identity nobody is verified')
  from worker as w;
select is(test.record(test.answer_account(c.request_id, 'paper-id')), 'account_mismatch', 'the keys of before open the wrong account')
  from worker as w, test.claim_one(w.worker_id, 'get_account') as c;

select * from finish();
rollback;
