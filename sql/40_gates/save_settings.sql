-- Writes settings of an account, all or none.
-- Locks: none. Raises: OL131 argument_invalid, OL305 setting_below_floor, OL308 live_needs_identity.
create or replace function orderlatch_data.save_settings(
  p_account_id integer,
  p_environment text,
  p_settings jsonb
)
returns void
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_base orderlatch_data.accounts;
  v_account orderlatch_data.accounts;
  v_rule text;
begin
  -- no key: proposals and answers, whose rows reference the account, never wait for an operator's transaction
  select a.* into strict v_base
    from orderlatch_data.accounts as a
   where a.account_id = p_account_id
     for no key update;
  v_account := orderlatch_data.read_settings(v_base, p_settings);
  if v_account.reconcile_from is distinct from v_base.reconcile_from then
    perform orderlatch_data.require_reached('reconcile_from', v_account.reconcile_from);
  end if;
  update orderlatch_data.accounts as a
     set environment = p_environment,
         broker_account_id = v_account.broker_account_id,
         risk_engine = v_account.risk_engine,
         one_decision_per_signal = v_account.one_decision_per_signal,
         max_decision_age = v_account.max_decision_age,
         max_submits = v_account.max_submits,
         on_absent = v_account.on_absent,
         broker_remembers_ids = v_account.broker_remembers_ids,
         max_in_doubt = v_account.max_in_doubt,
         send_within = v_account.send_within,
         call_timeout = v_account.call_timeout,
         answer_grace = v_account.answer_grace,
         lookup_first_wait = v_account.lookup_first_wait,
         lookup_max_wait = v_account.lookup_max_wait,
         crowd_size = v_account.crowd_size,
         crowd_lookup_wait = v_account.crowd_lookup_wait,
         absence_quiet = v_account.absence_quiet,
         absence_spacing = v_account.absence_spacing,
         absence_window = v_account.absence_window,
         duplicate_alarm_after = v_account.duplicate_alarm_after,
         backoff_first = v_account.backoff_first,
         backoff_max = v_account.backoff_max,
         throttle_wait = v_account.throttle_wait,
         reconcile_from = v_account.reconcile_from,
         reconcile_every = v_account.reconcile_every,
         reconcile_overlap = v_account.reconcile_overlap,
         positions_every = v_account.positions_every,
         on_foreign_order = v_account.on_foreign_order,
         drift_grace = v_account.drift_grace,
         crypto_fee_allowance = v_account.crypto_fee_allowance,
         day_time_zone = v_account.day_time_zone,
         rate_limit = v_account.rate_limit,
         burst = v_account.burst
   where a.account_id = p_account_id;
exception
  when check_violation or unique_violation then
    get stacked diagnostics v_rule = constraint_name;
    perform orderlatch_data.raise_setting_error(v_rule, p_settings);
end
$$;
revoke all on function orderlatch_data.save_settings(integer, text, jsonb) from public;
comment on function orderlatch_data.save_settings(integer, text, jsonb) is
  'Writes the settings of a JSON object into an account, all or none. OL131 argument_invalid for an '
  'unknown setting, a wrong type or a value out of its range, OL305 setting_below_floor, OL308 '
  'live_needs_identity.';

-- Refuses a moment that is still to come.
-- Locks: none. Raises: OL131 argument_invalid.
create or replace function orderlatch_data.require_reached(p_setting text, p_at timestamptz)
returns void
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  -- a read from the future on shows no order, and would count as one that found none
  if p_at > orderlatch_data.clock() then
    raise exception using
      errcode = 'OL131',
      message = format('argument_invalid: %s must not lie in the future', p_setting),
      detail = format('it is %s', p_at),
      hint = 'What lies before it is not read: give the moment at which the account was taken on.';
  end if;
end
$$;
revoke all on function orderlatch_data.require_reached(text, timestamptz) from public;
comment on function orderlatch_data.require_reached(text, timestamptz) is
  'Passes null and what the database''s clock has reached, else OL131 argument_invalid. p_setting: whose '
  'moment it is, for the message.';

-- Refuses a time that is said in months.
-- Locks: none. Raises: OL131 argument_invalid.
create or replace function orderlatch_data.require_no_months(p_setting text, p_time interval)
returns void
language plpgsql
immutable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  if (extract(year from p_time), extract(month from p_time)) <> (0, 0) then
    raise exception using
      errcode = 'OL131',
      message = format('argument_invalid: setting %L must be said without months and years', p_setting),
      hint = 'Bounds take a month for 30 days, and in February it is shorter.';
  end if;
end
$$;
revoke all on function orderlatch_data.require_no_months(text, interval) from public;
comment on function orderlatch_data.require_no_months(text, interval) is
  'Passes a time that is as long in any month, else OL131 argument_invalid. p_setting: which one it is, for '
  'the message.';

-- Says which rule of the table accounts a setting breaks, in the words of whoever set it.
-- Locks: none. Raises: OL131 argument_invalid, OL305 setting_below_floor, OL308 live_needs_identity.
create or replace function orderlatch_data.raise_setting_error(p_rule text, p_settings jsonb)
returns void
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_said text;
  v_check text;
begin
  case p_rule
    when 'accounts_live_proof_has_floors' then
      raise exception using
        errcode = 'OL305',
        message = 'setting_below_floor: a live account needs at least 60 s absence_quiet, '
          '30 s absence_spacing, 5 min absence_window and 5 s answer_grace',
        hint = 'These times keep a late order from being sent twice.';
    when 'accounts_live_has_identity' then
      raise exception using
        errcode = 'OL308',
        message = 'live_needs_identity: a live account cannot be without its broker_account_id';
    when 'accounts_broker_account_once' then
      raise exception using
        errcode = 'OL131',
        message = 'argument_invalid: broker_account_id is that of another account',
        hint = 'The orders of two accounts at one broker account could not be told apart.';
    when 'accounts_burst_fits_rate' then
      raise exception using
        errcode = 'OL131',
        message = 'argument_invalid: burst must be at least 2 and at most half of rate_limit',
        hint = 'A larger burst leaves less for the rest of the minute; null is a tenth of rate_limit.';
    else
      select string_agg(f.attname, ', ' order by f.attnum), pg_get_constraintdef(k.oid) into v_said, v_check
        from pg_constraint as k
       cross join unnest(k.conkey) as c(attnum)
        join pg_attribute as f on f.attrelid = k.conrelid and f.attnum = c.attnum and p_settings ? f.attname
       where k.conrelid = 'orderlatch_data.accounts'::regclass and k.conname = p_rule
       group by k.oid;
      raise exception using
        errcode = 'OL131',
        message = format('argument_invalid: %s breaks the rule %s', coalesce(v_said, 'p_settings'), p_rule),
        detail = v_check,
        hint = 'The rule is a check of the table accounts: see docs/generated/tables.md.';
  end case;
end
$$;
revoke all on function orderlatch_data.raise_setting_error(text, jsonb) from public;
comment on function orderlatch_data.raise_setting_error(text, jsonb) is
  'Raises what a broken rule of the table accounts means. p_rule: name of the constraint or unique index. '
  'p_settings: what was to be set, so that the message names what of it the rule is about. OL305 '
  'setting_below_floor, OL308 live_needs_identity, else OL131 argument_invalid.';
