-- Lets a login act for an account, or for one strategy of it.
-- Locks: none. Raises: OL102, OL131, OL301.
create or replace function orderlatch.bind_login(
  p_login text,
  p_account text,
  p_strategy_id text default null
)
returns void
language plpgsql
volatile
parallel unsafe
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_account constant orderlatch_data.accounts := orderlatch_data.find_account(p_account);
begin
  perform orderlatch_data.require_owner('binding a login');
  if to_regrole(quote_ident(p_login)) is null then
    raise exception using
      errcode = 'OL131',
      message = format('argument_invalid: p_login %L is no role of this server', left(p_login, 63));
  end if;
  -- an empty text would bind the login to every strategy
  perform orderlatch_data.require_scope(p_strategy_id, null);
  insert into orderlatch_data.login_bindings (login, account_id, strategy_id, bound_at, bound_by)
  values (p_login, v_account.account_id, coalesce(p_strategy_id, ''), orderlatch_data.clock(), session_user)
  on conflict on constraint login_bindings_pkey do nothing;
end
$$;
revoke all on function orderlatch.bind_login(text, text, text) from public;
grant execute on function orderlatch.bind_login(text, text, text) to orderlatch_operator;
comment on function orderlatch.bind_login(text, text, text) is
  'Binds a login to an account. What it may do there depends on its role. p_strategy_id: null binds it to '
  'every strategy. Raises OL102 account_unknown, OL131 argument_invalid, OL301 unless the caller is a '
  'member of orderlatch_owner.';

-- Takes the right to act for an account from a login.
-- Locks: none. Raises: OL102, OL301.
create or replace function orderlatch.unbind_login(p_login text, p_account text)
returns integer
language plpgsql
volatile
parallel unsafe
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_account constant orderlatch_data.accounts := orderlatch_data.find_account(p_account);
  v_unbound integer;
begin
  perform orderlatch_data.require_owner('unbinding a login');
  perform orderlatch_data.make_durable();
  delete from orderlatch_data.login_bindings as b
   where b.login = p_login and b.account_id = v_account.account_id;
  get diagnostics v_unbound = row_count;
  return v_unbound;
end
$$;
revoke all on function orderlatch.unbind_login(text, text) from public;
grant execute on function orderlatch.unbind_login(text, text) to orderlatch_operator;
comment on function orderlatch.unbind_login(text, text) is
  'Removes every binding of a login to an account. Returns how many there were. Raises OL102 '
  'account_unknown, OL301 unless the caller is a member of orderlatch_owner.';
