-- Reads settings into an account row; every problem names the setting.
-- Locks: none. Raises: OL131 argument_invalid.
create or replace function orderlatch_data.read_settings(p_base orderlatch_data.accounts, p_settings jsonb)
returns orderlatch_data.accounts
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_setting text;
  v_time interval;
  v_account orderlatch_data.accounts := p_base;
begin
  if p_settings is null or jsonb_typeof(p_settings) <> 'object' then
    raise exception using errcode = 'OL131', message = 'argument_invalid: p_settings must be a JSON object';
  end if;
  -- a loop, so that the message can name the setting at fault
  for v_setting in select k.setting from jsonb_object_keys(p_settings) as k(setting) order by k.setting loop
    if v_setting in ('account_id', 'account', 'environment', 'created_at', 'created_by')
      or not to_jsonb(p_base) ? v_setting
    then
      raise exception using
        errcode = 'OL131',
        message = format(
          'argument_invalid: p_settings has a member %L that is no setting of an account', left(v_setting, 60)
        ),
        hint = 'The settings are the columns of orderlatch.accounts.';
    end if;
    -- Postgres 15 reads an interval even out of {"seconds": 5}
    if jsonb_typeof(p_settings -> v_setting) in ('object', 'array')
      or (p_settings -> v_setting = 'null' and v_setting not in ('broker_account_id', 'burst'))
    then
      raise exception using
        errcode = 'OL131',
        message = format(
          'argument_invalid: setting %L cannot be %s', v_setting, jsonb_typeof(p_settings -> v_setting)
        );
    end if;
    v_account := jsonb_populate_record(v_account, jsonb_build_object(v_setting, p_settings -> v_setting));
    v_time := (
      select (to_jsonb(v_account) ->> v_setting)::interval
        from pg_attribute as f
       where f.attrelid = 'orderlatch_data.accounts'::regclass
         and f.attname = v_setting and f.atttypid = 'interval'::regtype
    );
    perform orderlatch_data.require_no_months(v_setting, v_time);
    -- a day as 24 hours: where clocks change, a time zone makes it 23 or 25
    v_account := jsonb_populate_record(v_account, jsonb_strip_nulls(
      jsonb_build_object(v_setting, make_interval(secs => extract(epoch from v_time)::double precision))
    ));
  end loop;
  if v_account.broker_account_id !~ '^[[:graph:]]{1,128}$' then
    raise exception using
      errcode = 'OL131',
      message = 'argument_invalid: setting broker_account_id must be 1 to 128 visible characters';
  end if;
  if p_settings ? 'day_time_zone' then
    perform orderlatch_data.require_time_zone(v_account.day_time_zone);
  end if;
  return v_account;
exception
  when invalid_text_representation or invalid_datetime_format or datetime_field_overflow
    or interval_field_overflow or numeric_value_out_of_range
  then
    raise exception using
      errcode = 'OL131',
      message = format('argument_invalid: setting %L has a value of the wrong type', v_setting),
      hint = 'Times are intervals such as "5 seconds", counts are whole numbers, switches are true or false.';
end
$$;
revoke all on function orderlatch_data.read_settings(orderlatch_data.accounts, jsonb) from public;
comment on function orderlatch_data.read_settings(orderlatch_data.accounts, jsonb) is
  'p_base with the settings of a JSON object put in. Unknown settings and values of the wrong type: OL131 '
  'argument_invalid.';

