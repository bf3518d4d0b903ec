-- Whether a price has more decimals than the exchanges take.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.is_sub_penny(p_price numeric)
returns boolean
language sql
immutable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select min_scale(p_price) > case when p_price >= 1 then 2 else 4 end
$$;
revoke all on function orderlatch_data.is_sub_penny(numeric) from public;
comment on function orderlatch_data.is_sub_penny(numeric) is
  'Whether a price in dollars has more than 2 decimals, or more than 4 below one dollar. Null for null.';

-- Says what the broker would refuse about an order on its face. Nothing is rounded or altered instead.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.order_faults(p_decision orderlatch_data.trade_decisions)
returns text[]
language sql
immutable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select array(
    select f.reason
      from (
        values
          ('invalid_order:qty_and_notional', d.qty is not null and d.notional is not null),
          ('invalid_order:no_size', d.qty is null and d.notional is null),
          ('invalid_order:missing_limit_price', d.takes_limit and d.limit_price is null),
          ('invalid_order:unexpected_limit_price', not d.takes_limit and d.limit_price is not null),
          ('invalid_order:missing_stop_price', d.takes_stop and d.stop_price is null),
          ('invalid_order:unexpected_stop_price', not d.takes_stop and d.stop_price is not null),
          ('invalid_order:unexpected_trail',
           d.order_type <> 'trailing_stop' and (d.trail_price is not null or d.trail_percent is not null)),
          ('invalid_order:sub_penny_limit_price',
           not d.crypto and orderlatch_data.is_sub_penny(d.limit_price)),
          ('invalid_order:sub_penny_stop_price',
           not d.crypto and orderlatch_data.is_sub_penny(d.stop_price)),
          ('invalid_order:qty_decimals', min_scale(d.qty) > 9),
          ('invalid_order:notional_decimals', min_scale(d.notional) > 2),
          ('invalid_order:notional_below_minimum', d.notional < case when d.crypto then 10 else 1 end),
          ('invalid_order:fractional_time_in_force',
           not d.crypto and d.fractional and d.time_in_force <> 'day'),
          ('invalid_order:time_in_force',
           not d.crypto and d.order_type in ('stop', 'stop_limit', 'trailing_stop')
           and d.time_in_force not in ('day', 'gtc')),
          ('invalid_order:extended_hours',
           d.extended_hours
           and (d.order_type <> 'limit' or d.time_in_force not in ('day', 'gtc')
                or d.fractional or d.crypto)),
          ('invalid_order:crypto_time_in_force', d.crypto and d.time_in_force not in ('gtc', 'ioc')),
          ('invalid_order:crypto_order_type',
           d.crypto and d.order_type not in ('market', 'limit', 'stop_limit')),
          ('invalid_order:position_intent', d.position_intent not like d.action || '\_to\_%'),
          ('invalid_order:unexpected_exit',
           d.order_class = 'simple' and (d.take_profit is not null or d.stop_loss is not null)),
          ('unsupported_order:trailing_stop', d.order_type = 'trailing_stop'),
          ('unsupported_order:order_class', d.order_class <> 'simple')
      ) as f(reason, at_fault)
     where f.at_fault
     order by f.reason
  )
  from (
    select p_decision.*,
           p_decision.symbol like '%/%' as crypto,
           p_decision.order_type in ('limit', 'stop_limit') as takes_limit,
           p_decision.order_type in ('stop', 'stop_limit') as takes_stop,
           p_decision.notional is not null or p_decision.qty <> trunc(p_decision.qty) as fractional
  ) as d
$$;
revoke all on function orderlatch_data.order_faults(orderlatch_data.trade_decisions) from public;
comment on function orderlatch_data.order_faults(orderlatch_data.trade_decisions) is
  'The reasons, sorted, for which the broker would refuse the order whatever the market does; empty when '
  'there are none. A symbol with a slash is a crypto pair. Each reason is described in risk_reasons.';
