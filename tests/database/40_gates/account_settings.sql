-- Every setting of an account, on both sides of each of its bounds.
begin;
select plan(189);

select test.given_account();
select test.given_account('live', '{}', 'live');
select test.given_mirrored_account('plain');

create temporary table bounds (setting text, account text, lowest jsonb, below jsonb, highest jsonb, above jsonb);
insert into bounds values
  ('max_submits', 'paper', '1', '0', '32767', '32768'),
  ('max_in_doubt', 'paper', '1', '0', '32767', '32768'),
  ('crowd_size', 'paper', '1', '0', '32767', '32768'),
  ('max_decision_age', 'paper', '"1 millisecond"', '"0.999 milliseconds"', '"30 days"', '"30 days 1 microsecond"'),
  ('send_within', 'paper', '"1 millisecond"', '"0"', '"1 minute"', '"60.001 seconds"'),
  ('call_timeout', 'paper', '"1 millisecond"', '"0"', '"2 minutes"', '"120.001 seconds"'),
  ('answer_grace', 'paper', '"1 millisecond"', '"0"', '"10 minutes"', '"600.001 seconds"'),
  ('lookup_first_wait', 'paper', '"1 millisecond"', '"0"', '"30 seconds"', '"30.001 seconds"'),
  ('lookup_max_wait', 'paper', '"1 second"', '"0.999 seconds"', '"1 hour"', '"3600.001 seconds"'),
  ('crowd_lookup_wait', 'paper', '"1 second"', '"0.999 seconds"', '"1 hour"', '"3600.001 seconds"'),
  ('backoff_first', 'paper', '"1 millisecond"', '"0"', '"5 minutes"', '"300.001 seconds"'),
  ('backoff_max', 'paper', '"1 second"', '"0.999 seconds"', '"5 minutes"', '"300.001 seconds"'),
  ('throttle_wait', 'paper', '"1 millisecond"', '"0"', '"1 hour"', '"3600.001 seconds"'),
  ('duplicate_alarm_after', 'paper', '"1 millisecond"', '"0"', null, null),
  ('absence_quiet', 'paper', '"0"', '"-1 microsecond"', '"1 day"', '"1 day 1 second"'),
  ('absence_spacing', 'paper', '"0"', '"-1 microsecond"', '"1 day"', '"1 day 1 second"'),
  ('absence_window', 'paper', '"0"', '"-1 microsecond"', '"1 day"', '"1 day 1 second"'),
  ('reconcile_every', 'paper', '"1 second"', '"0.999 seconds"', '"1 day"', '"1 day 1 second"'),
  ('positions_every', 'paper', '"1 second"', '"0.999 seconds"', '"1 day"', '"1 day 1 second"'),
  ('reconcile_overlap', 'paper', '"0"', '"-1 microsecond"', '"7 days"', '"7 days 1 second"'),
  ('drift_grace', 'paper', '"0"', '"-1 microsecond"', '"1 day"', '"1 day 1 second"'),
  ('crypto_fee_allowance', 'paper', '0', '-0.001', '0.05', '0.051'),
  -- the proof of absence has floors where money is real
  ('absence_quiet', 'live', '"60 seconds"', '"59.999 seconds"', null, null),
  ('absence_spacing', 'live', '"30 seconds"', '"29.999 seconds"', null, null),
  ('absence_window', 'live', '"5 minutes"', '"299.999 seconds"', null, null),
  ('answer_grace', 'live', '"5 seconds"', '"4.999 seconds"', null, null),
  ('rate_limit', 'plain', '10', '9', '1000000', '1000001'),
  ('burst', 'plain', '2', '1', '100', '101');

