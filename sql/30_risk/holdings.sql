-- What an account holds, and what each strategy holds of it.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.held_stakes(p_account_id integer, p_symbols text[])
returns setof orderlatch_data.risk_stake
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_symbols text[];
begin
  if p_symbols is null then
    -- of the symbols that were ever traded most are held no more
    v_symbols := array(
      select p.symbol from orderlatch_data.position_sums as p where p.account_id = p_account_id and p.is_held
      union
      select s.symbol
        from orderlatch_data.strategy_positions as s
       where s.account_id = p_account_id and s.is_held
    );
  else
    v_symbols := array(
      select distinct orderlatch_data.position_symbol(y.symbol) from unnest(p_symbols) as y(symbol)
    );
  end if;
  return query
  with held as materialized (
    select y.symbol, p.qty
      from unnest(v_symbols) as y(symbol)
     cross join lateral (
       -- by its key, as for a join the planner may read every symbol that there ever was
       select k.qty
         from orderlatch_data.position_sums as k
        where k.account_id = p_account_id and k.symbol = y.symbol
       offset 0
     ) as p
  ), owned as materialized (
    select s.strategy_id, h.symbol, s.qty
      from held as h
     cross join lateral (
       select k.strategy_id, k.qty
         from orderlatch_data.strategy_positions as k
        where k.account_id = p_account_id and k.symbol = h.symbol
       offset 0
     ) as s
  ), parts as (
    select o.strategy_id, o.symbol, o.qty from owned as o
    union all
    -- the rest is nobody's: foreign orders, adjustments
    select null, h.symbol, h.qty - coalesce(o.qty, 0)
      from held as h
      left join (select w.symbol, sum(w.qty) as qty from owned as w group by w.symbol) as o
        on o.symbol = h.symbol
  )
  select k.*
    from parts as p
   cross join lateral orderlatch_data.make_stake(
     p.strategy_id, p.symbol, p_held => p.qty,
     p_price => orderlatch_data.last_price(p_account_id, p.symbol)
   ) as k
   where p.qty <> 0;
  return query select d.* from orderlatch_data.unexplained_stakes(p_account_id, p_symbols) as d;
end
$$;
revoke all on function orderlatch_data.held_stakes(integer, text[]) from public;
comment on function orderlatch_data.held_stakes(integer, text[]) is
  'A stake for each strategy and symbol that holds something, and one of no strategy for what is left of '
  'the position; together they are position_sums. unexplained_stakes are among them. p_symbols: as '
  'orders have them; null: all.';

-- What the broker holds more, or less, than is known here: as if it were about to be bought, or sold.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.unexplained_stakes(p_account_id integer, p_symbols text[])
returns setof orderlatch_data.risk_stake
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
  select k.*
    from orderlatch_data.position_differences as d
   cross join lateral (
     -- a trade that its order shows, and no list of fills yet, counts with its order
     select coalesce(sum(case b.side when 'sell' then -u.qty else u.qty end), 0) as qty
       from orderlatch_data.broker_orders as b
      cross join lateral orderlatch_data.unbooked_qty(b) as u(qty)
      where b.account_id = p_account_id
        and (b.shown_filled_qty <> b.fills_qty)::integer = 1
        and orderlatch_data.position_symbol(b.symbol) = d.symbol
   ) as e
   cross join lateral (
     select case
              when d.theirs > d.ours then greatest(d.theirs - d.ours - greatest(e.qty, 0), 0)
              else greatest(d.ours - d.theirs + least(e.qty, 0), 0)
            end as qty
   ) as g
   cross join lateral orderlatch_data.make_stake(
     null, d.symbol, case when d.theirs > d.ours then 'buy' else 'sell' end,
     p_qty => g.qty,
     p_worth => g.qty * orderlatch_data.last_price(p_account_id, d.symbol)
   ) as k
   where d.account_id = p_account_id
     -- once no fill that was on its way explains it
     and d.checks >= 2
     and g.qty > 0
     and (p_symbols is null or d.symbol in (
       select orderlatch_data.position_symbol(y.symbol) from unnest(p_symbols) as y(symbol)
     ));
end
$$;
revoke all on function orderlatch_data.unexplained_stakes(integer, text[]) from public;
comment on function orderlatch_data.unexplained_stakes(integer, text[]) is
  'A stake of no strategy for each of position_differences that was seen twice, on the side on which it '
  'makes the position larger, less what orders show as filled beyond their booked fills. p_symbols: as '
  'orders have them; null: all.';

-- Keeps what each strategy holds with every change of what an order has filled, or of whose order it is.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.keep_strategy_positions()
returns trigger
language plpgsql
volatile
parallel unsafe
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  insert into orderlatch_data.strategy_positions as s (account_id, strategy_id, symbol, qty)
  select new.account_id, d.strategy_id, orderlatch_data.position_symbol(c.symbol),
         sum(case c.side when 'sell' then -c.qty else c.qty end)
    from (
      values
        (old.decision_id, old.symbol, old.side, -old.fills_qty),
        (new.decision_id, new.symbol, new.side, new.fills_qty)
    ) as c(decision_id, symbol, side, qty)
    join orderlatch_data.trade_decisions as d on d.decision_id = c.decision_id
   where c.qty <> 0
   group by d.strategy_id, orderlatch_data.position_symbol(c.symbol)
  on conflict on constraint strategy_positions_pkey do update set qty = s.qty + excluded.qty;
  return null;
end
$$;
revoke all on function orderlatch_data.keep_strategy_positions() from public;
comment on function orderlatch_data.keep_strategy_positions() is
  'Trigger after updates of broker_orders: moves what changed in fills_qty, or in whose order it is and of '
  'what, into strategy_positions. It reads the row that the update has locked, so that nothing is counted '
  'twice or lost, whichever comes first: the fill, or the decision that the order belongs to.';

drop trigger if exists keep_strategy_positions on orderlatch_data.broker_orders;
create trigger keep_strategy_positions
  after update of fills_qty, decision_id, symbol, side on orderlatch_data.broker_orders
  for each row
  when (
    old.fills_qty <> new.fills_qty
    or (
      new.fills_qty <> 0
      and (
        old.decision_id is distinct from new.decision_id
        or old.symbol is distinct from new.symbol
        or old.side is distinct from new.side
      )
    )
  )
  execute function orderlatch_data.keep_strategy_positions();
comment on trigger keep_strategy_positions on orderlatch_data.broker_orders is
  'Keeps what each strategy holds.';
