-- Records, as a set, the answers that say what nearly all say: the order was taken as it was sent.
-- Locks: none; the caller holds what lock_for_answers holds. Raises: none.
create or replace function orderlatch_data.record_plain_submits(
  p_reports orderlatch_data.broker_responses[],
  p_requests orderlatch_data.broker_requests[]
)
returns integer[]
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_plain record := orderlatch_data.plain_submits(p_reports, p_requests);
  v_now constant timestamptz := orderlatch_data.clock();
  v_new integer;
begin
  if v_plain.places is null then
    return '{}'::integer[];
  end if;
  insert into orderlatch_data.broker_orders (
    account_id, broker_order_id, decision_id, relation, symbol, side, order_type, qty, notional,
    limit_price, stop_price, status, is_open, status_at, filled_qty, filled_avg_price, filled_as_of,
    shown_filled_qty, submitted_at, updated_at, found_in_request_id, recorded_at, changed_at
  )
  select d.account_id, d.broker_order_id, d.decision_id, 'order', d.symbol, d.side, d.order_type, d.qty,
         d.notional, d.limit_price, d.stop_price, d.status, d.is_open, d.updated_at, d.filled_qty,
         d.filled_avg_price, d.updated_at, d.filled_qty, d.submitted_at, d.updated_at, d.request_id, v_now,
         v_now
    from unnest(v_plain.account_ids, v_plain.decision_ids, v_plain.request_ids, v_plain.orders)
         as d(account_id, decision_id, request_id)
   order by d.submitted_at, d.broker_order_id
  on conflict on constraint broker_orders_id_is_unique do nothing;
  get diagnostics v_new = row_count;
  if v_new < cardinality(v_plain.places) then
    -- another session was faster with some of the orders: what is said of those is judged by itself
    select array_agg(v_plain.places[s.i]), array_agg(v_plain.decision_ids[s.i]),
           array_agg(v_plain.request_ids[s.i]), array_agg(v_plain.orders[s.i]),
           array_agg(v_plain.responses[s.i])
      into v_plain.places, v_plain.decision_ids, v_plain.request_ids, v_plain.orders, v_plain.responses
      from generate_subscripts(v_plain.places, 1) as s(i)
     where exists (
       select 1
         from orderlatch_data.broker_orders as b
        where b.decision_id = v_plain.decision_ids[s.i] and b.found_in_request_id = v_plain.request_ids[s.i]
       offset 0
     );
  end if;
  with ended as (
    delete from orderlatch_data.open_requests as o where o.request_id = any (v_plain.request_ids)
  ), answered as (
    insert into orderlatch_data.broker_responses (
      request_id, recorded_at, sent, status, meaning, broker_request_id, body, body_octets, error, elapsed_ms
    )
    select r.request_id, v_now, r.sent, r.status, r.meaning, r.broker_request_id, r.body, r.body_octets,
           r.error, r.elapsed_ms
      from unnest(v_plain.responses) as r
  )
  update orderlatch_data.open_decisions as o
     set status = 'submitted',
         move_reason = 'the broker has order ' || t.broker_order_id,
         -- the request that was answered: else the answer is not plain
         move_request_id = o.holder_request_id,
         move_evidence = null
    from unnest(v_plain.decision_ids, v_plain.orders) as t(decision_id, broker_order_id)
   -- by its key: a join may read all rows that there are, dead ones too
   where o.decision_id = any (v_plain.decision_ids) and o.decision_id = t.decision_id;
  return coalesce(v_plain.places, '{}');
end
$$;
revoke all on function orderlatch_data.record_plain_submits(
  orderlatch_data.broker_responses[], orderlatch_data.broker_requests[]
) from public;
comment on function orderlatch_data.record_plain_submits(
  orderlatch_data.broker_responses[], orderlatch_data.broker_requests[]
) is
  'Does for all plain_submits of a batch at once what record_report does for each of them, and returns '
  'their places in it. p_reports: as read_reports has them; p_requests: the request of each.';
