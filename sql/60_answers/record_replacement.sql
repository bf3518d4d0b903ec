-- Records an order that carries a decision's id but replaces another: part of its chain.
-- Locks: none; the caller holds the decision. Raises: none.
create or replace function orderlatch_data.record_replacement(
  p_decision orderlatch_data.trade_decisions,
  p_known orderlatch_data.broker_orders,
  p_order jsonb,
  p_request_id uuid
)
returns text
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_shown constant orderlatch_data.shown_order[] := array(
    select row(d.*)::orderlatch_data.shown_order
      from orderlatch_data.read_orders(jsonb_build_array(p_order - 'legs')) as d
  );
begin
  perform orderlatch_data.merge_orders(p_decision.account_id, v_shown);
  perform orderlatch_data.insert_orders(p_decision.account_id, v_shown, p_request_id);
  perform orderlatch_data.link_orders(
    p_decision.account_id,
    array(
      select b.broker_order_id
        from orderlatch_data.broker_orders as b
       where b.decision_id = p_decision.decision_id
    )
  );
  if exists (
    select 1
      from orderlatch_data.broker_orders as b
     where b.account_id = p_decision.account_id
       and b.broker_order_id = p_order ->> 'id'
       and b.decision_id = p_decision.decision_id
  ) then
    return 'order_exists';
  end if;
  if p_known.order_no is not null
    and orderlatch_data.chain_begins(p_decision.account_id, p_order ->> 'id')
  then
    return orderlatch_data.record_duplicate(p_decision, p_known, p_order, p_request_id);
  end if;
  perform orderlatch_data.check_order(
    p_decision.account_id, left(p_order ->> 'replaces', 128), 'replaced by a known order'
  );
  if p_known.order_no is not null then
    return 'order_exists';
  end if;
  -- the id is taken: that its order is absent is not to be believed any more
  update orderlatch_data.doubts as d
     set duplicate = true, first_absent_at = null, second_absent_at = null, read_id = null
   where d.decision_id = p_decision.decision_id;
  return 'replacement_seen';
end
$$;
revoke all on function orderlatch_data.record_replacement(
  orderlatch_data.trade_decisions, orderlatch_data.broker_orders, jsonb, uuid
) from public;
comment on function orderlatch_data.record_replacement(
  orderlatch_data.trade_decisions, orderlatch_data.broker_orders, jsonb, uuid
) is
  'Keeps an order that replaces another and carries the id of a decision on. p_known: the order that the '
  'decision asked for, null members when it is not known: then the order that was replaced is read, the '
  'decision stays as it is until that one is shown, and its absence is not believed. Returns order_exists, '
  'or replacement_seen. One that replaces an order of somebody else is a duplicate.';

-- Records a second order of a decision, which must not be.
-- Locks: none; the caller holds the decision. Raises: none.
create or replace function orderlatch_data.record_duplicate(
  p_decision orderlatch_data.trade_decisions,
  p_known orderlatch_data.broker_orders,
  p_order jsonb,
  p_request_id uuid
)
returns text
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  perform orderlatch_data.save_order(
    p_decision.account_id, p_decision.decision_id, 'duplicate', p_order, p_request_id
  );
  perform orderlatch_data.report_order(
    'duplicate_order', p_decision, p_request_id,
    jsonb_build_object('known', p_known.broker_order_id, 'also', p_order ->> 'id')
  );
  return 'order_exists';
end
$$;
revoke all on function orderlatch_data.record_duplicate(
  orderlatch_data.trade_decisions, orderlatch_data.broker_orders, jsonb, uuid
) from public;
comment on function orderlatch_data.record_duplicate(
  orderlatch_data.trade_decisions, orderlatch_data.broker_orders, jsonb, uuid
) is
  'Keeps the order as a duplicate of the known one, opens duplicate_order and halts the account. Returns '
  'order_exists.';

-- The orders that an order replaces, as far as they are known, itself among them.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.orders_before(p_account_id integer, p_broker_order_id text)
returns setof orderlatch_data.broker_orders
language sql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  with recursive chain as (
    select b.order_no, b.parent_broker_order_id
      from orderlatch_data.broker_orders as b
     where b.account_id = p_account_id and b.broker_order_id = p_broker_order_id
    union
    select b.order_no, b.parent_broker_order_id
      from chain as c
     cross join lateral (
       select k.order_no, k.parent_broker_order_id
         from orderlatch_data.broker_orders as k
        where k.account_id = p_account_id and k.broker_order_id = c.parent_broker_order_id
       offset 0
     ) as b
  )
  select b.* from chain as c join orderlatch_data.broker_orders as b on b.order_no = c.order_no
$$;
revoke all on function orderlatch_data.orders_before(integer, text) from public;
comment on function orderlatch_data.orders_before(integer, text) is
  'Follows parent_broker_order_id from an order of the broker to the first that is known.';

-- Whether the first order of a chain was shown, so that nothing before it is to come.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.chain_begins(p_account_id integer, p_broker_order_id text)
returns boolean
language sql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select exists (
    select 1
      from orderlatch_data.orders_before(p_account_id, p_broker_order_id) as b
     where b.parent_broker_order_id is null and b.status <> 'unknown'
  )
$$;
revoke all on function orderlatch_data.chain_begins(integer, text) from public;
comment on function orderlatch_data.chain_begins(integer, text) is
  'Whether an order that replaces none, and that a view has shown, is at the beginning of the chain.';
