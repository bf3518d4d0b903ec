-- Moves a decision whose order exists to submitted, from any status; despite a verdict it is an incident.
-- Locks: none; the caller holds the decision. Raises: none.
create or replace function orderlatch_data.settle_submitted(
  p_decision orderlatch_data.trade_decisions,
  p_broker_order_id text,
  p_request_id uuid,
  p_evidence jsonb
)
returns void
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_outcome orderlatch_data.decision_outcomes;
  v_open orderlatch_data.open_decisions;
begin
  select s.* into v_outcome
    from orderlatch_data.decision_outcomes as s
   where s.decision_id = p_decision.decision_id;
  if v_outcome.status = 'submitted' then
    return;
  end if;
  if v_outcome.status is not null then
    -- settled otherwise: opened again as what it settled to, so that the move has a trace
    insert into orderlatch_data.open_decisions
      (decision_id, account_id, symbol, strategy_id, lock_key, status, lapse_at, next_try_at, clean,
       move_reason)
    values (
      p_decision.decision_id, p_decision.account_id, p_decision.symbol, p_decision.strategy_id,
      orderlatch_data.decision_lock_key(p_decision.decision_hash), v_outcome.status, v_outcome.settled_at,
      v_outcome.settled_at, v_outcome.clean, 'opened again'
    );
    -- sums of the day have it as one that came to no order
    insert into orderlatch_data.day_recounts (account_id) values (p_decision.account_id);
    perform orderlatch_data.report_order(
      'order_despite_verdict', p_decision, p_request_id,
      jsonb_build_object('status', v_outcome.status, 'broker_order_id', p_broker_order_id)
    );
  end if;
  select o.* into v_open
    from orderlatch_data.open_decisions as o
   where o.decision_id = p_decision.decision_id;
  perform orderlatch_data.move_decision(
    p_decision.decision_id, 'submitted',
    'the broker has order ' || p_broker_order_id
      || orderlatch_data.found_how(p_request_id, v_open.holder_request_id),
    p_request_id, p_evidence
  );
  if v_open.wish_cancels or v_outcome.status in ('withdrawn', 'refused') then
    perform orderlatch_data.ask_cancel(b, w.reason, null)
       from (
         select v_open.wish as reason where v_open.wish_cancels
         union all
         -- the wish of one that has ended stays with the event that ended it
         select coalesce(e.evidence ->> 'wish', e.reason)
           from orderlatch_data.decision_events as e
          where e.decision_id = p_decision.decision_id
            and e.event_id = v_outcome.event_id
            and e.evidence -> 'cancel' = 'true'
       ) as w
       join orderlatch_data.broker_orders as b
         on b.decision_id = p_decision.decision_id and b.relation in ('order', 'replacement');
  end if;
end
$$;
revoke all on function orderlatch_data.settle_submitted(orderlatch_data.trade_decisions, text, uuid, jsonb)
  from public;
comment on function orderlatch_data.settle_submitted(orderlatch_data.trade_decisions, text, uuid, jsonb) is
  'Moves a decision to submitted unless it is; its event says who found the order. One that was rejected, '
  'withdrawn, lapsed or refused also opens the incident order_despite_verdict and halts the account. An '
  'order that was wished away is to be canceled.';

-- Says which kind of request found an order, where it was not the submit itself.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.found_how(p_request_id uuid, p_holder_request_id uuid)
returns text
language sql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select case
    when p_request_id = p_holder_request_id then ''
    else coalesce(
      (
        select case q.kind
                 when 'find_order' then ', found by a lookup'
                 when 'get_order' then ', found by reading it'
                 when 'list_orders' then ', found by reconciliation'
               end
          from orderlatch_data.broker_requests as q
         where q.request_id = p_request_id
      ),
      ''
    )
  end
$$;
revoke all on function orderlatch_data.found_how(uuid, uuid) from public;
comment on function orderlatch_data.found_how(uuid, uuid) is
  'Words for the event of a decision whose order was found: by a lookup, by reading it or by '
  'reconciliation; empty when a submit was answered, or when there is no request behind it.';

-- Holds a decision whose id is on an order with other terms.
-- Locks: none; the caller holds the decision. Raises: none.
create or replace function orderlatch_data.hold_mismatch(
  p_decision orderlatch_data.trade_decisions,
  p_order jsonb,
  p_request_id uuid,
  p_differences jsonb
)
returns void
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_status text;
begin
  -- it exists, so it is kept; it is nobody's until an operator says whose
  perform orderlatch_data.insert_orders(
    p_decision.account_id,
    array(
      select row(d.*)::orderlatch_data.shown_order
        from orderlatch_data.read_orders(jsonb_build_array(p_order)) as d
    ),
    p_request_id
  );
  -- every list shows it again: once a person was asked, that is news only in the answer to a call about the
  -- decision, which was sent again then
  if exists (
    select 1
      from orderlatch_data.incidents as i
     where i.decision_id = p_decision.decision_id
       and i.incident = 'order_mismatch'
       and i.detail ->> 'broker_order_id' = p_order ->> 'id'
  ) and not exists (
    select 1
      from orderlatch_data.broker_requests as q
     where q.request_id = p_request_id and q.decision_id = p_decision.decision_id
  ) then
    return;
  end if;
  select o.status into v_status
    from orderlatch_data.open_decisions as o
   where o.decision_id = p_decision.decision_id;
  if v_status = 'in_doubt' then
    update orderlatch_data.doubts as d
       set mismatched = true, next_lookup_at = null
     where d.decision_id = p_decision.decision_id;
  elsif v_status is not null then
    perform orderlatch_data.enter_doubt(
      p_decision.decision_id, p_request_id, 'an order with this id has other terms', p_mismatched => true
    );
  end if;
  perform orderlatch_data.report_order(
    'order_mismatch', p_decision, p_request_id,
    jsonb_build_object('broker_order_id', p_order ->> 'id', 'differences', p_differences)
  );
end
$$;
revoke all on function orderlatch_data.hold_mismatch(orderlatch_data.trade_decisions, jsonb, uuid, jsonb)
  from public;
comment on function orderlatch_data.hold_mismatch(orderlatch_data.trade_decisions, jsonb, uuid, jsonb) is
  'Opens order_mismatch, halts the account, and keeps the decision in doubt until an operator adopts the '
  'order or declares it absent. That a list shows the order again changes nothing.';