-- Sets one setting and takes it back; returns the SQLSTATE, or 'taken'.
create function pg_temp.try_setting(p_account text, p_setting text, p_value jsonb)
returns text
language plpgsql
as $$
begin
  perform orderlatch.update_account(p_account, jsonb_build_object(p_setting, p_value));
  if p_setting <> 'broker_account_id' and (
    select a = jsonb_populate_record(a, jsonb_build_object(p_setting, p_value))
      from orderlatch_data.accounts as a
     where a.account = p_account
  ) is not true then
    return 'not stored';
  end if;
  raise exception using errcode = 'ZZZZZ', message = 'taken';
exception
  when others then
    return case sqlstate when 'ZZZZZ' then sqlerrm else sqlstate end;
end
$$;

select is(pg_temp.try_setting(b.account, b.setting, b.lowest), 'taken', format('%s of a %s account may be %s', b.setting, b.account, b.lowest))
  from bounds as b;
select is(
         pg_temp.try_setting(b.account, b.setting, b.below), case b.account when 'live' then 'OL305' else 'OL131' end,
         format('%s of a %s account may not be %s', b.setting, b.account, b.below)
       )
  from bounds as b;
select is(pg_temp.try_setting(b.account, b.setting, b.highest), 'taken', format('%s may be %s', b.setting, b.highest))
  from bounds as b where b.highest is not null;
select is(pg_temp.try_setting(b.account, b.setting, b.above), 'OL131', format('%s may not be %s', b.setting, b.above))
  from bounds as b where b.above is not null;

-- What was refused is named, with its rule.
select throws_ok(
  format('select orderlatch.update_account(%L, %L)', 'paper', r.settings), 'OL131', 'argument_invalid: ' || r.said,
  r.settings || ': the message names what breaks a rule'
)
  from (
    values
      ('{"lookup_max_wait": "2 hours", "max_submits": 3}', 'lookup_max_wait breaks the rule accounts_waits_are_bounded'),
      ('{"crowd_size": 0, "max_submits": 0}', 'max_submits, crowd_size breaks the rule accounts_counts_are_positive')
  ) as r(settings, said);

-- In February this is a day less than nothing, though it passes for a minute.
select throws_ok(
  format($$ select orderlatch.update_account('live', '{"absence_quiet": "%s"}') $$, m.said), 'OL131',
  'argument_invalid: setting ''absence_quiet'' must be said without months and years', m.said || ' is of no fixed length'
)
  from (values ('1 month -29 days -23:59:00'), ('1 year -359 days -23:59:00')) as m(said);

-- Choices and switches.
select is(pg_temp.try_setting('paper', c.setting, c.value), c.result, format('%s %s is %s', c.setting, c.value, c.result))
  from (
    values
      ('risk_engine', '"builtin"'::jsonb, 'taken'), ('risk_engine', '"external"', 'taken'), ('risk_engine', '"none"', 'OL131'),
      ('on_foreign_order', '"ignore"', 'taken'), ('on_foreign_order', '"halt"', 'taken'), ('on_foreign_order', '"panic"', 'OL131'),
      ('reconcile_from', '"2026-03-01T00:00:00Z"', 'taken'), ('reconcile_from', '"some day"', 'OL131'), ('reconcile_from', '"infinity"', 'OL131'),
      ('reconcile_from', to_jsonb(orderlatch_data.clock() + interval '1 minute'), 'OL131'), ('reconcile_from', to_jsonb(orderlatch_data.clock()), 'taken'),
      ('on_absent', '"resubmit"', 'taken'), ('on_absent', '"lapse"', 'taken'), ('on_absent', '"forget"', 'OL131'),
      ('one_decision_per_signal', 'false', 'taken'), ('one_decision_per_signal', '"maybe"', 'OL131'),
      ('broker_remembers_ids', 'false', 'taken'), ('broker_remembers_ids', '7', 'OL131'),
      ('broker_account_id', '"id-1"', 'taken'), ('broker_account_id', 'null', 'taken'), ('broker_account_id', '"a b"', 'OL131'),
      ('day_time_zone', '"Europe/Zurich"', 'taken'), ('day_time_zone', '"UTC"', 'taken'), ('day_time_zone', '"Mars/Olympus"', 'OL131'),
      ('day_time_zone', '""', 'OL131'), ('day_time_zone', '"EDT"', 'OL131'), ('day_time_zone', '"+05:00"', 'OL131'),
      ('day_time_zone', '7', 'OL131'),
      ('burst', 'null', 'taken'),
      -- wrong types
      ('max_submits', '"three"', 'OL131'), ('max_submits', '2.5', 'OL131'), ('max_submits', '[1]', 'OL131'),
      ('send_within', '"soon"', 'OL131'), ('send_within', '{"seconds": 5}', 'OL131'),
      ('send_within', '"999999999999999 years"', 'OL131'), ('send_within', 'true', 'OL131'),
      -- what is no setting
      ('account', '"other"', 'OL131'), ('environment', '"live"', 'OL131'), ('account_id', '7', 'OL131'),
      ('created_at', '"2026-03-02T15:00:00Z"', 'OL131'), ('created_by', '"me"', 'OL131'), ('', '1', 'OL131')
  ) as c(setting, value, result);

