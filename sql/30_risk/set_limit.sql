-- Sets the limit of one kind for one scope, or changes it.
-- Locks: accounts in the scope ascending (judging). Raises: OL102, OL131, OL132, OL201, OL301.
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
begin
  perform orderlatch_data.require_read_committed();
  perform orderlatch_data.require_limit_kind(p_limit_kind, '{ceiling,nothing}');
  if p_ceiling is null or not (p_ceiling >= 0 and p_ceiling < 'infinity') then
    raise exception using
      errcode = 'OL131',
      message = 'argument_invalid: p_ceiling must be a number from 0 on',
      detail = format('it is %s', coalesce(p_ceiling::text, 'null'));
  end if;
  if (p_limit_kind = 'opposite_order' and p_ceiling <> 0)
    or (p_limit_kind = 'cool_down' and p_ceiling > 31622400)
  then
    raise exception using
      errcode = 'OL131',
      message = format(
        'argument_invalid: p_ceiling of %s must be %s', p_limit_kind,
        case p_limit_kind when 'cool_down' then 'at most 31622400 seconds, 366 days' else '0' end
      ),
      detail = format('it is %s', p_ceiling);
  end if;
  return orderlatch_data.save_limit(
    p_limit_kind, p_ceiling, null, p_account, p_strategy_id, p_symbol, p_enabled
  );
end
$$;
revoke all on function orderlatch.set_limit(text, numeric, text, text, text, boolean) from public;
grant execute on function orderlatch.set_limit(text, numeric, text, text, text, boolean) to
  orderlatch_operator;
comment on function orderlatch.set_limit(text, numeric, text, text, text, boolean) is
  'Sets or changes the limit of a kind for a scope. p_limit_kind: see limit_kinds, with its unit and what it '
  'counts. p_ceiling: the bound. p_account, p_strategy_id, p_symbol: null is any; without an account the '
  'limit applies to each account by itself. p_enabled: false switches the limit off. Returns limit_id. Once '
  'it has returned and is committed, nothing is approved by what was set before. Raises OL102 '
  'account_unknown, OL131 argument_invalid, OL132, OL201 account_busy, OL301 login_not_bound.';

-- Sets the list of symbols that may, or may not, be traded in one scope.
-- Locks: accounts in the scope ascending (judging). Raises: OL102, OL131, OL132, OL201, OL301.
create or replace function orderlatch.set_symbols(
  p_limit_kind text,
  p_symbols text[],
  p_account text default null,
  p_strategy_id text default null,
  p_enabled boolean default true
)
returns integer
language plpgsql
volatile
parallel unsafe
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform orderlatch_data.require_read_committed();
  perform orderlatch_data.require_limit_kind(p_limit_kind, '{symbols}');
  if coalesce(cardinality(p_symbols), 0) not between 1 and 10000 then
    raise exception using
      errcode = 'OL131',
      message = 'argument_invalid: p_symbols must name 1 to 10000 symbols',
      hint = 'To stop trading altogether use halt; to drop a list set it with p_enabled false.';
  end if;
  perform orderlatch_data.require_scope(null, coalesce(y.symbol, '')) from unnest(p_symbols) as y(symbol);
  return orderlatch_data.save_limit(
    p_limit_kind, null,
    array(
      select distinct orderlatch_data.canonical_symbol(y.symbol)
        from unnest(p_symbols) as y(symbol)
       order by 1
    ),
    p_account, p_strategy_id, null, p_enabled
  );
end
$$;
revoke all on function orderlatch.set_symbols(text, text[], text, text, boolean) from public;
grant execute on function orderlatch.set_symbols(text, text[], text, text, boolean) to orderlatch_operator;
comment on function orderlatch.set_symbols(text, text[], text, text, boolean) is
  'Sets or changes a list of symbols for a scope, as a whole. p_limit_kind: allowed_symbols or '
  'denied_symbols. p_symbols: 1 to 10000, as decisions or as positions have them. p_account, p_strategy_id: '
  'null is any. p_enabled: false switches the list off. Where several lists of allowed symbols apply, a '
  'symbol must be on each. Returns limit_id. Raises OL102 account_unknown, OL131 argument_invalid, OL132, '
  'OL201 account_busy, OL301 login_not_bound.';

-- Refuses a kind of limit that does not exist or is set by the other function.
-- Locks: none. Raises: OL131 argument_invalid.
create or replace function orderlatch_data.require_limit_kind(p_limit_kind text, p_takes text[])
returns void
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_takes text;
begin
  select k.takes into v_takes
    from orderlatch_data.risk_limit_kinds as k
   where k.limit_kind = p_limit_kind;
  if v_takes is null then
    raise exception using
      errcode = 'OL131',
      message = format('argument_invalid: p_limit_kind %L is no kind of limit', left(p_limit_kind, 60)),
      hint = 'The kinds are the rows of orderlatch.limit_kinds.';
  elsif v_takes <> all (p_takes) then
    raise exception using
      errcode = 'OL131',
      message = format('argument_invalid: p_limit_kind %L takes another value', p_limit_kind),
      hint = case v_takes
        when 'symbols' then 'A list is set with set_symbols.'
        else 'A number is set with set_limit.'
      end;
  end if;
end
$$;
revoke all on function orderlatch_data.require_limit_kind(text, text[]) from public;
comment on function orderlatch_data.require_limit_kind(text, text[]) is
  'Passes a kind of limit whose column takes is among p_takes, else OL131 argument_invalid.';
