-- What decisions that are approved, on their way or in doubt may still trade: each at its full size.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.unsent_stakes(p_account_id integer, p_symbols text[])
returns setof orderlatch_data.risk_stake
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
  with sums as (
    select d.strategy_id, d.symbol, d.action, count(*)::integer as orders,
           sum(z.qty) as qty, sum(z.worth) as worth
      from orderlatch_data.unsent_decisions(p_account_id, p_symbols) as d
     cross join lateral orderlatch_data.unsent_size(d) as z
     group by d.strategy_id, d.symbol, d.action
  )
  select k.*
    from sums as s
   cross join lateral orderlatch_data.make_stake(
     s.strategy_id, s.symbol, s.action, p_orders => s.orders, p_qty => s.qty, p_worth => s.worth
   ) as k;
end
$$;
revoke all on function orderlatch_data.unsent_stakes(integer, text[]) from public;
comment on function orderlatch_data.unsent_stakes(integer, text[]) is
  'A stake for each strategy, symbol and side with decisions whose order is approved and not known at the '
  'broker. p_symbols: as orders have them; null: all. A size or worth that a decision does not tell is taken '
  'at last_price.';

-- Decisions that may become an order, or have become one that nobody has seen yet.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.unsent_decisions(p_account_id integer, p_symbols text[])
returns setof orderlatch_data.trade_decisions
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  if p_symbols is null then
    return query
    select d.*
      from orderlatch_data.open_decisions as o
      join orderlatch_data.trade_decisions as d on d.decision_id = o.decision_id
     where o.account_id = p_account_id and o.status in ('approved', 'submitting', 'in_doubt');
  else
    return query
    select d.*
      from orderlatch_data.open_decisions as o
      join orderlatch_data.trade_decisions as d on d.decision_id = o.decision_id
     where o.account_id = p_account_id
       and o.symbol = any (p_symbols)
       and o.status in ('approved', 'submitting', 'in_doubt');
  end if;
end
$$;
revoke all on function orderlatch_data.unsent_decisions(integer, text[]) from public;
comment on function orderlatch_data.unsent_decisions(integer, text[]) is
  'The decisions of an account that are approved, submitting or in doubt. p_symbols: as orders have them; '
  'null: all.';

-- Orders that may still change what the account holds.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.live_orders(p_account_id integer, p_symbols text[])
returns setof orderlatch_data.broker_orders
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  if p_symbols is null then
    return query
    select b.*
      from orderlatch_data.broker_orders as b
     where b.account_id = p_account_id and b.is_open;
  else
    return query
    select b.*
      from orderlatch_data.broker_orders as b
     where b.account_id = p_account_id and b.symbol = any (p_symbols) and b.is_open;
  end if;
  -- ended, and filled by more than the fills that are booked
  return query
  select b.*
    from orderlatch_data.broker_orders as b
   where b.account_id = p_account_id
     -- as the index broker_orders_out_of_balance has it: history is not read
     and (b.shown_filled_qty <> b.fills_qty)::integer = 1
     and not b.is_open
     and (p_symbols is null or b.symbol = any (p_symbols));
end
$$;
revoke all on function orderlatch_data.live_orders(integer, text[]) from public;
comment on function orderlatch_data.live_orders(integer, text[]) is
  'The orders of an account, ours and foreign, that are open or whose fills are not all booked. p_symbols: '
  'as orders have them; null: all.';

-- What orders at the broker may still trade, beyond the fills that are booked.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.order_stakes(p_account_id integer, p_symbols text[])
returns setof orderlatch_data.risk_stake
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
  with families as (
    -- Orders of one side that hang together are alternatives: what is replaced and what replaces it, an exit
    -- and the exit that cancels it. The largest counts. A duplicate is an order of its own.
    select coalesce(
             case when b.relation <> 'duplicate' then b.decision_id::text end,
             b.parent_broker_order_id, b.broker_order_id
           ) as family,
           b.side, d.strategy_id, b.symbol, bool_or(b.is_open) as is_open,
           coalesce(max(l.qty) filter (where b.is_open), 0)
             + coalesce(sum(l.qty) filter (where not b.is_open), 0) as qty,
           coalesce(max(l.worth) filter (where b.is_open), 0)
             + coalesce(sum(l.worth) filter (where not b.is_open), 0) as worth
      from orderlatch_data.live_orders(p_account_id, p_symbols) as b
      left join lateral (
        -- by its key: for a join the planner may read all that there are
        select t as row, t.strategy_id from orderlatch_data.trade_decisions as t
         where t.decision_id = b.decision_id
        offset 0
      ) as d on true
     cross join lateral orderlatch_data.order_left(b, d.row) as l
     where b.symbol is not null and b.side is not null
     group by 1, b.side, d.strategy_id, b.symbol
  ), counted as (
    -- a bracket with both of its sides open is one order
    select f.*, row_number() over (partition by f.family order by f.is_open desc, f.side) as place
      from families as f
  ), sums as (
    select c.strategy_id, c.symbol, c.side, sum(c.qty) as qty, sum(c.worth) as worth,
           nullif(count(*) filter (where c.is_open and c.place = 1), 0)::integer as orders
      from counted as c
     group by c.strategy_id, c.symbol, c.side
  )
  select k.*
    from sums as s
   cross join lateral orderlatch_data.make_stake(
     s.strategy_id, s.symbol, s.side, p_orders => s.orders, p_qty => s.qty, p_worth => s.worth
   ) as k;
end
$$;
revoke all on function orderlatch_data.order_stakes(integer, text[]) from public;
comment on function orderlatch_data.order_stakes(integer, text[]) is
  'A stake for each strategy, symbol and side: an open order at what it may still fill, one that has ended '
  'at what was filled and is not booked yet, so that a trade moves into the position without being counted '
  'twice or not at all. p_symbols: as orders have them; null: all.';
