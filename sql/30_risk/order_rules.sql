-- Says what the broker would refuse about an order on its face. Nothing is rounded or altered instead.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.order_faults(p_decision orderlatch_data.trade_decisions)
returns text[]
language plpgsql
immutable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_faults text[] := array[]::text[];
begin
  -- each part is asked only where the order has something that it judges
  if p_decision.notional is not null or p_decision.position_intent is not null or p_decision.qty is null
    or p_decision.qty <> trunc(p_decision.qty)
  then
    v_faults := orderlatch_data.size_faults(p_decision);
  end if;
  if p_decision.limit_price is not null or p_decision.order_type in ('limit', 'stop_limit') then
    v_faults := v_faults || orderlatch_data.limit_price_faults(p_decision);
  end if;
  if p_decision.order_type in ('stop', 'stop_limit', 'trailing_stop')
    or num_nonnulls(p_decision.stop_price, p_decision.trail_price, p_decision.trail_percent) > 0
  then
    v_faults := v_faults || orderlatch_data.stop_price_faults(p_decision);
  end if;
  if p_decision.time_in_force <> 'day' or p_decision.extended_hours or p_decision.symbol like '%/%' then
    v_faults := v_faults || orderlatch_data.time_faults(p_decision);
  end if;
  if p_decision.order_class <> 'simple' or p_decision.take_profit is not null
    or p_decision.stop_loss is not null
  then
    v_faults := v_faults || orderlatch_data.class_faults(p_decision);
  end if;
  if length(p_decision.symbol) > 4 then
    v_faults := v_faults || orderlatch_data.symbol_faults(p_decision.symbol);
  end if;
  if cardinality(v_faults) < 2 then
    return v_faults;
  end if;
  return array(select f.reason from unnest(v_faults) as f(reason) order by f.reason);
end
$$;
revoke all on function orderlatch_data.order_faults(orderlatch_data.trade_decisions) from public;
comment on function orderlatch_data.order_faults(orderlatch_data.trade_decisions) is
  'The reasons, sorted, for which the broker would refuse the order whatever the market does; empty when '
  'there are none. A symbol with a slash is a crypto pair. Each reason is described in risk_reasons.';

-- What is wrong with the size of an order.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.size_faults(p_decision orderlatch_data.trade_decisions)
returns text[]
language plpgsql
immutable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_fractional constant boolean := orderlatch_data.is_fractional(p_decision);
begin
  return array_remove(
    array[
      case
        when p_decision.qty is not null and p_decision.notional is not null
          then 'invalid_order:qty_and_notional'
      end,
      case when p_decision.qty is null and p_decision.notional is null then 'invalid_order:no_size' end,
      case when min_scale(p_decision.qty) > 9 then 'invalid_order:qty_decimals' end,
      case when min_scale(p_decision.notional) > 2 then 'invalid_order:notional_decimals' end,
      case
        when p_decision.notional < case when p_decision.symbol like '%/%' then 10 else 1 end
          then 'invalid_order:notional_below_minimum'
      end,
      case
        when v_fractional and p_decision.order_type = 'trailing_stop'
          then 'invalid_order:fractional_order_type'
      end,
      case
        when v_fractional and p_decision.order_class <> 'simple' then 'invalid_order:fractional_order_class'
      end,
      case
        when v_fractional and p_decision.position_intent = 'sell_to_open'
          then 'invalid_order:fractional_short'
      end,
      case
        when p_decision.position_intent not like p_decision.action || '!_to!_%' escape '!'
          then 'invalid_order:position_intent'
      end
    ],
    null
  );
end
$$;
revoke all on function orderlatch_data.size_faults(orderlatch_data.trade_decisions) from public;
comment on function orderlatch_data.size_faults(orderlatch_data.trade_decisions) is
  'order_faults about qty, notional and position_intent: none of whole shares without either of the others.';

-- What is wrong with the limit price of an order; those of its exits are judged by class_faults.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.limit_price_faults(p_decision orderlatch_data.trade_decisions)
returns text[]
language plpgsql
immutable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_takes_limit constant boolean := p_decision.order_type in ('limit', 'stop_limit');
  -- the limit of an oco is that of its take_profit, whether it is said again or not
  v_of_exit numeric;
begin
  if p_decision.order_class = 'oco' then
    v_of_exit := (p_decision.take_profit ->> 'limit_price')::numeric;
  end if;
  return array_remove(
    array[
      case
        when v_takes_limit and coalesce(p_decision.limit_price, v_of_exit) is null
          then 'invalid_order:missing_limit_price'
      end,
      case
        when p_decision.limit_price is not null and not v_takes_limit or p_decision.limit_price <> v_of_exit
          then 'invalid_order:unexpected_limit_price'
      end,
      case
        when orderlatch_data.is_sub_penny(p_decision.limit_price) and p_decision.symbol not like '%/%'
          then 'invalid_order:sub_penny_limit_price'
      end
    ],
    null
  );
end
$$;
revoke all on function orderlatch_data.limit_price_faults(orderlatch_data.trade_decisions) from public;
comment on function orderlatch_data.limit_price_faults(orderlatch_data.trade_decisions) is
  'order_faults about limit_price.';

-- What is wrong with the stop price and the trail of an order.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.stop_price_faults(p_decision orderlatch_data.trade_decisions)
returns text[]
language plpgsql
immutable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_trails constant boolean := p_decision.order_type = 'trailing_stop';
  v_takes_stop constant boolean := p_decision.order_type in ('stop', 'stop_limit');
begin
  return array_remove(
    array[
      case when v_takes_stop and p_decision.stop_price is null then 'invalid_order:missing_stop_price' end,
      case
        when not v_takes_stop and p_decision.stop_price is not null then 'invalid_order:unexpected_stop_price'
      end,
      case
        when v_trails and p_decision.trail_price is null and p_decision.trail_percent is null
          then 'invalid_order:missing_trail'
      end,
      case
        when p_decision.trail_price is not null and p_decision.trail_percent is not null
          then 'invalid_order:trail_price_and_percent'
      end,
      case
        when not v_trails and coalesce(p_decision.trail_price, p_decision.trail_percent) is not null
          then 'invalid_order:unexpected_trail'
      end,
      case
        when orderlatch_data.is_sub_penny(p_decision.stop_price) and p_decision.symbol not like '%/%'
          then 'invalid_order:sub_penny_stop_price'
      end
    ],
    null
  );
end
$$;
revoke all on function orderlatch_data.stop_price_faults(orderlatch_data.trade_decisions) from public;
comment on function orderlatch_data.stop_price_faults(orderlatch_data.trade_decisions) is
  'order_faults about stop_price, trail_price and trail_percent.';
