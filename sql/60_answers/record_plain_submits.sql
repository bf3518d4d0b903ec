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
  v_plain constant record := orderlatch_data.plain_submits(p_reports, p_requests);
  v_now constant timestamptz := orderlatch_data.clock();
  v_kept record;
  v_place integer;
  v_places integer[] := '{}'::integer[];
  v_decision_ids bigint[];
  v_request_ids uuid[];
  v_reasons text[];
  v_response orderlatch_data.broker_responses;
  v_responses orderlatch_data.broker_responses[];
begin
  if v_plain.places is null then
    return v_places;
  end if;
  for v_kept in
    insert into orderlatch_data.broker_orders as b (
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
    on conflict on constraint broker_orders_id_is_unique do nothing
    returning b.decision_id, b.broker_order_id, b.found_in_request_id as request_id
  loop
    v_place := v_plain.places[array_position(v_plain.decision_ids, v_kept.decision_id)];
    v_response := orderlatch_data.reported_response(p_reports[v_place], 'order_exists');
    v_response.recorded_at := v_now;
    v_places := v_places || v_place;
    v_decision_ids := v_decision_ids || v_kept.decision_id;
    v_request_ids := v_request_ids || v_kept.request_id;
    v_reasons := v_reasons || ('the broker has order ' || v_kept.broker_order_id);
    v_responses := v_responses || v_response;
  end loop;
  with ended as (
    delete from orderlatch_data.open_requests as o where o.request_id = any (v_request_ids)
  ), answered as (
    insert into orderlatch_data.broker_responses (
      request_id, recorded_at, sent, status, meaning, broker_request_id, body, body_octets, error, elapsed_ms
    )
    select r.request_id, r.recorded_at, r.sent, r.status, r.meaning, r.broker_request_id, r.body,
           r.body_octets, r.error, r.elapsed_ms
      from unnest(v_responses) as r
  )
  update orderlatch_data.open_decisions as o
     set status = 'submitted', move_reason = t.reason, move_request_id = t.request_id, move_evidence = null
    from unnest(v_decision_ids, v_request_ids, v_reasons) as t(decision_id, request_id, reason)
   -- by its key: a join may read all rows that there are, dead ones too
   where o.decision_id = any (v_decision_ids) and o.decision_id = t.decision_id;
  return v_places;
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
