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
        when orderlatch_data.contract_size(p_symbol) > 1 then 'unsupported_order:option'
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

-- How many dollars one of a symbol is worth for each dollar of its price.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.contract_size(p_symbol text)
returns integer
language plpgsql
immutable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return case
    -- as the Options Clearing Corporation spells them: root, day, call or put, strike
    when length(p_symbol) > 15 and p_symbol ~ '^[A-Z0-9]{1,6}[0-9]{6}[CP][0-9]{8}$' then 100
    else 1
  end;
end
$$;
revoke all on function orderlatch_data.contract_size(text) from public;
comment on function orderlatch_data.contract_size(text) is
  '100 for an option, which is quoted for one share and is for a hundred, else 1. Contracts that a split has '
  'adjusted may be for another number of shares.';
