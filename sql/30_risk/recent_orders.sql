-- What limits of a day and cool-downs look at.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.day_stakes(
  p_account orderlatch_data.accounts,
  p_symbols text[],
  p_now timestamptz,
  p_cool_down numeric,
  p_of_day boolean,
  p_with_worth boolean
)
returns orderlatch_data.risk_stake[]
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_account_id constant integer := p_account.account_id;
  v_day_from constant timestamptz := case
    when p_of_day then orderlatch_data.day_began_at(p_account, p_now)
  end;
  v_mark constant record := orderlatch_data.valid_day_mark(v_account_id, v_day_from, p_now);
  v_recent constant orderlatch_data.risk_stake[] := array(
    select s
      from orderlatch_data.recent_stakes(
             v_account_id, p_symbols, p_now - make_interval(secs => p_cool_down::double precision),
             coalesce(v_mark.up_to, v_day_from), v_mark.apart, p_with_worth
           ) as s
  );
begin
  if v_mark.up_to is null then
    return v_recent;
  end if;
  return v_recent
    || array(select s from orderlatch_data.marked_stakes(v_account_id, p_symbols, p_with_worth) as s);
end
$$;
revoke all on function orderlatch_data.day_stakes(
  orderlatch_data.accounts, text[], timestamptz, numeric, boolean, boolean
) from public;
comment on function orderlatch_data.day_stakes(
  orderlatch_data.accounts, text[], timestamptz, numeric, boolean, boolean
) is
  'Stakes of what was approved in the day, p_of_day, with dollars, p_with_worth, and of when the last order '
  'was, as far back as p_cool_down seconds, null: not at all. p_symbols: as orders and as positions have '
  'them; null: all.';

-- What was approved lately: the orders and dollars of the day, and when the last order was.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.recent_stakes(
  p_account_id integer,
  p_symbols text[],
  p_cools_from timestamptz,
  p_from timestamptz,
  p_apart bigint[],
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
    select d.strategy_id, d.symbol, v.judged_at, v.of_day,
           case
             when not p_with_worth or not v.of_day then 0
             when o.decision_id is not null then (orderlatch_data.unsent_size(d.row)).worth
             -- most have ended, and their fills are all that is left of them
             when not b.is_open and b.shown_filled_qty = b.fills_qty and b.status <> 'replaced'
               and d.order_class <> 'oco'
               then b.fills_value
             else orderlatch_data.traded_worth(d.row)
           end as worth
      from orderlatch_data.recent_approvals(p_account_id, p_cools_from, p_from, p_apart) as v
     -- by their keys: for a join the planner may read all that there are
     cross join lateral (
       select t as row, t.strategy_id, t.symbol, t.order_class
         from orderlatch_data.trade_decisions as t
        where t.decision_id = v.decision_id and (p_symbols is null or t.symbol = any (p_symbols))
       offset 0
     ) as d
      left join lateral (
        select w.decision_id from orderlatch_data.open_decisions as w where w.decision_id = v.decision_id
        offset 0
      ) as o on true
      left join lateral (
        select k.decision_id, k.is_open, k.shown_filled_qty, k.fills_qty, k.fills_value, k.status
          from orderlatch_data.broker_orders as k
         where k.decision_id = v.decision_id and k.relation = 'order'
        offset 0
      ) as b on true
     -- those that ended without an order are given back
     where o.decision_id is not null or b.decision_id is not null
  ), sums as (
    select r.strategy_id, r.symbol, count(*) filter (where r.of_day)::integer as orders,
           sum(r.worth) as worth, max(r.judged_at) filter (where r.judged_at >= p_cools_from) as last_order_at
      from recent as r
     group by r.strategy_id, r.symbol
  )
  select k.*
    from sums as s
   cross join lateral orderlatch_data.make_stake(
     s.strategy_id, s.symbol, p_day_orders => s.orders, p_day_worth => s.worth,
     p_last_order_at => s.last_order_at
   ) as k;
end
$$;
revoke all on function orderlatch_data.recent_stakes(
  integer, text[], timestamptz, timestamptz, bigint[], boolean
) from public;
comment on function orderlatch_data.recent_stakes(
  integer, text[], timestamptz, timestamptz, bigint[], boolean
) is
  'A stake for each strategy and symbol with decisions that were approved lately and are, or may become, '
  'orders. Orders count when they were approved since p_from, null: none, or are p_apart, and so do dollars, '
  'p_with_worth, else 0. p_cools_from: since when the last order is told, null: it is not. p_symbols: as '
  'orders have them; null: all.';

-- Approvals that are not added up.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.recent_approvals(
  p_account_id integer,
  p_cools_from timestamptz,
  p_from timestamptz,
  p_apart bigint[]
)
returns table (decision_id bigint, judged_at timestamptz, of_day boolean)
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
  select v.decision_id, v.judged_at, coalesce(v.judged_at >= p_from, false)
    from orderlatch_data.risk_verdicts as v
   where v.account_id = p_account_id
     and v.verdict = 'approved'
     and v.judged_at >= least(p_from, p_cools_from)
     and (v.decision_id = any (p_apart)) is not true;
  if p_apart <> '{}' then
    return query
    select v.decision_id, v.judged_at, true
      from unnest(p_apart) as a(decision_id)
     cross join lateral (
       select k.decision_id, k.judged_at
         from orderlatch_data.risk_verdicts as k
        where k.decision_id = a.decision_id and k.verdict = 'approved'
       offset 0
     ) as v;
  end if;
end
$$;
revoke all on function orderlatch_data.recent_approvals(integer, timestamptz, timestamptz, bigint[])
  from public;
comment on function orderlatch_data.recent_approvals(integer, timestamptz, timestamptz, bigint[]) is
  'Those since p_from or p_cools_from, whichever is earlier, and p_apart, whenever they were given. of_day: '
  'whether it is to be counted: given since p_from, or one of p_apart. p_from: null: none is.';

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