-- Creates an account with its settings.
-- Locks: none. Raises: OL131, OL133 account_exists, OL301, OL305 setting_below_floor, OL308.
create or replace function orderlatch.create_account(
  p_account text,
  p_environment text,
  p_settings jsonb default '{}'
)
returns void
language plpgsql
volatile
parallel unsafe
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_account_id integer;
begin
  perform orderlatch_data.require_owner('creating an account');
  if coalesce(p_account, '') !~ '^[[:graph:]]{1,64}$' then
    raise exception using
      errcode = 'OL131',
      message = 'argument_invalid: p_account must be 1 to 64 visible characters without blanks';
  end if;
  if coalesce(p_environment, '') not in ('paper', 'live') then
    raise exception using
      errcode = 'OL131',
      message = 'argument_invalid: p_environment must be paper or live';
  end if;
  if p_environment = 'live' and coalesce(p_settings ->> 'broker_account_id', '') = '' then
    raise exception using
      errcode = 'OL308',
      message = 'live_needs_identity: a live account must be given its broker_account_id beforehand',
      hint = 'It is the member id of the broker''s GET /v2/account.';
  end if;

  if not exists (select 1 from orderlatch_data.clusters as c) then
    perform orderlatch_data.note_server();
  end if;
  -- born as paper, so that the settings are judged all at once below
  insert into orderlatch_data.accounts as a (account, environment, created_at, created_by)
  values (p_account, 'paper', orderlatch_data.clock(), session_user)
  on conflict on constraint accounts_name_is_unique do nothing
  returning a.account_id into v_account_id;
  if v_account_id is null then
    raise exception using
      errcode = 'OL133',
      message = format('account_exists: there is an account named %L', p_account),
      hint = 'update_account changes its settings.';
  end if;
  insert into orderlatch_data.account_states (account_id, reconcile_after, reconcile_reason)
  values (v_account_id, orderlatch_data.clock(), 'new');
  insert into orderlatch_data.account_budgets (account_id, tokens, reserved, counted_at)
  values (v_account_id, 1000000, 1000000, orderlatch_data.clock()); -- full, whatever its depth
  insert into orderlatch_data.broker_limits (account_id) values (v_account_id);
  insert into orderlatch_data.account_agenda (account_id, due_at, tidy_at, visited_at, turn_no)
  values (v_account_id, '-infinity', '-infinity', '-infinity', 0);
  insert into orderlatch_data.broker_reads (account_id, purpose, next_page_at)
  select v_account_id, p.purpose, orderlatch_data.clock()
    from unnest(array['orders', 'open_orders', 'fills', 'positions']) as p(purpose);
  perform orderlatch_data.set_first_limits(v_account_id);
  perform orderlatch_data.save_settings(v_account_id, p_environment, p_settings);
end
$$;
revoke all on function orderlatch.create_account(text, text, jsonb) from public;
grant execute on function orderlatch.create_account(text, text, jsonb) to orderlatch_operator;
comment on function orderlatch.create_account(text, text, jsonb) is
  'Creates an account. p_account: its name, part of every decision hash. p_environment: paper or live. '
  'p_settings: JSON object of settings, the columns of the view accounts; what is left out has its '
  'default. Raises OL131 argument_invalid, OL133 account_exists, OL301 login_not_bound unless the login is '
  'a member of orderlatch_owner, OL305 setting_below_floor, OL308 live_needs_identity.';

-- Changes settings of an account.
-- Locks: account (granting) for its identity. Raises: OL102, OL131, OL132, OL201, OL301, OL305, OL309.
create or replace function orderlatch.update_account(p_account text, p_settings jsonb)
returns void
language plpgsql
volatile
parallel unsafe
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_account orderlatch_data.accounts := orderlatch_data.find_account(p_account);
begin
  perform orderlatch_data.require_right('changing the settings of this account', v_account.account_id, null);
  perform orderlatch_data.make_durable();
  if p_settings ? 'broker_account_id' then
    -- no claim goes on that could grant a submit to keys of the old one
    perform orderlatch_data.require_read_committed();
    perform orderlatch_data.lock_account('granting', v_account.account_id);
    v_account := orderlatch_data.find_account(p_account);
    perform orderlatch_data.require_settled_submits(v_account, p_settings ->> 'broker_account_id');
  end if;
  perform orderlatch_data.save_settings(v_account.account_id, v_account.environment, p_settings);
  -- with another identity nobody is verified any more
  update orderlatch_data.worker_accounts as c
     set verified_at = null
    from orderlatch_data.accounts as a
   where a.account_id = v_account.account_id
     and a.broker_account_id is distinct from v_account.broker_account_id
     and c.account_id = a.account_id;
  -- what lies before the old beginning was not read yet
  perform orderlatch_data.wish_reads(
            a.account_id, '{orders,fills}', 'reconcile_from was moved back', a.reconcile_from
          )
     from orderlatch_data.accounts as a
    where a.account_id = v_account.account_id
      and a.reconcile_from < coalesce(v_account.reconcile_from, v_account.created_at);
end
$$;
revoke all on function orderlatch.update_account(text, jsonb) from public;
grant execute on function orderlatch.update_account(text, jsonb) to orderlatch_operator;
comment on function orderlatch.update_account(text, jsonb) is
  'Changes settings of an account; what is granted already keeps its times. p_settings: JSON object, the '
  'columns of the view accounts. broker_account_id changes only while no submit is on its way or in doubt. '
  'Raises OL102 account_unknown, OL131 argument_invalid, OL132 isolation_unsupported and OL201 account_busy '
  'where it names that, OL301 login_not_bound, OL305 setting_below_floor, OL309 submits_unsettled.';
