-- Reads a delivered decision: its typed members, canonical intent and hash, or the first thing wrong with it.
-- Locks: none. Raises: none, so that a bad decision in a set costs only its own row.
create or replace function orderlatch_data.read_decision(
  p_account text, p_decision jsonb, p_account_id integer default null, p_member_problem jsonb default null,
  out decision orderlatch_data.trade_decisions,
  out error_code text, out error_message text, out error_detail text, out error_hint text
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
  v_problem := orderlatch_data.find_input_problem(p_account, p_decision, p_account_id, p_member_problem);
  if v_problem.error_code is null then
    -- what is delivered, over the defaults, over what has a spelling of its own
    decision := jsonb_populate_record(
      (
        null, null, 1, p_account_id, '', orderlatch_data.canonical_symbol(p_decision ->> 'symbol'),
        orderlatch_data.parse_time(p_decision ->> 'event_ts'), '', '', '', null, null, 'market', 'day', null,
        null, null, null, false, 'simple', null, null, null, null, null, null, null,
        orderlatch_data.parse_time(p_decision ->> 'valid_until'), null, null, null
      )::orderlatch_data.trade_decisions,
      p_decision - '{decision_hash,event_ts,symbol,valid_until}'::text[]
    );
    -- a null or an empty text for a default, or a capital letter
    if decision.leg is null or decision.extended_hours is null or concat(
      decision.order_type, '.', decision.time_in_force, '.', decision.order_class, '.', decision.action,
      decision.position_intent
    ) collate "C" ~ '^[.]|[.][.]|[A-Z]' then
      decision.leg := coalesce(decision.leg, '');
      decision.extended_hours := coalesce(decision.extended_hours, false);
      decision.action := translate(decision.action, v_upper, v_lower);
      decision.order_type := coalesce(translate(decision.order_type, v_upper, v_lower), 'market');
      decision.time_in_force := coalesce(translate(decision.time_in_force, v_upper, v_lower), 'day');
      decision.order_class :=
        coalesce(nullif(translate(decision.order_class, v_upper, v_lower), ''), 'simple');
      decision.position_intent := translate(decision.position_intent, v_upper, v_lower);
    end if;
    if decision.take_profit is not null or decision.stop_loss is not null then
      decision.take_profit := orderlatch_data.canonical_prices(decision.take_profit);
      decision.stop_loss := orderlatch_data.canonical_prices(decision.stop_loss);
    end if;
    decision.params := nullif(decision.params, '{}');
    decision.intent := orderlatch_data.build_intent(
      decision.hash_version, p_account, decision.strategy_id, decision.symbol, decision.event_ts,
      decision.timeframe, decision.leg, decision.action, decision.qty, decision.notional, decision.order_type,
      decision.time_in_force, decision.limit_price, decision.stop_price, decision.trail_price,
      decision.trail_percent, decision.extended_hours, decision.order_class, decision.take_profit,
      decision.stop_loss, decision.position_intent, decision.params
    );
    decision.decision_hash := sha256(convert_to(decision.intent, 'UTF8'));
    v_problem := orderlatch_data.find_intent_problem(p_decision, decision.intent, decision.decision_hash);
  end if;
  if v_problem.error_code is not null then
    decision := null;
    select d.error_code, d.error_message, d.error_detail, d.error_hint
      into error_code, error_message, error_detail, error_hint
      from orderlatch_data.describe_problem(
             v_problem.error_code, v_problem.member, v_problem.value, v_problem.rule
           ) as d;
  end if;
end
$$;
revoke all on function orderlatch_data.read_decision(text, jsonb, integer, jsonb) from public;
comment on function orderlatch_data.read_decision(text, jsonb, integer, jsonb) is
  'The decision with defaults filled in, its canonical intent and its hash (sha256, 32 bytes), without '
  'decision_id and who recorded it when. Quantities in shares, coins or contracts; notional and prices in '
  'dollars; trail_percent in percent. Params are null when empty. Null when error_code is not. p_account_id: '
  'of the account, for a decision of an array of which find_member_problems was asked; null: the account '
  'need not exist, and it is asked here. p_member_problem: what it says of the decision, null for nothing.';
