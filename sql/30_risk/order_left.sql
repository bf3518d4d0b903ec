-- What an order may still trade beyond its booked fills, in shares and in dollars.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.order_left(
  p_order orderlatch_data.broker_orders,
  p_decision orderlatch_data.trade_decisions,
  out qty numeric,
  out worth numeric
)
returns record
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  -- the decision's own terms count while its order stands, not what the broker made of them
  v_own constant boolean := p_order.relation = 'order' and p_decision.decision_id is not null;
  v_price numeric := case
    when v_own then orderlatch_data.valuation_price(p_decision)
    else orderlatch_data.order_price(
      p_order.side, p_order.order_type, p_order.limit_price, p_order.stop_price, p_decision.reference_price
    )
  end;
  v_size constant numeric := coalesce(p_order.qty, case when v_own then p_decision.qty end);
  v_notional constant numeric := coalesce(p_order.notional, case when v_own then p_decision.notional end);
  v_last_price constant numeric := case
    when v_price is null then orderlatch_data.last_price(
      p_order.account_id, orderlatch_data.position_symbol(p_order.symbol)
    )
  end;
begin
  if not p_order.is_open then
    qty := orderlatch_data.unbooked_qty(p_order);
    v_price := coalesce(p_order.filled_avg_price, v_price);
  elsif v_size is not null then
    qty := greatest(v_size - p_order.fills_qty, 0);
    if p_order.side <> p_decision.action or p_order.status = 'held' then
      qty := least(qty, orderlatch_data.exit_ceiling(p_order));
    end if;
  elsif v_notional is not null then
    worth := greatest(v_notional - p_order.fills_value, 0);
    -- dollars buy the most at the lowest price; a limit alone says nothing of how low it can go
    v_price := coalesce(p_decision.reference_price, v_last_price);
    if v_price is not null then
      v_price := least(v_price, p_order.limit_price, p_order.stop_price);
    end if;
  else
    -- all that is known of it is a fill, which is booked
    qty := 0;
  end if;
  qty := coalesce(qty, case when worth = 0 then 0 else worth / v_price end, 'NaN');
  worth := coalesce(
    worth,
    case
      when qty = 0 then 0
      else qty * coalesce(v_price * orderlatch_data.contract_size(p_order.symbol), v_last_price)
    end,
    'NaN'
  );
end
$$;
revoke all on function orderlatch_data.order_left(
  orderlatch_data.broker_orders, orderlatch_data.trade_decisions
) from public;
comment on function orderlatch_data.order_left(
  orderlatch_data.broker_orders, orderlatch_data.trade_decisions
) is
  'qty and worth (dollars) that an open order may still fill, or of one that has ended what was filled and '
  'is not booked. p_decision: its decision, null for a foreign order. NaN where no price is known.';

-- What was filled of an order that has ended, and has no booked fill yet.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.unbooked_qty(p_order orderlatch_data.broker_orders)
returns numeric
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_before numeric;
begin
  -- after a bust or a correction its fills say what was filled, whatever an older view showed
  if p_order.status in ('unknown', 'vanished') or p_order.has_reversals
    or p_order.shown_filled_qty <= p_order.fills_qty
  then
    return 0.0;
  end if;
  -- a replacement may show what the orders before it had filled, and those fills are booked
  if p_order.relation = 'replacement' then
    select sum(f.fills_qty) into v_before
      from orderlatch_data.family_orders(p_order) as f
     where f.order_no <> p_order.order_no and f.side = p_order.side;
  end if;
  return case
    when p_order.shown_filled_qty = p_order.fills_qty + coalesce(v_before, 0) then 0
    else p_order.shown_filled_qty - p_order.fills_qty
  end;
end
$$;
revoke all on function orderlatch_data.unbooked_qty(orderlatch_data.broker_orders) from public;
comment on function orderlatch_data.unbooked_qty(orderlatch_data.broker_orders) is
  'Shares, coins or contracts that the newest view of the order shows as filled, and that position_sums '
  'does not hold yet. None of an order that was never shown or has vanished.';

-- How much the exits of an entry can trade: what the entry has filled and its exits have not.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.exit_ceiling(p_order orderlatch_data.broker_orders)
returns numeric
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return greatest(
    0,
    (
      select sum(case when f.side = p_order.side then -f.fills_qty else f.fills_qty end)
        from orderlatch_data.family_orders(p_order) as f
    )
  );
end
$$;
revoke all on function orderlatch_data.exit_ceiling(orderlatch_data.broker_orders) from public;
comment on function orderlatch_data.exit_ceiling(orderlatch_data.broker_orders) is
  'Shares that may leave through the exits of a bracket or oto beyond what they have taken: at worst the '
  'position falls back to what it was before the entry, never below. By booked fills, as positions are.';

-- The orders that hang together with an order: what it replaces or is a leg of, and what hangs on that.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.family_orders(p_order orderlatch_data.broker_orders)
returns setof orderlatch_data.broker_orders
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_top constant text := coalesce(p_order.parent_broker_order_id, p_order.broker_order_id);
begin
  if p_order.decision_id is not null then
    return query select f.* from orderlatch_data.decision_orders(p_order.decision_id) as f;
  else
    return query
    select b.*
      from orderlatch_data.broker_orders as b
     where b.account_id = p_order.account_id and b.broker_order_id = v_top
    union all
    select b.*
      from orderlatch_data.broker_orders as b
     where b.account_id = p_order.account_id and b.parent_broker_order_id = v_top;
  end if;
end
$$;
revoke all on function orderlatch_data.family_orders(orderlatch_data.broker_orders) from public;
comment on function orderlatch_data.family_orders(orderlatch_data.broker_orders) is
  'decision_orders of its decision; of a foreign order its parent and the children of that.';

-- The orders of a decision: the one it asked for, what replaced it, and its legs.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.decision_orders(p_decision_id bigint)
returns setof orderlatch_data.broker_orders
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
  select b.*
    from orderlatch_data.broker_orders as b
   where b.decision_id = p_decision_id and b.relation <> 'duplicate';
end
$$;
revoke all on function orderlatch_data.decision_orders(bigint) from public;
comment on function orderlatch_data.decision_orders(bigint) is
  'Every order of a decision but duplicates, which are orders of their own.';
