-- The members of a take_profit or stop_loss as canonical decimals; null when it holds none.
-- Locks: none. Raises: none, once find_member_problems has seen them.
create or replace function orderlatch_data.canonical_prices(p_prices jsonb)
returns jsonb
language plpgsql
immutable
strict
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    select jsonb_object_agg(e.key, orderlatch_data.canonical_decimal((e.value #>> '{}')::numeric))
      from jsonb_each(p_prices) as e
     where e.value <> 'null'
  );
end
$$;
revoke all on function orderlatch_data.canonical_prices(jsonb) from public;
comment on function orderlatch_data.canonical_prices(jsonb) is
  'An object of prices in dollars, as strings of canonical decimals; members that are null are left out, '
  'and null is returned for an object without any other.';
