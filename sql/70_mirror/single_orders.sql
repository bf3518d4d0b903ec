-- Draws the consequence of an order that was read by its id.
-- Locks: none; the caller holds the account for answering and the decision concerned. Raises: none.
create or replace function orderlatch_data.apply_check(
  p_account orderlatch_data.accounts,
  p_request orderlatch_data.broker_requests,
  p_meaning text,
  p_document jsonb
)
returns text
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_check orderlatch_data.order_checks;
begin
  update orderlatch_data.order_checks as c
     set request_id = null
   where c.account_id = p_account.account_id
     and c.broker_order_id = p_request.broker_order_id
     and c.request_id = p_request.request_id
  returning c.* into v_check;
  if orderlatch_data.is_order(p_document) and p_document ->> 'id' = p_request.broker_order_id then
    -- a fact is welcome however late; it also removes the check
    perform orderlatch_data.take_orders(
      p_account.account_id, jsonb_build_array(p_document), p_request.request_id, p_meaning = 'order_shown'
    );
  end if;
  if v_check.broker_order_id is null then
    return 'stale';
  end if;
  case p_meaning
    when 'order_shown' then
      delete from orderlatch_data.order_checks as c
       where c.account_id = p_account.account_id and c.broker_order_id = p_request.broker_order_id;
      perform orderlatch_data.watch_cancel(p_account, p_request.broker_order_id);
    when 'absent' then
      delete from orderlatch_data.order_checks as c
       where c.account_id = p_account.account_id and c.broker_order_id = p_request.broker_order_id;
      perform orderlatch_data.lose_sight(p_account, p_request);
    else
      update orderlatch_data.order_checks as c
         set next_try_at = orderlatch_data.clock()
               + least(p_account.backoff_max, p_account.backoff_first * 2 ^ least(v_check.tries, 20))
       where c.account_id = p_account.account_id and c.broker_order_id = p_request.broker_order_id;
  end case;
  return p_meaning;
end
$$;
revoke all on function orderlatch_data.apply_check(
  orderlatch_data.accounts, orderlatch_data.broker_requests, text, jsonb
) from public;
comment on function orderlatch_data.apply_check(
  orderlatch_data.accounts, orderlatch_data.broker_requests, text, jsonb
) is
  'What get_order''s answer does: the order is recorded; the broker''s word that it has no such order is '
  'an incident when we know it; anything else proves nothing and is asked again. Returns the meaning, or '
  'stale.';

-- Notes that the broker has no order any more that it had shown before.
-- Locks: none; the caller holds the account for answering. Raises: none.
create or replace function orderlatch_data.lose_sight(
  p_account orderlatch_data.accounts,
  p_request orderlatch_data.broker_requests
)
returns void
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_order orderlatch_data.broker_orders;
begin
  update orderlatch_data.broker_orders as b
     set status = 'vanished', is_open = false, status_at = null, changed_at = orderlatch_data.clock()
   where b.account_id = p_account.account_id and b.broker_order_id = p_request.broker_order_id and b.is_open
  returning b.* into v_order;
  if v_order.order_no is not null then
    perform orderlatch_data.open_incident(
      'order_vanished', p_account.account_id, v_order.decision_id, p_request.request_id,
      jsonb_build_object('broker_order_id', v_order.broker_order_id, 'symbol', v_order.symbol),
      v_order.broker_order_id
    );
    perform orderlatch_data.end_cancels(p_account.account_id, array[v_order.broker_order_id]);
  end if;
end
$$;
revoke all on function orderlatch_data.lose_sight(orderlatch_data.accounts, orderlatch_data.broker_requests)
  from public;
comment on function orderlatch_data.lose_sight(orderlatch_data.accounts, orderlatch_data.broker_requests) is
  'Marks an open order as vanished and opens order_vanished: the broker showed it and now says that it has '
  'no such order, as after a paper account was reset. Any later view of it counts again.';