-- Null is no value of a setting, and every column but the identity refuses it.
select is(pg_temp.try_setting('paper', c.column_name::text, 'null'), 'OL131', format('%s cannot be null', c.column_name))
  from information_schema.columns as c
 where c.table_schema = 'orderlatch_data' and c.table_name = 'accounts'
   and c.column_name not in ('broker_account_id', 'burst', 'account_id', 'account', 'environment', 'created_at', 'created_by');

-- A day has 24 hours, also where the session's clocks change meanwhile: here they go forward, and back.
set local timezone = 'America/New_York';
select test.given_account('days', '{"max_decision_age": "1 day", "absence_quiet": "1 day -23:59:00"}');
create function pg_temp.lapses(p_now timestamptz) returns timestamptz language plpgsql as $$
declare
  v_hash text;
begin
  perform test_support.hold_clock(p_now);
  v_hash := test.given_decision('days');
  return (select o.lapse_at from test.open_row(v_hash) as o);
end
$$;
select is(pg_temp.lapses('2027-03-13 15:00:00Z'), '2027-03-14 15:00:00Z'::timestamptz, 'a decision that may be a day old may in spring');
select is(pg_temp.lapses('2026-10-31 15:00:00Z'), '2026-11-01 15:00:00Z'::timestamptz, 'and lapses after a day in autumn');
select is(
  (select '2027-03-13 15:00:00Z'::timestamptz + a.absence_quiet from orderlatch_data.accounts as a where a.account = 'days'),
  '2027-03-13 15:01:00Z'::timestamptz, 'a quiet time of a minute, said as a day less nearly a day, is a minute in spring too'
);

-- The message names what is wrong.
select throws_like(
         format('select orderlatch.update_account(%L, %L)', c.account, c.settings), c.message, format('the message says: %s', c.message)
       )
  from (
    values
      ('paper', '{"maximum": 1}', '%maximum%'),
      ('paper', '{"max_submits": "x"}', '%max_submits%'),
      ('paper', '{"on_absent": null}', '%on_absent%'),
      ('paper', '{"lookup_max_wait": "0"}', '%accounts_waits_are_bounded%'),
      ('paper', '{"reconcile_from": "infinity"}', 'argument_invalid: reconcile_from must not lie in the future'),
      ('live', '{"absence_quiet": "1 second"}', '%60 s absence_quiet%'),
      ('plain', '{"burst": 101}', 'argument_invalid: burst must be at least 2 and at most half of rate_limit')
  ) as c(account, settings, message);
select throws_ok(
  $$ select orderlatch.create_account('fast', 'live', '{"broker_account_id": "x", "answer_grace": "1 second"}') $$, 'OL305', null,
  'a live account cannot be born below a floor'
);

select * from finish();
rollback;
