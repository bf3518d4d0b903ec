-- What each limit that adds up counts, in the unit of its kind.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.limit_values(
  p_limits orderlatch_data.risk_limits[],
  p_stakes orderlatch_data.risk_stake[],
  p_action text
)
returns table (limit_id integer, value numeric, reach numeric)
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  return query
  with symbols as (
    select l.limit_id, l.limit_kind, c.symbol, sum(c.orders) as orders, sum(c.day_orders) as day_orders,
           sum(c.day_worth) as day_worth, max(c.last_order_at) as last_order_at,
           coalesce(sum(c.held), 0) as held, coalesce(max(c.price), 'NaN') as price,
           coalesce(sum(c.buy_qty), 0) as buy_qty, coalesce(sum(c.buy_worth), 0) as buy_worth,
           coalesce(sum(c.sell_qty), 0) as sell_qty, coalesce(sum(c.sell_worth), 0) as sell_worth
      from unnest(p_limits) as l
      join orderlatch_data.risk_limit_kinds as k
        on k.limit_kind = l.limit_kind and k.looks_at in ('orders', 'positions', 'day')
      join unnest(p_stakes) as c
        on (l.strategy_id is null or not k.by_strategy or c.strategy_id = l.strategy_id)
       and (l.symbol is null or c.symbol = orderlatch_data.position_symbol(l.symbol))
     group by l.limit_id, l.limit_kind, c.symbol
  )
  select s.limit_id,
         case s.limit_kind
           -- stakes without an order are none, not unknown: a total that they are added to stays what it is
           when 'open_orders' then coalesce(sum(s.orders), 0)
           when 'orders_a_day' then coalesce(sum(s.day_orders), 0)
           when 'notional_a_day' then coalesce(sum(s.day_worth), 0)
           when 'cool_down' then extract(epoch from max(s.last_order_at))
           when 'position_quantity' then sum(w.reach)
           when 'short_selling' then sum(w.reach)
           when 'position_notional' then sum(case p_action when 'buy' then w.long else w.short end)
           when 'gross_exposure' then sum(greatest(w.long, w.short))
         end,
         sum(w.reach)
    from symbols as s
   -- Worth of the position when every buy fills, and when every sale does. What closes a position is worth
   -- nothing more; only what goes beyond it opens one the other way.
   cross join lateral (
     select case p_action when 'buy' then s.held + s.buy_qty else s.sell_qty - s.held end as reach,
            case
              when s.held > 0 then s.held * s.price + s.buy_worth
              when s.buy_qty + s.held <= 0 then 0
              else s.buy_worth * (s.buy_qty + s.held) / s.buy_qty
            end as long,
            case
              when s.held < 0 then -s.held * s.price + s.sell_worth
              when s.sell_qty - s.held <= 0 then 0
              else s.sell_worth * (s.sell_qty - s.held) / s.sell_qty
            end as short
   ) as w
   group by s.limit_id, s.limit_kind;
end
$$;
revoke all on function orderlatch_data.limit_values(
  orderlatch_data.risk_limits[], orderlatch_data.risk_stake[], text
) from public;
comment on function orderlatch_data.limit_values(
  orderlatch_data.risk_limits[], orderlatch_data.risk_stake[], text
) is
  'A row for each limit that finds something to count in the stakes: orders, dollars, shares; of a position '
  'on the side that p_action moves it to; of cool_down the second, since 1970, of the last order. reach: '
  'shares that can be held on that side. What has no price is NaN.';

-- What each limit counts over all symbols, in the order of the limits.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.limit_totals(
  p_limits orderlatch_data.risk_limits[],
  p_stakes orderlatch_data.risk_stake[]
)
returns numeric[]
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return array(
    select v.value
      from unnest(p_limits) with ordinality as l
      left join orderlatch_data.limit_values(p_limits, p_stakes, 'buy') as v on v.limit_id = l.limit_id
     order by l.ordinality
  );
end
$$;
revoke all on function orderlatch_data.limit_totals(
  orderlatch_data.risk_limits[], orderlatch_data.risk_stake[]
) from public;
comment on function orderlatch_data.limit_totals(
  orderlatch_data.risk_limits[], orderlatch_data.risk_stake[]
) is
  'limit_values as an array that fits p_limits. Only those of kinds that add up all symbols are used; the '
  'others look at one symbol at a time.';

-- What each limit counts for a decision: without it, and with it.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.sum_limits(
  p_decision orderlatch_data.trade_decisions,
  p_limits orderlatch_data.risk_limits[],
  p_own orderlatch_data.risk_stake[],
  p_totals numeric[],
  p_now timestamptz
)
returns table (place bigint, without_it numeric, with_it numeric, grows boolean, total numeric)
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
  select l.ordinality,
         case
           when k.looks_at in ('decision', 'opposite') then null
           when l.limit_kind = 'cool_down' then extract(epoch from p_now) - p_totals[l.ordinality]
           when k.across_symbols then coalesce(p_totals[l.ordinality], 0)
           else coalesce(b.value, 0)
         end,
         case
           when l.limit_kind = 'cool_down' then null
           when k.across_symbols then coalesce(p_totals[l.ordinality], 0) - coalesce(b.value, 0) + a.value
           else a.value
         end,
         case l.limit_kind
           when 'short_selling' then p_decision.action = 'sell'
           -- what closes a position needs no price
           when 'gross_exposure' then a.reach > 0 and (a.value = 'NaN' or a.value > coalesce(b.value, 0))
           else true
         end,
         case
           when a.limit_id is null then p_totals[l.ordinality]
           when l.limit_kind = 'cool_down' then greatest(p_totals[l.ordinality], a.value)
           else coalesce(p_totals[l.ordinality], 0) - coalesce(b.value, 0) + a.value
         end
    from unnest(p_limits) with ordinality as l
    join orderlatch_data.risk_limit_kinds as k on k.limit_kind = l.limit_kind
    left join orderlatch_data.limit_values(
           p_limits, p_own || orderlatch_data.decision_stake(p_decision, p_now, false), p_decision.action
         ) as a on a.limit_id = l.limit_id
    left join orderlatch_data.limit_values(p_limits, p_own, p_decision.action) as b
      on b.limit_id = l.limit_id;
end
$$;
revoke all on function orderlatch_data.sum_limits(
  orderlatch_data.trade_decisions, orderlatch_data.risk_limits[], orderlatch_data.risk_stake[], numeric[],
  timestamptz
) from public;
comment on function orderlatch_data.sum_limits(
  orderlatch_data.trade_decisions, orderlatch_data.risk_limits[], orderlatch_data.risk_stake[], numeric[],
  timestamptz
) is
  'A row for each of p_limits (place). p_own: the stakes in the symbol of the decision. p_totals: '
  'limit_totals, with what was approved since. without_it, with_it: in the unit of its kind, of cool_down '
  'the seconds since the last order. grows: whether the decision can break the limit at all. total: what '
  'the total becomes when the decision is approved.';
