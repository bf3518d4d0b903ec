-- The one spelling of a symbol: trimmed, in ASCII capitals, as decisions have it.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.canonical_symbol(p_symbol text)
returns text
language plpgsql
immutable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return translate(btrim(p_symbol, E' \t\r\n'), 'abcdefghijklmnopqrstuvwxyz', 'ABCDEFGHIJKLMNOPQRSTUVWXYZ');
end
$$;
revoke all on function orderlatch_data.canonical_symbol(text) from public;
comment on function orderlatch_data.canonical_symbol(text) is
  'A symbol as it stands in trade_decisions, so that a limit or a halt of goog binds GOOG. Null for null.';

-- Refuses a scope that would fit nothing where the caller means something.
-- Locks: none. Raises: OL131 argument_invalid.
create or replace function orderlatch_data.require_scope(p_strategy_id text, p_symbol text)
returns void
language plpgsql
immutable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  if p_strategy_id is not null then
    perform orderlatch_data.require_text('p_strategy_id', p_strategy_id, 128);
  end if;
  if p_symbol is not null then
    perform orderlatch_data.require_text('p_symbol', orderlatch_data.canonical_symbol(p_symbol), 64);
  end if;
end
$$;
revoke all on function orderlatch_data.require_scope(text, text) from public;
comment on function orderlatch_data.require_scope(text, text) is
  'Passes null, which is any, and texts that a decision may have; else OL131 argument_invalid.';

-- A symbol as the broker's positions have it.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.position_symbol(p_symbol text)
returns text
language plpgsql
immutable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return replace(upper(p_symbol), '/', '');
end
$$;
revoke all on function orderlatch_data.position_symbol(text) from public;
comment on function orderlatch_data.position_symbol(text) is
  'Positions read BTCUSD where orders and fills read BTC/USD.';

-- Whether two symbols are the same in positions, so that a halt or a limit of BTCUSD binds BTC/USD.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.is_same_symbol(p_one text, p_other text)
returns boolean
language plpgsql
immutable
strict
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return p_one = p_other or replace(p_one, '/', '') = replace(p_other, '/', '');
end
$$;
revoke all on function orderlatch_data.is_same_symbol(text, text) from public;
grant execute on function orderlatch_data.is_same_symbol(text, text) to
  orderlatch_operator, orderlatch_auditor;
comment on function orderlatch_data.is_same_symbol(text, text) is
  'Whether symbols, as decisions or as positions have them, are one: positions read BTCUSD where orders read '
  'BTC/USD. Null for null. It reads nothing and calls nothing of ours, as views call it for their readers.';

-- Whether a list of symbols names one, as orders have it or as positions have it.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.is_listed(p_symbol text, p_symbols text[])
returns boolean
language plpgsql
immutable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return array[p_symbol, orderlatch_data.position_symbol(p_symbol)] && p_symbols;
end
$$;
revoke all on function orderlatch_data.is_listed(text, text[]) from public;
comment on function orderlatch_data.is_listed(text, text[]) is
  'Whether p_symbols has p_symbol, a symbol of a decision, or what positions call it.';

-- Refuses a text that is no time zone of the IANA database.
-- Locks: none. Raises: OL131 argument_invalid.
create or replace function orderlatch_data.require_time_zone(p_time_zone text)
returns void
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  if not exists (select 1 from pg_timezone_names as z where z.name = p_time_zone) then
    raise exception using
      errcode = 'OL131',
      message = format('argument_invalid: %L is the name of no time zone', left(p_time_zone, 60)),
      hint = 'Names are as in the view pg_timezone_names, for example America/New_York.';
  end if;
end
$$;
revoke all on function orderlatch_data.require_time_zone(text) from public;
comment on function orderlatch_data.require_time_zone(text) is
  'Passes a name from pg_timezone_names, else OL131 argument_invalid. Abbreviations and offsets are none: '
  'they know no daylight saving.';
