-- Keeps the broker's order of a decision, as it was shown last; an older view never overwrites a newer one.
-- Locks: none; the caller holds the decision. Raises: none.
create or replace function orderlatch_data.save_execution(
  p_decision orderlatch_data.trade_decisions,
  p_order jsonb,
  p_request_id uuid
)
returns void
language sql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  insert into orderlatch_data.executions as x (
    decision_id, account_id, broker_order_id, status, filled_qty, filled_avg_price, submitted_at, updated_at,
    found_in_request_id, recorded_at
  )
  values (
    p_decision.decision_id, p_decision.account_id, p_order ->> 'id', p_order ->> 'status',
    coalesce(orderlatch_data.read_decimal(p_order -> 'filled_qty'), 0),
    orderlatch_data.read_decimal(p_order -> 'filled_avg_price'),
    orderlatch_data.read_broker_time(p_order -> 'submitted_at'),
    orderlatch_data.read_broker_time(p_order -> 'updated_at'),
    p_request_id, orderlatch_data.clock()
  )
  on conflict on constraint executions_one_order_per_decision do update
    set status = excluded.status,
        filled_qty = greatest(x.filled_qty, excluded.filled_qty),
        filled_avg_price = coalesce(excluded.filled_avg_price, x.filled_avg_price),
        submitted_at = coalesce(excluded.submitted_at, x.submitted_at),
        updated_at = coalesce(excluded.updated_at, x.updated_at)
    where x.status not in ('filled', 'canceled', 'expired', 'rejected', 'replaced')
      and (x.updated_at is null or excluded.updated_at >= x.updated_at)
$$;
revoke all on function orderlatch_data.save_execution(orderlatch_data.trade_decisions, jsonb, uuid)
  from public;
comment on function orderlatch_data.save_execution(orderlatch_data.trade_decisions, jsonb, uuid) is
  'Inserts the execution of a decision or brings it up to date: a final status stays, filled_qty never '
  'falls, a view that is older than the stored one is ignored.';

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
      (decision_id, account_id, symbol, lock_key, status, lapse_at, next_try_at, clean, move_reason)
    values (
      p_decision.decision_id, p_decision.account_id, p_decision.symbol,
      orderlatch_data.decision_lock_key(p_decision.decision_hash), v_outcome.status, v_outcome.settled_at,
      v_outcome.settled_at, v_outcome.clean, 'opened again'
    );
    perform orderlatch_data.report_order(
      'order_despite_verdict', p_decision, p_request_id,
      jsonb_build_object('status', v_outcome.status, 'broker_order_id', p_broker_order_id)
    );
  end if;
  perform orderlatch_data.move_decision(
    p_decision.decision_id, 'submitted', 'the broker has order ' || p_broker_order_id, p_request_id,
    p_evidence
  );
end
$$;
revoke all on function orderlatch_data.settle_submitted(orderlatch_data.trade_decisions, text, uuid, jsonb)
  from public;
comment on function orderlatch_data.settle_submitted(orderlatch_data.trade_decisions, text, uuid, jsonb) is
  'Moves a decision to submitted unless it is. One that was rejected, withdrawn, lapsed or refused also '
  'opens the incident order_despite_verdict and halts the account.';

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
  perform orderlatch_data.report_order(
    'order_mismatch', p_decision, p_request_id,
    jsonb_build_object('broker_order_id', p_order ->> 'id', 'differences', p_differences)
  );
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
end
$$;
revoke all on function orderlatch_data.hold_mismatch(orderlatch_data.trade_decisions, jsonb, uuid, jsonb)
  from public;
comment on function orderlatch_data.hold_mismatch(orderlatch_data.trade_decisions, jsonb, uuid, jsonb) is
  'Opens order_mismatch, halts the account, and keeps the decision in doubt until an operator adopts the '
  'order or declares it absent.';
