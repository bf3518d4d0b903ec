-- Finds every limit in force for a decision.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.limits_for(p_decision orderlatch_data.trade_decisions)
returns setof orderlatch_data.risk_limits
language sql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select l.*
    from orderlatch_data.risk_limits as l
   where l.enabled
     and (l.account_id is null or l.account_id = p_decision.account_id)
     and (l.strategy_id is null or l.strategy_id = p_decision.strategy_id)
     and (l.symbol is null or l.symbol = p_decision.symbol)
   order by l.limit_id
$$;
revoke all on function orderlatch_data.limits_for(orderlatch_data.trade_decisions) from public;
comment on function orderlatch_data.limits_for(orderlatch_data.trade_decisions) is
  'The enabled limits whose scope fits the decision. All of them apply: a narrow one never loosens a wide '
  'one.';

-- The price that an order is valued at: the most that it can pay, or the price the strategy saw.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.valuation_price(p_decision orderlatch_data.trade_decisions)
returns numeric
language sql
immutable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select case
    when p_decision.action = 'buy' and p_decision.order_type in ('limit', 'stop_limit')
      then p_decision.limit_price
    else greatest(p_decision.limit_price, p_decision.stop_price, p_decision.reference_price)
  end
$$;
revoke all on function orderlatch_data.valuation_price(orderlatch_data.trade_decisions) from public;
comment on function orderlatch_data.valuation_price(orderlatch_data.trade_decisions) is
  'Dollars for one share, coin or contract: a buy''s limit_price, else the highest of limit_price, '
  'stop_price and reference_price. Null when there is none.';

-- order_quantity: the largest quantity of one order.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.order_quantity_breach(
  p_decision orderlatch_data.trade_decisions,
  p_ceiling numeric
)
returns text
language sql
immutable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select case
    when p_decision.qty > p_ceiling then 'order_quantity'
    when p_decision.qty is null and p_decision.notional is not null and p_decision.reference_price is null
      then 'missing_price'
    -- by the lowest price that is known, at which the dollars buy the most
    when p_decision.qty is null
      and p_decision.notional
        > p_ceiling * least(p_decision.limit_price, p_decision.stop_price, p_decision.reference_price)
      then 'order_quantity'
  end
$$;
revoke all on function orderlatch_data.order_quantity_breach(orderlatch_data.trade_decisions, numeric)
  from public;
comment on function orderlatch_data.order_quantity_breach(orderlatch_data.trade_decisions, numeric) is
  'Null, order_quantity or missing_price. p_ceiling: shares, coins or contracts. An order by notional is '
  'converted at the lowest known price and needs a reference_price.';

-- order_notional: the largest worth of one order.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.order_notional_breach(
  p_decision orderlatch_data.trade_decisions,
  p_ceiling numeric
)
returns text
language sql
immutable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select case
    when p_decision.notional > p_ceiling then 'order_notional'
    when p_decision.qty is not null and orderlatch_data.valuation_price(p_decision) is null
      then 'missing_price'
    when p_decision.qty * orderlatch_data.valuation_price(p_decision) > p_ceiling then 'order_notional'
  end
$$;
revoke all on function orderlatch_data.order_notional_breach(orderlatch_data.trade_decisions, numeric)
  from public;
comment on function orderlatch_data.order_notional_breach(orderlatch_data.trade_decisions, numeric) is
  'Null, order_notional or missing_price. p_ceiling: dollars. See valuation_price.';

-- signal_age: the longest time from the market event to the verdict.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.signal_age_breach(
  p_decision orderlatch_data.trade_decisions,
  p_ceiling numeric,
  p_now timestamptz
)
returns text
language sql
immutable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select case
    when extract(epoch from p_now) - extract(epoch from p_decision.event_ts) > p_ceiling then 'signal_age'
  end
$$;
revoke all on function orderlatch_data.signal_age_breach(
  orderlatch_data.trade_decisions, numeric, timestamptz
) from public;
comment on function orderlatch_data.signal_age_breach(
  orderlatch_data.trade_decisions, numeric, timestamptz
) is
  'Null or signal_age. p_ceiling: seconds from event_ts to p_now.';

-- Judges one decision by one limit.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.limit_breach(
  p_decision orderlatch_data.trade_decisions,
  p_limit orderlatch_data.risk_limits,
  p_now timestamptz
)
returns text
language sql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select case p_limit.limit_kind
    when 'order_quantity' then orderlatch_data.order_quantity_breach(p_decision, p_limit.ceiling)
    when 'order_notional' then orderlatch_data.order_notional_breach(p_decision, p_limit.ceiling)
    when 'signal_age' then orderlatch_data.signal_age_breach(p_decision, p_limit.ceiling, p_now)
  end
$$;
revoke all on function orderlatch_data.limit_breach(
  orderlatch_data.trade_decisions, orderlatch_data.risk_limits, timestamptz
) from public;
comment on function orderlatch_data.limit_breach(
  orderlatch_data.trade_decisions, orderlatch_data.risk_limits, timestamptz
) is
  'The reason code of the breach, or null when the decision keeps the limit. A new limit is a row of '
  'risk_limit_kinds, a function and a line here.';
