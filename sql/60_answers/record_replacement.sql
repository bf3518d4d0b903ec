-- Records an order that carries a decision's id but replaces another: part of its chain.
-- Locks: none; the caller holds the decision. Raises: none.
create or replace function orderlatch_data.record_replacement(
  p_decision orderlatch_data.trade_decisions,
  p_first_is_known boolean,
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
  perform orderlatch_data.insert_orders(
    p_decision.account_id, jsonb_build_array(p_order - 'legs'), null, p_request_id
  );
  perform orderlatch_data.merge_orders(p_decision.account_id, jsonb_build_array(p_order - 'legs'));
  perform orderlatch_data.link_orders(
    p_decision.account_id,
    array(
      select b.broker_order_id
        from orderlatch_data.broker_orders as b
       where b.decision_id = p_decision.decision_id
    )
  );
  if not exists (
    select 1
      from orderlatch_data.broker_orders as b
     where b.account_id = p_decision.account_id
       and b.broker_order_id = p_order ->> 'id'
       and b.decision_id = p_decision.decision_id
  ) then
    perform orderlatch_data.check_order(
      p_decision.account_id, left(p_order ->> 'replaces', 128), 'replaced by a known order'
    );
  end if;
  return case when p_first_is_known then 'order_exists' else 'replacement_seen' end;
end
$$;
revoke all on function orderlatch_data.record_replacement(
  orderlatch_data.trade_decisions, boolean, jsonb, uuid
) from public;
comment on function orderlatch_data.record_replacement(
  orderlatch_data.trade_decisions, boolean, jsonb, uuid
) is
  'Keeps an order that replaces another and carries the id of a decision on. p_first_is_known: whether the '
  'order that the decision asked for is known. Returns order_exists, or replacement_seen when it is not: '
  'then the order that was replaced is read, and the decision stays as it is until that one is shown.';

-- Has an order read by its id, soon, unless that is to be done already.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.check_order(
  p_account_id integer,
  p_broker_order_id text,
  p_reason text,
  p_wait interval default '0'
)
returns void
language sql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  insert into orderlatch_data.order_checks as c (account_id, broker_order_id, reason, next_try_at)
  select p_account_id, p_broker_order_id, p_reason, orderlatch_data.clock() + p_wait
   where p_broker_order_id ~ '^[A-Za-z0-9_-]{1,128}$'
  on conflict on constraint order_checks_pkey do nothing
$$;
revoke all on function orderlatch_data.check_order(integer, text, text, interval) from public;
comment on function orderlatch_data.check_order(integer, text, text, interval) is
  'Makes get_order due for an order of the broker. p_reason: why, for people. p_wait: not before; a list '
  'may show it first. An id that no path could hold is left alone.';
