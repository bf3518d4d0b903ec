-- Makes a stake of what is named. What is left out is none; an amount that is null is not known: NaN.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.make_stake(
  p_strategy_id text,
  p_symbol text,
  p_action text default null,
  p_orders integer default null,
  p_qty numeric default null,
  p_worth numeric default null,
  p_at_any boolean default null,
  p_limit numeric default null,
  p_held numeric default null,
  p_price numeric default null,
  p_day_orders integer default null,
  p_day_worth numeric default null,
  p_last_order_at timestamptz default null
)
returns orderlatch_data.risk_stake
language plpgsql
immutable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_stake orderlatch_data.risk_stake;
begin
  v_stake.strategy_id := p_strategy_id;
  v_stake.symbol := orderlatch_data.position_symbol(p_symbol);
  v_stake.held := p_held;
  v_stake.price := p_price;
  v_stake.orders := p_orders;
  v_stake.day_orders := p_day_orders;
  v_stake.day_worth := case when p_day_orders is not null then coalesce(p_day_worth, 'NaN') end;
  v_stake.last_order_at := p_last_order_at;
  if p_action = 'buy' then
    v_stake.buy_qty := coalesce(p_qty, 'NaN');
    v_stake.buy_worth := coalesce(p_worth, 'NaN');
    v_stake.buy_at_any := p_at_any;
    v_stake.buy_limit := p_limit;
  elsif p_action = 'sell' then
    v_stake.sell_qty := coalesce(p_qty, 'NaN');
    v_stake.sell_worth := coalesce(p_worth, 'NaN');
    v_stake.sell_at_any := p_at_any;
    v_stake.sell_limit := p_limit;
  end if;
  return v_stake;
end
$$;
revoke all on function orderlatch_data.make_stake(
  text, text, text, integer, numeric, numeric, boolean, numeric, numeric, numeric, integer, numeric,
  timestamptz
) from public;
comment on function orderlatch_data.make_stake(
  text, text, text, integer, numeric, numeric, boolean, numeric, numeric, numeric, integer, numeric,
  timestamptz
) is
  'A risk_stake. p_symbol: as orders or as positions have it. p_action with p_qty and p_worth: what may '
  'still be bought or sold, in shares and in dollars. p_at_any, p_limit: how the order trades, for opposite '
  'orders; null for one that no order conflicts with. p_price: of one share held. p_day_orders with '
  'p_day_worth: orders of the day and their dollars. NaN makes every sum that it is in NaN.';

-- What a decision adds to the stakes once it is approved.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.decision_stake(
  p_decision orderlatch_data.trade_decisions,
  p_now timestamptz,
  p_at_last_price boolean
)
returns orderlatch_data.risk_stake
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_size record;
  v_rests constant boolean := orderlatch_data.surely_rests(p_decision);
begin
  if p_at_last_price then
    v_size := orderlatch_data.unsent_size(p_decision);
  else
    v_size := orderlatch_data.decision_size(p_decision);
  end if;
  return orderlatch_data.make_stake(
    p_decision.strategy_id, p_decision.symbol, p_decision.action,
    p_orders => 1,
    p_qty => v_size.qty,
    p_worth => v_size.worth,
    p_at_any => v_rests and p_decision.order_type = 'stop',
    p_limit => case when v_rests then p_decision.limit_price end,
    p_day_orders => 1,
    p_day_worth => v_size.worth,
    p_last_order_at => p_now
  );
end
$$;
revoke all on function orderlatch_data.decision_stake(orderlatch_data.trade_decisions, timestamptz, boolean)
  from public;
comment on function orderlatch_data.decision_stake(orderlatch_data.trade_decisions, timestamptz, boolean) is
  'The decision at its full size, as an order of the moment p_now. p_at_last_price: whether what it does not '
  'tell of its size is taken at last_price, as unsent_stakes does once it is approved. Exits of a bracket or '
  'oto add nothing: they give back what the entry took. An oco counts once, as one of its two exits cancels '
  'the other.';

-- Adds a stake to others, and adds all up now and then so that they stay few.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.add_stake(
  p_stakes orderlatch_data.risk_stake[],
  p_stake orderlatch_data.risk_stake
)
returns orderlatch_data.risk_stake[]
language plpgsql
immutable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  if cardinality(p_stakes) % 32 = 31 then
    return orderlatch_data.sum_stakes(p_stakes || p_stake);
  end if;
  return p_stakes || p_stake;
end
$$;
revoke all on function orderlatch_data.add_stake(orderlatch_data.risk_stake[], orderlatch_data.risk_stake)
  from public;
comment on function orderlatch_data.add_stake(orderlatch_data.risk_stake[], orderlatch_data.risk_stake) is
  'The stakes with one more.';

-- Adds up stakes of the same strategy in the same symbol.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.sum_stakes(p_stakes orderlatch_data.risk_stake[])
returns orderlatch_data.risk_stake[]
language plpgsql
immutable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return array(
    select (
             s.strategy_id, s.symbol, sum(s.held), max(s.price), sum(s.orders)::integer,
             sum(s.buy_qty), sum(s.buy_worth), sum(s.sell_qty), sum(s.sell_worth),
             sum(s.day_orders)::integer, sum(s.day_worth), max(s.last_order_at),
             bool_or(s.buy_at_any), max(s.buy_limit), bool_or(s.sell_at_any), min(s.sell_limit)
           )::orderlatch_data.risk_stake
      from unnest(p_stakes) as s
     group by s.strategy_id, s.symbol
     order by s.strategy_id, s.symbol
  );
end
$$;
revoke all on function orderlatch_data.sum_stakes(orderlatch_data.risk_stake[]) from public;
comment on function orderlatch_data.sum_stakes(orderlatch_data.risk_stake[]) is
  'One stake for each strategy and symbol.';
