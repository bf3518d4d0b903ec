-- Asks for an order to be canceled at the broker.
-- Locks: none; the caller holds its decision, if it has one. Raises: none.
create or replace function orderlatch_data.ask_cancel(
  p_order orderlatch_data.broker_orders,
  p_reason text,
  p_halt_id bigint,
  p_asked_by text default session_user
)
returns void
language sql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  insert into orderlatch_data.order_cancels as c
    (account_id, broker_order_id, asked_at, asked_by, reason, halt_id, next_try_at)
  select p_order.account_id, p_order.broker_order_id, orderlatch_data.clock(), p_asked_by, p_reason,
         p_halt_id, orderlatch_data.clock()
   where p_order.is_open
  on conflict on constraint order_cancels_pkey do update
    -- an order that had ended, as far as was known, and is shown open again
    set asked_at = excluded.asked_at, asked_by = excluded.asked_by, reason = excluded.reason,
        halt_id = excluded.halt_id, next_try_at = excluded.next_try_at, tries = 0, accepted_at = null,
        ended_at = null, outcome = null
    where c.ended_at is not null
$$;
revoke all on function orderlatch_data.ask_cancel(orderlatch_data.broker_orders, text, bigint, text)
  from public;
comment on function orderlatch_data.ask_cancel(orderlatch_data.broker_orders, text, bigint, text) is
  'Makes cancel_order due for an open order, unless somebody asked before. p_reason: why. p_halt_id: the '
  'halt that wants it, or null. p_asked_by: who does.';

-- Draws the consequence of a cancel's answer: nothing is believed canceled until the broker shows it so.
-- Locks: none; the caller holds the account for answering. Raises: none.
create or replace function orderlatch_data.apply_cancel(
  p_account orderlatch_data.accounts,
  p_request orderlatch_data.broker_requests,
  p_meaning text
)
returns text
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_now constant timestamptz := orderlatch_data.clock();
  v_cancel orderlatch_data.order_cancels;
begin
  update orderlatch_data.order_cancels as c
     set request_id = null,
         accepted_at = case
           when p_meaning = 'cancel_accepted' then coalesce(c.accepted_at, v_now)
           else c.accepted_at
         end,
         next_try_at = case
           -- accepted, or said to have ended: the order is looked at
           when p_meaning in ('cancel_accepted', 'not_cancelable', 'absent') then null
           else v_now + least(p_account.backoff_max, p_account.backoff_first * 2 ^ least(c.tries, 20))
         end
   where c.account_id = p_account.account_id
     and c.broker_order_id = p_request.broker_order_id
     and c.request_id = p_request.request_id
  returning c.* into v_cancel;
  if v_cancel.broker_order_id is null then
    return 'stale';
  end if;
  perform orderlatch_data.check_order(
    p_account.account_id, p_request.broker_order_id, 'to be canceled',
    case when p_meaning = 'cancel_accepted' then p_account.lookup_first_wait else '0' end
  );
  return p_meaning;
end
$$;
revoke all on function orderlatch_data.apply_cancel(
  orderlatch_data.accounts, orderlatch_data.broker_requests, text
) from public;
comment on function orderlatch_data.apply_cancel(
  orderlatch_data.accounts, orderlatch_data.broker_requests, text
) is
  'What cancel_order''s answer does: whatever it says, the order is read next, and only what the broker '
  'shows of it ends the wish. A failed cancel is asked again. Returns the meaning, or stale.';
