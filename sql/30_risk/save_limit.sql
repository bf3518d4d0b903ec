-- Writes a limit while nobody judges in its scope.
-- Locks: accounts in the scope ascending (judging). Raises: OL102, OL131, OL201, OL301.
create or replace function orderlatch_data.save_limit(
  p_limit_kind text,
  p_ceiling numeric,
  p_symbols text[],
  p_account text,
  p_strategy_id text,
  p_symbol text,
  p_enabled boolean
)
returns integer
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_account_id integer;
  v_limit_id integer;
begin
  if p_enabled is null then
    raise exception using errcode = 'OL131', message = 'argument_invalid: p_enabled must be true or false';
  end if;
  perform orderlatch_data.require_scope(p_strategy_id, p_symbol);
  if p_account is not null then
    v_account_id := (orderlatch_data.find_account(p_account)).account_id;
  end if;
  perform orderlatch_data.require_right('a limit of this scope', v_account_id, p_strategy_id);
  perform orderlatch_data.make_durable();
  perform orderlatch_data.lock_account('judging', a.account_id)
     from (
       select k.account_id
         from orderlatch_data.accounts as k
        where v_account_id is null or k.account_id = v_account_id
        order by k.account_id
     ) as a;
  -- a mark says something only of days through which a limit of a day was in force
  perform orderlatch_data.forget_day(m.account_id)
     from orderlatch_data.day_marks as m
    where v_account_id is null or m.account_id = v_account_id;

  insert into orderlatch_data.risk_limits as l
    (limit_kind, account_id, strategy_id, symbol, ceiling, symbols, enabled, set_at, set_by)
  values (
    p_limit_kind, v_account_id, p_strategy_id, orderlatch_data.canonical_symbol(p_symbol),
    p_ceiling, p_symbols, p_enabled, orderlatch_data.clock(), session_user
  )
  on conflict (limit_kind, coalesce(account_id, 0), coalesce(strategy_id, ''), coalesce(symbol, '')) do update
    set ceiling = excluded.ceiling,
        symbols = excluded.symbols,
        enabled = excluded.enabled,
        set_at = excluded.set_at,
        set_by = excluded.set_by
  returning l.limit_id into v_limit_id;
  return v_limit_id;
end
$$;
revoke all on function orderlatch_data.save_limit(text, numeric, text[], text, text, text, boolean)
  from public;
comment on function orderlatch_data.save_limit(text, numeric, text[], text, text, text, boolean) is
  'For set_limit and set_symbols. Holds every account that the limit may apply to, so that no verdict under '
  'way has read the limits of before and commits after.';

-- Gives a new account the limits that every account begins with.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.set_first_limits(p_account_id integer)
returns void
language sql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  insert into orderlatch_data.risk_limits (limit_kind, account_id, ceiling, set_at, set_by)
  values ('opposite_order', p_account_id, 0, orderlatch_data.clock(), session_user)
$$;
revoke all on function orderlatch_data.set_first_limits(integer) from public;
comment on function orderlatch_data.set_first_limits(integer) is
  'opposite_order, as the broker refuses what it rejects. set_limit switches it off.';
