-- Has one order canceled at the broker, whoever placed it, signed by the caller.
-- Locks: decision. Raises: OL102, OL131, OL132, OL202, OL301.
create or replace function orderlatch.cancel_order(p_account text, p_broker_order_id text, p_reason text)
returns table (state text, order_status text)
language plpgsql
volatile
parallel unsafe
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_account constant orderlatch_data.accounts := orderlatch_data.find_account(p_account);
  v_order orderlatch_data.broker_orders;
begin
  perform orderlatch_data.require_read_committed();
  perform orderlatch_data.require_text('p_reason', p_reason, 500);
  perform orderlatch_data.require_right('canceling an order of this account', v_account.account_id, null);
  perform orderlatch_data.make_durable();
  perform orderlatch_data.lock_decisions(array(
    select orderlatch_data.decision_lock_key(t.decision_hash)
      from orderlatch_data.broker_orders as b
      join orderlatch_data.trade_decisions as t on t.decision_id = b.decision_id
     where b.account_id = v_account.account_id and b.broker_order_id = p_broker_order_id
  ));
  select b.* into v_order
    from orderlatch_data.broker_orders as b
   where b.account_id = v_account.account_id and b.broker_order_id = p_broker_order_id;
  if v_order.order_no is null then
    raise exception using
      errcode = 'OL131',
      message = format(
        'argument_invalid: account %L has no order with the broker''s id %L', p_account,
        left(p_broker_order_id, 64)
      ),
      hint = 'See executions and foreign_orders; reconcile_account reads those that are not known yet.';
  end if;
  perform orderlatch_data.ask_cancel(v_order, p_reason, null);
  perform pg_notify('orderlatch', p_account);
  return query
  select case when v_order.is_open then 'to be canceled' else 'has ended' end, v_order.status;
end
$$;
revoke all on function orderlatch.cancel_order(text, text, text) from public;
grant execute on function orderlatch.cancel_order(text, text, text) to orderlatch_operator;
comment on function orderlatch.cancel_order(text, text, text) is
  'Asks the broker to cancel an order that is known here, of a decision or foreign. p_broker_order_id: the '
  'broker''s id. p_reason: why, 1 to 500 characters. Returns a state (to be canceled; has ended: there is '
  'nothing to cancel) and the order''s status; the view cancels shows how far it has come. Raises OL102 '
  'account_unknown, OL131 argument_invalid when no such order is known, OL132 isolation_unsupported, OL202 '
  'decision_busy, OL301 login_not_bound.';
