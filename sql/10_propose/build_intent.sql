-- The canonical intent of a decision, which is what is hashed; null when its params have no canonical JSON.
-- Locks: none. Raises: OL131 argument_invalid for a hash version that is not known here.
create or replace function orderlatch_data.build_intent(
  p_hash_version smallint,
  p_account text,
  p_strategy_id text,
  p_symbol text,
  p_event_ts timestamptz,
  p_timeframe text,
  p_leg text,
  p_action text,
  p_qty numeric,
  p_notional numeric,
  p_order_type text,
  p_time_in_force text,
  p_limit_price numeric,
  p_stop_price numeric,
  p_trail_price numeric,
  p_trail_percent numeric,
  p_extended_hours boolean,
  p_order_class text,
  p_take_profit jsonb,
  p_stop_loss jsonb,
  p_position_intent text,
  p_params jsonb
)
returns text
language plpgsql
immutable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  if p_hash_version is distinct from 1 then
    raise exception using errcode = 'OL131',
      message = 'argument_invalid: hash version is not known to this installation',
      detail = format('got %s, known is 1', coalesce(p_hash_version::text, 'null')),
      hint = 'Upgrade with orderlatch migrate: a newer release wrote this decision.';
  end if;
  -- Members stand in the order of their UTF-8 bytes, and the default of each is left out: concat passes over
  -- null. Params stand outside of it, as without canonical JSON of them there is no intent.
  return concat(
    '{"account":', to_json(p_account), ',"action":"', p_action, '","event_ts":"',
    orderlatch_data.canonical_time(p_event_ts), '"',
    case when p_extended_hours then ',"extended_hours":true' end,
    ',"leg":' || to_json(nullif(p_leg, ''))::text,
    ',"limit_price":"' || orderlatch_data.canonical_decimal(p_limit_price) || '"',
    ',"notional":"' || orderlatch_data.canonical_decimal(p_notional) || '"',
    ',"order_class":"' || nullif(p_order_class, 'simple') || '"',
    ',"order_type":"', p_order_type, '"'
  ) || case
    when p_params <> '{}' then ',"params":' || orderlatch_data.canonical_json(p_params, 32)
    else ''
  end || concat(
    ',"position_intent":"' || p_position_intent || '"',
    ',"qty":"' || orderlatch_data.canonical_decimal(p_qty) || '"',
    ',"stop_loss":' || orderlatch_data.canonical_json(p_stop_loss, 1),
    ',"stop_price":"' || orderlatch_data.canonical_decimal(p_stop_price) || '"',
    ',"strategy_id":', to_json(p_strategy_id), ',"symbol":', to_json(p_symbol),
    ',"take_profit":' || orderlatch_data.canonical_json(p_take_profit, 1),
    ',"time_in_force":"', p_time_in_force, '","timeframe":', to_json(p_timeframe),
    ',"trail_percent":"' || orderlatch_data.canonical_decimal(p_trail_percent) || '"',
    ',"trail_price":"' || orderlatch_data.canonical_decimal(p_trail_price) || '"',
    ',"v":1}'
  );
end
$$;
revoke all on function orderlatch_data.build_intent(
  smallint, text, text, text, timestamptz, text, text, text, numeric, numeric, text, text, numeric, numeric,
  numeric, numeric, boolean, text, jsonb, jsonb, text, jsonb) from public;
comment on function orderlatch_data.build_intent(
  smallint, text, text, text, timestamptz, text, text, text, numeric, numeric, text, text, numeric, numeric,
  numeric, numeric, boolean, text, jsonb, jsonb, text, jsonb) is
  'Canonical intent (JSON text) of typed members, by hash version; read_decision builds it to hash it, '
  'verify_decision to compare. Null when params nest deeper than 32 levels or hold a number of more than '
  '64 digits.';
