-- What was approved lately: the orders and dollars of the day, and when the last order was.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.recent_stakes(
  p_account_id integer,
  p_symbols text[],
  p_since timestamptz,
  p_day_from timestamptz,
  p_with_worth boolean
)
returns setof orderlatch_data.risk_stake
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
  with recent as (
    select d.strategy_id, d.symbol, v.judged_at, v.judged_at >= p_day_from as of_day,
           case
             when not p_with_worth or v.judged_at < p_day_from then 0
             when o.decision_id is not null then (orderlatch_data.unsent_size(d)).worth
             -- most have ended, and their fills are all that is left of them
             when not b.is_open and b.shown_filled_qty = b.fills_qty and b.status <> 'replaced'
               and d.order_class <> 'oco'
               then b.fills_value
             else orderlatch_data.traded_worth(d)
           end as worth
      from orderlatch_data.risk_verdicts as v
      join orderlatch_data.trade_decisions as d on d.decision_id = v.decision_id
      left join orderlatch_data.open_decisions as o on o.decision_id = v.decision_id
      left join orderlatch_data.broker_orders as b
        on b.decision_id = v.decision_id and b.relation = 'order'
     where v.account_id = p_account_id
       and v.verdict = 'approved'
       and v.judged_at >= p_since
       and (p_symbols is null or d.symbol = any (p_symbols))
       -- those that ended without an order are given back
       and (o.decision_id is not null or b.decision_id is not null)
  ), sums as (
    select r.strategy_id, r.symbol, count(*) filter (where r.of_day)::integer as orders,
           sum(r.worth) as worth, max(r.judged_at) as last_order_at
      from recent as r
     group by r.strategy_id, r.symbol
  )
  select k.*
    from sums as s
   cross join lateral orderlatch_data.make_stake(
     s.strategy_id, s.symbol,
     p_day_orders => s.orders,
     p_day_worth => s.worth,
     p_last_order_at => s.last_order_at
   ) as k;
end
$$;
revoke all on function orderlatch_data.recent_stakes(integer, text[], timestamptz, timestamptz, boolean)
  from public;
comment on function orderlatch_data.recent_stakes(integer, text[], timestamptz, timestamptz, boolean) is
  'A stake for each strategy and symbol with decisions that were approved since p_since and are, or may '
  'become, orders. Orders count from p_day_from on, null: none, and so do dollars, p_with_worth, else 0. '
  'p_symbols: as orders have them; null: all.';

-- The worth of a decision whose order is known: what it traded, and what it may still trade.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.traded_worth(p_decision orderlatch_data.trade_decisions)
returns numeric
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    select sum(f.fills_value) + coalesce(max(l.worth) filter (where f.is_open), 0)
             + coalesce(sum(l.worth) filter (where not f.is_open), 0)
      from orderlatch_data.decision_orders(p_decision.decision_id) as f
     cross join lateral orderlatch_data.order_left(f, p_decision) as l
     where f.side = p_decision.action
  );
end
$$;
revoke all on function orderlatch_data.traded_worth(orderlatch_data.trade_decisions) from public;
comment on function orderlatch_data.traded_worth(orderlatch_data.trade_decisions) is
  'Dollars: the fills of its order and of what replaced it, at their prices, and what is left while it is '
  'open. Exits of a bracket or oto do not count. NaN when no price is known.';

-- When the calendar day of an account began.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.day_began_at(
  p_account orderlatch_data.accounts,
  p_now timestamptz
)
returns timestamptz
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return date_trunc('day', p_now, p_account.day_time_zone);
end
$$;
revoke all on function orderlatch_data.day_began_at(orderlatch_data.accounts, timestamptz) from public;
comment on function orderlatch_data.day_began_at(orderlatch_data.accounts, timestamptz) is
  'The newest midnight in the account''s day_time_zone.';
