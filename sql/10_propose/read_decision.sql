-- Reads a delivered decision: its typed members, canonical intent and hash, or the first thing wrong with it.
-- Locks: none. Raises: none, so that a bad decision in a set costs only its own row.
create or replace function orderlatch_data.read_decision(
  p_account text, p_decision jsonb, p_member_problem jsonb default null,
  out decision_hash bytea, out hash_version smallint, out intent text, out strategy_id text,
  out symbol text, out event_ts timestamptz, out timeframe text, out leg text, out action text,
  out qty numeric, out notional numeric, out order_type text, out time_in_force text,
  out limit_price numeric, out stop_price numeric, out trail_price numeric, out trail_percent numeric,
  out extended_hours boolean, out order_class text, out take_profit jsonb, out stop_loss jsonb,
  out position_intent text, out params jsonb, out rationale text, out reference_price numeric,
  out valid_until timestamptz, out metadata jsonb, out error_code text, out error_message text,
  out error_detail text, out error_hint text
)
returns record
language plpgsql
immutable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_upper constant text := 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';
  v_lower constant text := 'abcdefghijklmnopqrstuvwxyz';
  v_problem record;
begin
  v_problem := orderlatch_data.find_input_problem(p_account, p_decision, coalesce(
    p_member_problem, orderlatch_data.find_member_problems(jsonb_build_array(p_decision)) -> '1'
  ));
  if v_problem.error_code is null then
    hash_version := 1;
    strategy_id := p_decision ->> 'strategy_id';
    symbol := orderlatch_data.canonical_symbol(p_decision ->> 'symbol');
    event_ts := orderlatch_data.parse_time(p_decision ->> 'event_ts');
    timeframe := p_decision ->> 'timeframe';
    leg := coalesce(p_decision ->> 'leg', '');
    action := translate(p_decision ->> 'action', v_upper, v_lower);
    qty := (p_decision ->> 'qty')::numeric;
    notional := (p_decision ->> 'notional')::numeric;
    order_type := coalesce(translate(p_decision ->> 'order_type', v_upper, v_lower), 'market');
    time_in_force := coalesce(translate(p_decision ->> 'time_in_force', v_upper, v_lower), 'day');
    limit_price := (p_decision ->> 'limit_price')::numeric;
    stop_price := (p_decision ->> 'stop_price')::numeric;
    trail_price := (p_decision ->> 'trail_price')::numeric;
    trail_percent := (p_decision ->> 'trail_percent')::numeric;
    extended_hours := coalesce((p_decision ->> 'extended_hours')::boolean, false);
    order_class := coalesce(nullif(translate(p_decision ->> 'order_class', v_upper, v_lower), ''), 'simple');
    take_profit := orderlatch_data.canonical_prices(nullif(p_decision -> 'take_profit', 'null'));
    stop_loss := orderlatch_data.canonical_prices(nullif(p_decision -> 'stop_loss', 'null'));
    position_intent := translate(p_decision ->> 'position_intent', v_upper, v_lower);
    params := nullif(nullif(p_decision -> 'params', 'null'), '{}');
    intent := orderlatch_data.build_intent(
      hash_version, p_account, strategy_id, symbol, event_ts, timeframe, leg, action, qty, notional,
      order_type, time_in_force, limit_price, stop_price, trail_price, trail_percent, extended_hours,
      order_class, take_profit, stop_loss, position_intent, params);
    decision_hash := sha256(convert_to(intent, 'UTF8'));
    rationale := p_decision ->> 'rationale';
    reference_price := (p_decision ->> 'reference_price')::numeric;
    valid_until := orderlatch_data.parse_time(p_decision ->> 'valid_until');
    metadata := nullif(p_decision -> 'metadata', 'null');
    v_problem := orderlatch_data.find_intent_problem(p_decision, intent, decision_hash);
  end if;
  if v_problem.error_code is not null then
    intent := null;
    decision_hash := null;
    select d.error_code, d.error_message, d.error_detail, d.error_hint
      into error_code, error_message, error_detail, error_hint
      from orderlatch_data.describe_problem(
             v_problem.error_code, v_problem.member, v_problem.value, v_problem.rule
           ) as d;
  end if;
end
$$;
revoke all on function orderlatch_data.read_decision(text, jsonb, jsonb) from public;
comment on function orderlatch_data.read_decision(text, jsonb, jsonb) is
  'The members of a decision as typed values with defaults filled in, its canonical intent and its hash '
  '(sha256, 32 bytes). Quantities in shares, coins or contracts; notional and prices in dollars; '
  'trail_percent in percent. When error_code is not null, decision_hash and intent are null and the other '
  'columns are not to be used. Params are null when empty. p_member_problem: what find_member_problems says '
  'of the decision where it was asked for a whole array, empty for nothing; null: it is asked here.';
