-- Whether the login may act for an account, and for a strategy of it.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.login_may_act(
  p_account_id integer,
  p_strategy_id text,
  p_login text default session_user
)
returns boolean
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  -- no table is asked where the role says it
  if pg_has_role(p_login::name, 'orderlatch_owner', 'member') then
    return true;
  end if;
  return exists (
    select 1
      from orderlatch_data.login_bindings as b
     where b.login = p_login
       and b.account_id = p_account_id
       and (b.strategy_id = '' or b.strategy_id = p_strategy_id)
  );
end
$$;
revoke all on function orderlatch_data.login_may_act(integer, text, text) from public;
comment on function orderlatch_data.login_may_act(integer, text, text) is
  'Whether the login is bound to the account, or is a member of orderlatch_owner. p_strategy_id: null asks '
  'for the whole account, which a login bound to one strategy may not. p_login: a role that exists.';

-- Finds an account that the login may act for.
-- Locks: none. Raises: OL102 account_unknown, OL301 login_not_bound.
create or replace function orderlatch_data.find_account(p_account text)
returns orderlatch_data.accounts
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_account orderlatch_data.accounts;
begin
  select a.* into v_account from orderlatch_data.accounts as a where a.account = p_account;
  if v_account.account_id is null then
    raise exception using
      errcode = 'OL102',
      message = format('account_unknown: no account is named %L', left(p_account, 64)),
      hint = 'An operator creates accounts with create_account.';
  end if;
  if orderlatch_data.login_may_act(v_account.account_id, null) then
    return v_account;
  end if;
  -- a login bound to one strategy may enter the account; what it may do there is checked for each decision
  if not exists (
    select 1
      from orderlatch_data.login_bindings as b
     where b.login = session_user and b.account_id = v_account.account_id
  ) then
    raise exception using
      errcode = 'OL301',
      message = format('login_not_bound: login %L may not act for account %L', session_user, p_account),
      hint = 'An operator binds logins to accounts with bind_login.';
  end if;
  return v_account;
end
$$;
revoke all on function orderlatch_data.find_account(text) from public;
comment on function orderlatch_data.find_account(text) is
  'The account of a name. OL102 account_unknown when there is none, OL301 login_not_bound when session_user '
  'is not bound to it.';

-- Whether the login may read what was recorded for an account and a strategy of it.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.login_may_read(p_account_id integer, p_strategy_id text)
returns boolean
language sql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select orderlatch_data.login_may_act(p_account_id, p_strategy_id)
    or pg_has_role(session_user, 'orderlatch_auditor', 'member')
$$;
revoke all on function orderlatch_data.login_may_read(integer, text) from public;
comment on function orderlatch_data.login_may_read(integer, text) is
  'Whether the login may act for it, or is an auditor: the views show an auditor all of it, bound or not.';

-- Finds a decision that the login may act for, or may read.
-- Locks: none. Raises: OL103 decision_unknown, OL131 argument_invalid, OL301 login_not_bound.
create or replace function orderlatch_data.find_decision(
  p_decision_hash text,
  p_to_read boolean default false
)
returns orderlatch_data.trade_decisions
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_decision orderlatch_data.trade_decisions;
begin
  if p_decision_hash is null or p_decision_hash !~ '^[0-9a-f]{64}$' then
    raise exception using
      errcode = 'OL131',
      message = 'argument_invalid: p_decision_hash must be 64 lower-case hexadecimal digits',
      detail = format('p_decision_hash has %s characters', coalesce(length(p_decision_hash)::text, 'no'));
  end if;
  select d.* into v_decision
    from orderlatch_data.trade_decisions as d
   where d.decision_hash = decode(p_decision_hash, 'hex');
  if v_decision.decision_id is null then
    raise exception using
      errcode = 'OL103',
      message = format('decision_unknown: no decision has the hash %s', p_decision_hash),
      hint = 'Was it recorded in this database? See the view orderlatch.decisions.';
  end if;
  if not (
    case
      when p_to_read then orderlatch_data.login_may_read(v_decision.account_id, v_decision.strategy_id)
      else orderlatch_data.login_may_act(v_decision.account_id, v_decision.strategy_id)
    end
  ) then
    raise exception using
      errcode = 'OL301',
      message = format('login_not_bound: login %L may not act for this decision', session_user),
      hint = 'An operator binds logins to accounts and strategies with bind_login.';
  end if;
  return v_decision;
end
$$;
revoke all on function orderlatch_data.find_decision(text, boolean) from public;
comment on function orderlatch_data.find_decision(text, boolean) is
  'The decision of a hash (64 hex digits). p_to_read: an auditor may have it too, bound or not. OL131 '
  'argument_invalid, OL103 decision_unknown, OL301 login_not_bound when session_user is not bound to its '
  'account and strategy.';

-- Refuses a login that may do a deed neither for the account it is about nor for the whole installation.
-- Locks: none. Raises: OL301 login_not_bound.
create or replace function orderlatch_data.require_right(
  p_deed text,
  p_account_id integer,
  p_strategy_id text
)
returns void
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  if p_account_id is null or not orderlatch_data.login_may_act(p_account_id, p_strategy_id) then
    perform orderlatch_data.require_owner(p_deed);
  end if;
end
$$;
revoke all on function orderlatch_data.require_right(text, integer, text) from public;
comment on function orderlatch_data.require_right(text, integer, text) is
  'Passes a login that is bound to the account and, with null for p_strategy_id, to all of it; for every '
  'account (null) only a member of orderlatch_owner. Else OL301 login_not_bound. p_deed: what was tried, for '
  'the message.';

-- Refuses a login that does not speak for the whole installation.
-- Locks: none. Raises: OL301 login_not_bound.
create or replace function orderlatch_data.require_owner(p_deed text)
returns void
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  if not pg_has_role(session_user, 'orderlatch_owner', 'member') then
    raise exception using
      errcode = 'OL301',
      message = format(
        'login_not_bound: %s takes a member of orderlatch_owner, and login %L is none', p_deed, session_user
      ),
      hint = 'Name an account that the login is bound to, or ask the owner.';
  end if;
end
$$;
revoke all on function orderlatch_data.require_owner(text) from public;
comment on function orderlatch_data.require_owner(text) is
  'Passes when session_user is a member of orderlatch_owner, else OL301 login_not_bound. p_deed: what was '
  'tried, for the message.';
