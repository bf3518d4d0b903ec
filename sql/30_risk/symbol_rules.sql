-- What is wrong with the symbol of an order: it is to be the one that the broker shows the order with.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.symbol_faults(p_symbol text)
returns text[]
language plpgsql
immutable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return array_remove(
    array[
      case
        -- no share has more than five letters before a point
        when p_symbol ~ '^[A-Z0-9]{3,}(USD|USDT|USDC|BTC)$' then 'invalid_order:pair_without_slash'
      end,
      case
        when p_symbol ~ '^[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}$' then 'invalid_order:asset_id'
      end,
      case
        -- its price is in coins, which every limit in dollars would take for dollars
        when p_symbol like '%/%' and p_symbol !~ '/(USD|USDT|USDC)$' then 'unsupported_order:quote_currency'
      end,
      case
        -- a hundred shares stand behind a contract: no limit in dollars counts them
        when p_symbol ~ '^[A-Z0-9]{1,6}[0-9]{6}[CP][0-9]{8}$' then 'unsupported_order:option'
      end
    ],
    null
  );
end
$$;
revoke all on function orderlatch_data.symbol_faults(text) from public;
comment on function orderlatch_data.symbol_faults(text) is
  'order_faults about the symbol: none of one of up to four characters. The broker also takes a pair without '
  'its slash and the id of an asset, and shows another symbol than that of the decision then: limits, halts '
  'and the order of submits in the symbol would not hold for it.';
