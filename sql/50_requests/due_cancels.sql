-- Open orders of decisions that must be canceled, and that nobody has asked to cancel yet.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.cancels_to_ask(p_account_id integer)
returns table (order_no bigint, lock_key integer, asked_by text, reason text, halt_id bigint)
language sql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select b.order_no, orderlatch_data.decision_lock_key(t.decision_hash), h.halted_by, h.reason, h.halt_id
    from orderlatch_data.halts as h
    join orderlatch_data.broker_orders as b on b.account_id = p_account_id and b.is_open
    join orderlatch_data.trade_decisions as t on t.decision_id = b.decision_id
   where h.lifted_at is null
     and h.cancel_open
     and (h.account_id is null or h.account_id = p_account_id)
     and (h.strategy_id is null or h.strategy_id = t.strategy_id)
     and (h.symbol is null or orderlatch_data.is_same_symbol(h.symbol, t.symbol))
     and not orderlatch_data.is_being_canceled(b)
$$;
revoke all on function orderlatch_data.cancels_to_ask(integer) from public;
comment on function orderlatch_data.cancels_to_ask(integer) is
  'Open orders in the scope of a standing halt that cancels, whenever they turn up. With who wanted that, '
  'and why. Foreign orders are left alone.';

-- Whether an order is to be canceled already.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.is_being_canceled(p_order orderlatch_data.broker_orders)
returns boolean
language sql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select exists (
    select 1
      from orderlatch_data.order_cancels as c
     where c.account_id = p_order.account_id
       and c.broker_order_id = p_order.broker_order_id
       and c.ended_at is null
  )
$$;
revoke all on function orderlatch_data.is_being_canceled(orderlatch_data.broker_orders) from public;
comment on function orderlatch_data.is_being_canceled(orderlatch_data.broker_orders) is
  'Whether somebody asked for it, and the order has not ended since.';

-- Asks for the cancels that halts make necessary.
-- Locks: decisions (try); the caller holds the account for granting. Raises: none.
create or replace function orderlatch_data.ask_due_cancels(p_account_id integer)
returns void
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_wanted record;
begin
  -- a loop, because each decision is a lock of its own; those that are held now are for the next visit
  for v_wanted in
    select c.order_no, c.lock_key, c.asked_by, c.reason, c.halt_id
      from orderlatch_data.cancels_to_ask(p_account_id) as c
     order by c.order_no, c.halt_id
     limit 100
  loop
    continue when not orderlatch_data.try_lock_decision(v_wanted.lock_key);
    perform orderlatch_data.ask_cancel(b, v_wanted.reason, v_wanted.halt_id, v_wanted.asked_by)
       from orderlatch_data.broker_orders as b
      where b.order_no = v_wanted.order_no;
  end loop;
end
$$;
revoke all on function orderlatch_data.ask_due_cancels(integer) from public;
comment on function orderlatch_data.ask_due_cancels(integer) is
  'ask_cancel for cancels_to_ask, at most 100 in one call.';
