-- The average price of what was filled, with as many digits as it is told by.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.average_price(p_value numeric, p_qty numeric)
returns numeric
language sql
immutable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  -- coins of which a dollar buys many are traded by prices of nine decimals
  select round(p_value / nullif(greatest(p_qty, 0), 0), case when p_value < p_qty then 12 else 6 end)
$$;
revoke all on function orderlatch_data.average_price(numeric, numeric) from public;
comment on function orderlatch_data.average_price(numeric, numeric) is
  'Dollars, to six decimals, and to twelve below one dollar. p_value: dollars that were paid for p_qty. Null '
  'when nothing was filled.';
