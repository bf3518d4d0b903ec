-- Writes the order as the broker takes it; client_order_id is the decision hash.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.order_body(p_decision orderlatch_data.trade_decisions)
returns text
language plpgsql
immutable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return jsonb_strip_nulls(
           jsonb_build_object(
             'symbol', p_decision.symbol,
             'qty', orderlatch_data.canonical_decimal(p_decision.qty),
             'notional', orderlatch_data.canonical_decimal(p_decision.notional),
             'side', p_decision.action,
             'type', p_decision.order_type,
             'time_in_force', p_decision.time_in_force,
             'limit_price', orderlatch_data.canonical_decimal(p_decision.limit_price),
             'stop_price', orderlatch_data.canonical_decimal(p_decision.stop_price),
             'trail_price', orderlatch_data.canonical_decimal(p_decision.trail_price),
             'trail_percent', orderlatch_data.canonical_decimal(p_decision.trail_percent),
             'order_class', nullif(p_decision.order_class, 'simple'),
             'take_profit', p_decision.take_profit,
             'stop_loss', p_decision.stop_loss,
             'extended_hours', case when p_decision.extended_hours then true end,
             'position_intent', p_decision.position_intent,
             'client_order_id', encode(p_decision.decision_hash, 'hex')
           )
         )::text;
end
$$;
revoke all on function orderlatch_data.order_body(orderlatch_data.trade_decisions) from public;
comment on function orderlatch_data.order_body(orderlatch_data.trade_decisions) is
  'Body of POST /v2/orders: JSON text, decimals as strings exactly as decided.';
