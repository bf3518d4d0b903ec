-- How often positions are not what all their fills add up to.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.holding_promises()
returns table (promise_no integer, violations bigint)
language sql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select 14, count(*)
    from (
      select r.symbol, sum(r.qty) as qty, sum(r.summed) as summed
        from (
          select f.account_id, f.symbol, f.qty, 0 as summed from orderlatch_data.fills as f
          union all
          select a.account_id, a.symbol, a.qty, 0 from orderlatch_data.position_adjustments as a
          union all
          select s.account_id, s.symbol, 0, s.qty from orderlatch_data.position_sums as s
        ) as r
       group by r.account_id, r.symbol
    ) as d
   where d.qty <> d.summed
  union all
  select 19, count(*)
    from (
      select b.account_id, d.strategy_id, orderlatch_data.position_symbol(b.symbol) as symbol,
             sum(case b.side when 'sell' then -b.fills_qty else b.fills_qty end) as qty
        from orderlatch_data.broker_orders as b
        join orderlatch_data.trade_decisions as d on d.decision_id = b.decision_id
       where b.fills_qty <> 0
       group by b.account_id, d.strategy_id, orderlatch_data.position_symbol(b.symbol)
    ) as f
    full join orderlatch_data.strategy_positions as p
      on p.account_id = f.account_id and p.strategy_id = f.strategy_id and p.symbol = f.symbol
   where coalesce(p.qty, 0) <> coalesce(f.qty, 0)
$$;
revoke all on function orderlatch_data.holding_promises() from public;
comment on function orderlatch_data.holding_promises() is
  'Promises 14 and 19 of the view invariants, without trust in any mark: reads every fill and every order.';

-- Notes what fills older than eight days add up to, so that invariants begins from there.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.mark_holdings()
returns void
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  -- reads reach back seven days at most (reconcile_overlap): hardly a fill before this is still to come
  v_through constant timestamptz := orderlatch_data.clock() - interval '8 days';
begin
  insert into orderlatch_data.holding_marks as m (account_id, symbol, strategy_id, through_at, qty)
  select k.account_id, k.symbol, k.strategy_id, v_through,
         w.qty - orderlatch_data.held_since(k.account_id, k.symbol, k.strategy_id, v_through)
    from (
      select p.account_id, p.symbol, '' as strategy_id, p.qty - coalesce(sum(a.qty), 0) as qty
        from orderlatch_data.position_sums as p
        left join orderlatch_data.position_adjustments as a
          on a.account_id = p.account_id and a.symbol = p.symbol
       group by p.account_id, p.symbol
      union all
      select p.account_id, p.symbol, p.strategy_id, p.qty from orderlatch_data.strategy_positions as p
    ) as k
    left join orderlatch_data.holding_marks as o
      on o.account_id = k.account_id and o.symbol = k.symbol and o.strategy_id = k.strategy_id
   cross join lateral orderlatch_data.held_since(
     k.account_id, k.symbol, k.strategy_id, coalesce(o.through_at, '-infinity')
   ) as s(since_mark)
   -- a fill that came after the mark and lies before it, as when reconcile_from was set earlier
   cross join lateral (
     select case
              when o.symbol is null or o.qty + s.since_mark = k.qty then coalesce(o.qty, 0) + s.since_mark
              else orderlatch_data.held_since(k.account_id, k.symbol, k.strategy_id, '-infinity')
            end as qty
   ) as w
   where coalesce(o.through_at, '-infinity') < v_through - interval '1 day'
   order by k.account_id, k.symbol, k.strategy_id
  on conflict on constraint holding_marks_pkey do update
    set through_at = excluded.through_at, qty = excluded.qty
    where m.through_at < excluded.through_at;
end
$$;
revoke all on function orderlatch_data.mark_holdings() from public;
comment on function orderlatch_data.mark_holdings() is
  'Once a day for each symbol, and each strategy in it. Reads the fills since the mark before, and all of a '
  'symbol where these do not fit.';
