-- Every time and count of the protocol has the default that DESIGN.md section 6 names, and is a setting of the account.
begin;
select plan(5);

select test_support.hold_clock();
select test.given_mirrored_account();
select test.given_mirrored_account('live', p_environment => 'live');
select is(
  (select to_jsonb(a) - '{account_id,account,environment,broker_account_id,created_at,created_by}'::text[]
     from orderlatch_data.accounts as a where a.account = 'paper'),
  '{
    "risk_engine": "builtin", "one_decision_per_signal": true,
    "max_decision_age": "00:15:00", "max_submits": 3, "on_absent": "resubmit", "broker_remembers_ids": true, "max_in_doubt": 3,
    "send_within": "00:00:05", "call_timeout": "00:00:10", "answer_grace": "00:00:05",
    "lookup_first_wait": "00:00:01", "lookup_max_wait": "00:00:30", "crowd_size": 10, "crowd_lookup_wait": "00:05:00",
    "absence_quiet": "00:01:00", "absence_spacing": "00:00:30", "absence_window": "00:05:00",
    "duplicate_alarm_after": "00:10:00", "backoff_first": "00:00:01", "backoff_max": "00:05:00", "throttle_wait": "00:01:00",
    "reconcile_from": null, "reconcile_every": "00:01:00",
       "reconcile_overlap": "00:05:00", "positions_every": "00:05:00", "on_foreign_order": "warn", "drift_grace": "00:01:00",
       "crypto_fee_allowance": 0.003, "day_time_zone": "America/New_York", "rate_limit": 200, "burst": null
  }'::jsonb,
  'a paper account begins with the defaults');
select is(
  (select to_jsonb(l) - '{account_id,account,environment,broker_account_id}'::text[] from orderlatch_data.accounts as l
              where l.account = 'live'),
  (select to_jsonb(p) - '{account_id,account,environment,broker_account_id}'::text[] from orderlatch_data.accounts as p
              where p.account = 'paper'),
  'so does a live one');
select throws_ok(format('select orderlatch.update_account(''live'', jsonb_build_object(%L, %L))', s.setting, s.below), 'OL305',
                 null,
                 format('a live account cannot have a %s of %s', s.setting, s.below))
  from (values ('absence_quiet', '59 seconds'), ('answer_grace', '4 seconds')) as s(setting, below);
select lives_ok($$ select orderlatch.update_account('paper', '{"absence_quiet": "0", "absence_spacing": "0", "answer_grace": "1 millisecond"}') $$,
                'a paper account may');

select * from finish();
rollback;
