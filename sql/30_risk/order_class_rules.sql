-- What is wrong with the exits of an order and with the class that asks for them.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.class_faults(p_decision orderlatch_data.trade_decisions)
returns text[]
language plpgsql
immutable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_class constant text := p_decision.order_class;
  v_take_profit constant numeric := (p_decision.take_profit ->> 'limit_price')::numeric;
  v_stop constant numeric := (p_decision.stop_loss ->> 'stop_price')::numeric;
  v_stop_limit constant numeric := (p_decision.stop_loss ->> 'limit_price')::numeric;
  -- the exits of an oco are on its own side, those of an entry on the other
  v_exits_sell constant boolean := (v_class = 'oco') = (p_decision.action = 'sell');
begin
  if v_class = 'simple' then
    return array['invalid_order:unexpected_exit'];
  end if;
  return array_remove(
    array[
      case
        when v_class in ('bracket', 'oco') and v_take_profit is null then 'invalid_order:missing_take_profit'
      end,
      case
        when v_stop is null and (v_class in ('bracket', 'oco') or v_stop_limit is not null)
          then 'invalid_order:missing_stop_loss'
      end,
      case
        when v_class = 'oto' and (p_decision.take_profit is null) = (p_decision.stop_loss is null)
          then 'invalid_order:oto_exit'
      end,
      case when v_class = 'oco' and p_decision.order_type <> 'limit' then 'invalid_order:oco_order_type' end,
      case when p_decision.order_type = 'trailing_stop' then 'invalid_order:trailing_order_class' end,
      case when p_decision.symbol like '%/%' then 'invalid_order:crypto_order_class' end,
      case
        when (v_exits_sell and v_take_profit <= v_stop) or (not v_exits_sell and v_take_profit >= v_stop)
          then 'invalid_order:exits_cross'
      end,
      case when orderlatch_data.is_sub_penny(v_take_profit) then 'invalid_order:sub_penny_take_profit' end,
      case
        when orderlatch_data.is_sub_penny(v_stop) or orderlatch_data.is_sub_penny(v_stop_limit)
          then 'invalid_order:sub_penny_stop_loss'
      end
    ],
    null
  );
end
$$;
revoke all on function orderlatch_data.class_faults(orderlatch_data.trade_decisions) from public;
comment on function orderlatch_data.class_faults(orderlatch_data.trade_decisions) is
  'order_faults about order_class, take_profit and stop_loss. What depends on the market, such as an exit '
  'beyond the current price or an oco without a position, the broker judges.';

-- What is wrong with when an order trades, and with its type for a crypto pair.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.time_faults(p_decision orderlatch_data.trade_decisions)
returns text[]
language plpgsql
immutable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_crypto constant boolean := p_decision.symbol like '%/%';
  v_fractional constant boolean := orderlatch_data.is_fractional(p_decision);
begin
  return array_remove(
    array[
      case
        when not v_crypto and v_fractional and p_decision.time_in_force <> 'day'
          then 'invalid_order:fractional_time_in_force'
      end,
      case
        when not v_crypto
          and (
            p_decision.order_type in ('stop', 'stop_limit', 'trailing_stop')
            or p_decision.order_class <> 'simple'
          )
          and p_decision.time_in_force not in ('day', 'gtc')
          then 'invalid_order:time_in_force'
      end,
      case
        when p_decision.extended_hours
          and (
            p_decision.order_type <> 'limit' or p_decision.time_in_force not in ('day', 'gtc')
            or v_crypto or p_decision.order_class <> 'simple'
          )
          then 'invalid_order:extended_hours'
      end,
      case
        when v_crypto and p_decision.time_in_force not in ('gtc', 'ioc')
          then 'invalid_order:crypto_time_in_force'
      end,
      case
        when v_crypto and p_decision.order_type not in ('market', 'limit', 'stop_limit')
          then 'invalid_order:crypto_order_type'
      end
    ],
    null
  );
end
$$;
revoke all on function orderlatch_data.time_faults(orderlatch_data.trade_decisions) from public;
comment on function orderlatch_data.time_faults(orderlatch_data.trade_decisions) is
  'order_faults about time_in_force, extended_hours and what crypto pairs allow: none of a day order of '
  'shares in regular hours.';

-- Whether an order is for parts of a share, or for dollars.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.is_fractional(p_decision orderlatch_data.trade_decisions)
returns boolean
language plpgsql
immutable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return p_decision.notional is not null or coalesce(p_decision.qty <> trunc(p_decision.qty), false);
end
$$;
revoke all on function orderlatch_data.is_fractional(orderlatch_data.trade_decisions) from public;
comment on function orderlatch_data.is_fractional(orderlatch_data.trade_decisions) is
  'Whether qty is not a whole number, or notional is given.';

-- Whether a price has more decimals than the exchanges take.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.is_sub_penny(p_price numeric)
returns boolean
language plpgsql
immutable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return min_scale(p_price) > case when p_price >= 1 then 2 else 4 end;
end
$$;
revoke all on function orderlatch_data.is_sub_penny(numeric) from public;
comment on function orderlatch_data.is_sub_penny(numeric) is
  'Whether a price in dollars has more than 2 decimals, or more than 4 below one dollar. Null for null.';
