-- What the orders of decisions came to, as far as they can change no more.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.ended_orders(p_decision_ids bigint[])
returns table (decision_id bigint, symbol text, strategy_id text, has_ended boolean, worth numeric)
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
  select d.decision_id, orderlatch_data.position_symbol(d.symbol), d.strategy_id,
         not (d.is_open or coalesce(b.may_change, false)),
         case when d.order_class <> 'oco' and b.stands then b.own_worth else b.worth end
    from unnest(p_decision_ids) as i(decision_id)
   cross join lateral (
     -- by their keys: for a join the planner may read all that there are
     select t.decision_id, t.symbol, t.strategy_id, t.action, t.order_class,
            exists (
              select 1 from orderlatch_data.open_decisions as o where o.decision_id = t.decision_id
            ) as is_open
       from orderlatch_data.trade_decisions as t
      where t.decision_id = i.decision_id
     offset 0
   ) as d
   cross join lateral (
     select bool_or(k.is_open or k.shown_filled_qty <> k.fills_qty) as may_change,
            bool_or(k.status <> 'replaced') filter (where k.relation = 'order') as stands,
            sum(k.fills_value) filter (where k.relation = 'order') as own_worth,
            case when bool_or(k.relation = 'order')
              then coalesce(sum(k.fills_value) filter (where k.side = d.action), 0)
            end as worth
       from orderlatch_data.broker_orders as k
      where k.decision_id = d.decision_id and k.relation <> 'duplicate'
   ) as b;
end
$$;
revoke all on function orderlatch_data.ended_orders(bigint[]) from public;
comment on function orderlatch_data.ended_orders(bigint[]) is
  'A row for each decision. has_ended: it is not open, and none of its orders is, or lacks a fill that it '
  'shows. worth: then what recent_stakes counts of it, in dollars; null: it came to no order.';

-- Has the day of an account counted anew when an order changes that had ended.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.recount_day()
returns trigger
language plpgsql
volatile
parallel unsafe
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  -- what is open is in no sum
  if not exists (
    select 1 from orderlatch_data.open_decisions as o where o.decision_id = new.decision_id
  ) then
    insert into orderlatch_data.day_recounts (account_id) values (new.account_id);
  end if;
  return null;
end
$$;
revoke all on function orderlatch_data.recount_day() from public;
comment on function orderlatch_data.recount_day() is
  'Trigger after updates of broker_orders: a row of day_recounts, which ends the validity of the mark, also '
  'of one that a verdict is writing at this moment.';

drop trigger if exists recount_day on orderlatch_data.broker_orders;
create trigger recount_day
  after update of
    decision_id, relation, side, status, is_open, shown_filled_qty, fills_qty, fills_value
  on orderlatch_data.broker_orders
  for each row
  when (
    new.decision_id is distinct from old.decision_id
    or (
      old.decision_id is not null
      and not old.is_open
      and old.shown_filled_qty = old.fills_qty
      and (
        new.relation <> old.relation
        or new.side is distinct from old.side
        or new.status <> old.status
        or new.is_open
        or new.shown_filled_qty <> old.shown_filled_qty
        or new.fills_qty <> old.fills_qty
        or new.fills_value <> old.fills_value
      )
    )
  )
  execute function orderlatch_data.recount_day();
comment on trigger recount_day on orderlatch_data.broker_orders is
  'A bust, a late fill, an order that was given to a decision: sums of the day may have it otherwise.';
