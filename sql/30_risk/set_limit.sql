-- Sets the limit of one kind for one scope, or changes it.
-- Locks: account (judging) when the scope names one. Raises: OL102, OL131, OL132, OL201, OL301.
create or replace function orderlatch.set_limit(
  p_limit_kind text,
  p_ceiling numeric,
  p_account text default null,
  p_strategy_id text default null,
  p_symbol text default null,
  p_enabled boolean default true
)
returns integer
language plpgsql
volatile
parallel unsafe
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_account_id integer;
  v_limit_id integer;
begin
  perform orderlatch_data.require_read_committed();
  if not exists (select 1 from orderlatch_data.risk_limit_kinds as k where k.limit_kind = p_limit_kind) then
    raise exception using
      errcode = 'OL131',
      message = format('argument_invalid: p_limit_kind %L is no kind of limit', left(p_limit_kind, 60)),
      hint = 'The kinds are the rows of orderlatch.limit_kinds.';
  end if;
  if p_ceiling is null or not (p_ceiling >= 0 and p_ceiling < 'infinity') then
    raise exception using
      errcode = 'OL131',
      message = 'argument_invalid: p_ceiling must be a number from 0 on',
      detail = format('it is %s', coalesce(p_ceiling::text, 'null'));
  end if;
  if p_enabled is null then
    raise exception using errcode = 'OL131', message = 'argument_invalid: p_enabled must be true or false';
  end if;
  perform orderlatch_data.require_scope(p_strategy_id, p_symbol);
  if p_account is not null then
    v_account_id := (orderlatch_data.find_account(p_account)).account_id;
  end if;
  perform orderlatch_data.require_right('a limit of this scope', v_account_id, p_strategy_id);
  perform orderlatch_data.make_durable();
  if v_account_id is not null then
    perform orderlatch_data.lock_account('judging', v_account_id);
  end if;

  insert into orderlatch_data.risk_limits as l
    (limit_kind, account_id, strategy_id, symbol, ceiling, enabled, set_at, set_by)
  values (
    p_limit_kind, v_account_id, p_strategy_id, orderlatch_data.canonical_symbol(p_symbol),
    p_ceiling, p_enabled, orderlatch_data.clock(), session_user
  )
  on conflict (limit_kind, coalesce(account_id, 0), coalesce(strategy_id, ''), coalesce(symbol, '')) do update
    set ceiling = excluded.ceiling,
        enabled = excluded.enabled,
        set_at = excluded.set_at,
        set_by = excluded.set_by
  returning l.limit_id into v_limit_id;
  return v_limit_id;
end
$$;
revoke all on function orderlatch.set_limit(text, numeric, text, text, text, boolean) from public;
grant execute on function orderlatch.set_limit(text, numeric, text, text, text, boolean) to
  orderlatch_operator;
comment on function orderlatch.set_limit(text, numeric, text, text, text, boolean) is
  'Sets or changes the limit of a kind for a scope. p_limit_kind: see limit_kinds, with its unit. '
  'p_ceiling: highest value allowed. p_account, p_strategy_id, p_symbol: null is any. p_enabled: false '
  'switches the limit off. Returns limit_id. Decisions judged from then on are judged by it. Raises OL102 '
  'account_unknown, OL131 argument_invalid, OL132, OL201 account_busy, OL301 login_not_bound.';

-- The kinds of limits, for people who set them.
create or replace view orderlatch.limit_kinds as
  select k.limit_kind, k.unit, k.description
    from orderlatch_data.risk_limit_kinds as k
   order by k.limit_kind;
revoke all on orderlatch.limit_kinds from public;
grant select on orderlatch.limit_kinds to orderlatch_operator, orderlatch_auditor;
comment on view orderlatch.limit_kinds is 'The kinds of limits that set_limit takes, with their units.';
