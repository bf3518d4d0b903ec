-- Reads the limits in force for an account, once for all decisions that are judged together.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.find_limits(
  p_account_id integer,
  out limits orderlatch_data.risk_limits[],
  out kinds orderlatch_data.risk_limit_kinds[]
)
returns record
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  select coalesce(array_agg(l order by l.limit_id), '{}'), coalesce(array_agg(k order by l.limit_id), '{}')
    into limits, kinds
    from orderlatch_data.risk_limits as l
    join orderlatch_data.risk_limit_kinds as k on k.limit_kind = l.limit_kind
   where l.enabled and (l.account_id is null or l.account_id = p_account_id);
end
$$;
revoke all on function orderlatch_data.find_limits(integer) from public;
comment on function orderlatch_data.find_limits(integer) is
  'The enabled limits whose scope fits the account, each with its kind. All whose strategy and symbol fit a '
  'decision apply to it: a narrow one never loosens a wide one.';

-- Judges one decision by one limit.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.limit_breach(
  p_decision orderlatch_data.trade_decisions,
  p_limit orderlatch_data.risk_limits,
  p_without_it numeric,
  p_with_it numeric,
  p_own orderlatch_data.risk_stake[],
  p_now timestamptz
)
returns text
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  case p_limit.limit_kind
    when 'order_quantity' then return orderlatch_data.order_quantity_breach(p_decision, p_limit.ceiling);
    when 'order_notional' then return orderlatch_data.order_notional_breach(p_decision, p_limit.ceiling);
    when 'opposite_order' then return orderlatch_data.opposite_order_breach(p_decision, p_own);
    when 'price_distance' then return orderlatch_data.price_distance_breach(p_decision, p_limit.ceiling);
    when 'signal_age' then return orderlatch_data.signal_age_breach(p_decision, p_limit.ceiling, p_now);
    when 'allowed_symbols' then
      return case
        when not orderlatch_data.is_listed(p_decision.symbol, p_limit.symbols) then 'symbol_not_allowed'
      end;
    when 'denied_symbols' then
      return case when orderlatch_data.is_listed(p_decision.symbol, p_limit.symbols) then 'symbol_denied' end;
    when 'cool_down' then return case when p_without_it < p_limit.ceiling then 'cool_down' end;
    when 'open_orders' then return case when p_with_it > p_limit.ceiling then 'open_orders' end;
    when 'orders_a_day' then return case when p_with_it > p_limit.ceiling then 'orders_a_day' end;
    when 'notional_a_day' then return case when p_with_it > p_limit.ceiling then 'notional_a_day' end;
    when 'position_quantity' then return case when p_with_it > p_limit.ceiling then 'position_quantity' end;
    when 'position_notional' then return case when p_with_it > p_limit.ceiling then 'position_notional' end;
    when 'gross_exposure' then return case when p_with_it > p_limit.ceiling then 'gross_exposure' end;
    when 'short_selling' then return case when p_with_it > p_limit.ceiling then 'short_selling' end;
    else return null;
  end case;
end
$$;
revoke all on function orderlatch_data.limit_breach(
  orderlatch_data.trade_decisions, orderlatch_data.risk_limits, numeric, numeric,
  orderlatch_data.risk_stake[], timestamptz
) from public;
comment on function orderlatch_data.limit_breach(
  orderlatch_data.trade_decisions, orderlatch_data.risk_limits, numeric, numeric,
  orderlatch_data.risk_stake[], timestamptz
) is
  'The reason code of the breach, or null when the decision keeps the limit. p_without_it, p_with_it: what '
  'sum_limits counts for a limit that adds up. p_own: the stakes in its symbol. A new limit is a row of '
  'risk_limit_kinds and a line here.';

-- order_quantity: the largest quantity of one order.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.order_quantity_breach(
  p_decision orderlatch_data.trade_decisions,
  p_ceiling numeric
)
returns text
language plpgsql
immutable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return case
    when p_decision.qty > p_ceiling then 'order_quantity'
    when p_decision.qty is null and p_decision.notional is not null and p_decision.reference_price is null
      then 'missing_price'
    -- by the lowest price that is known, at which the dollars buy the most
    when p_decision.qty is null
      and p_decision.notional
        > p_ceiling * least(p_decision.limit_price, p_decision.stop_price, p_decision.reference_price)
      then 'order_quantity'
  end;
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
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_price constant numeric := orderlatch_data.valuation_price(p_decision);
begin
  return case
    when p_decision.notional > p_ceiling then 'order_notional'
    when p_decision.qty is not null and v_price is null then 'missing_price'
    when p_decision.qty * v_price > p_ceiling then 'order_notional'
  end;
end
$$;
revoke all on function orderlatch_data.order_notional_breach(orderlatch_data.trade_decisions, numeric)
  from public;
comment on function orderlatch_data.order_notional_breach(orderlatch_data.trade_decisions, numeric) is
  'Null, order_notional or missing_price. p_ceiling: dollars. See valuation_price.';

-- price_distance: the farthest that a price of the order may lie from the price the strategy saw.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.price_distance_breach(
  p_decision orderlatch_data.trade_decisions,
  p_ceiling numeric
)
returns text
language plpgsql
immutable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_reference constant numeric := p_decision.reference_price;
begin
  return case
    when coalesce(p_decision.limit_price, p_decision.stop_price) is null then null
    when v_reference is null then 'missing_price'
    when greatest(abs(p_decision.limit_price - v_reference), abs(p_decision.stop_price - v_reference))
      > p_ceiling * v_reference
      then 'price_distance'
  end;
end
$$;
revoke all on function orderlatch_data.price_distance_breach(orderlatch_data.trade_decisions, numeric)
  from public;
comment on function orderlatch_data.price_distance_breach(orderlatch_data.trade_decisions, numeric) is
  'Null, price_distance or missing_price. p_ceiling: fraction of reference_price. An order without '
  'limit_price and stop_price keeps it; exits are not looked at, as they lie apart by their nature.';

-- signal_age: the longest time from the market event to the verdict.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.signal_age_breach(
  p_decision orderlatch_data.trade_decisions,
  p_ceiling numeric,
  p_now timestamptz
)
returns text
language plpgsql
immutable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  -- seconds and not an interval: the year 1 is further away than timestamps can be subtracted from
  return case
    when extract(epoch from p_now) - extract(epoch from p_decision.event_ts) > p_ceiling then 'signal_age'
  end;
end
$$;
revoke all on function orderlatch_data.signal_age_breach(
  orderlatch_data.trade_decisions, numeric, timestamptz
) from public;
comment on function orderlatch_data.signal_age_breach(
  orderlatch_data.trade_decisions, numeric, timestamptz
) is
  'Null or signal_age. p_ceiling: seconds from event_ts to p_now.';
