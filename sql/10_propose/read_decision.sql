-- Reads a delivered decision: its typed members, canonical intent and hash, or the first thing wrong with it.
-- Locks: none. Raises: none, so that a bad decision in a set costs only its own row.
create or replace function orderlatch_data.read_decision(
  p_account text, p_decision jsonb, p_account_id integer default null, p_member_problem jsonb default null,
  out decisions orderlatch_data.trade_decisions[],
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
  v_row orderlatch_data.trade_decisions;
  v_problem record;
begin
  v_problem := orderlatch_data.find_input_problem(p_account, p_decision, p_account_id, p_member_problem);
  if v_problem.error_code is null then
    -- what is delivered, over the defaults, over what has a spelling of its own
    v_row := jsonb_populate_record(
      (
        null, null, 1, p_account_id, '', orderlatch_data.canonical_symbol(p_decision ->> 'symbol'),
        orderlatch_data.parse_time(p_decision ->> 'event_ts'), '', '', '', null, null, 'market', 'day', null,
        null, null, null, false, 'simple', null, null, null, null, null, null, null,
        orderlatch_data.parse_time(p_decision ->> 'valid_until'), null, null, null
      )::orderlatch_data.trade_decisions,
      p_decision - '{decision_hash,event_ts,symbol,valid_until}'::text[]
    );
    -- a null or an empty text for a default, or a capital letter
    if v_row.leg is null or v_row.extended_hours is null or concat(
      v_row.order_type, '.', v_row.time_in_force, '.', v_row.order_class, '.', v_row.action,
      v_row.position_intent
    ) collate "C" ~ '^[.]|[.][.]|[A-Z]' then
      v_row.leg := coalesce(v_row.leg, '');
      v_row.extended_hours := coalesce(v_row.extended_hours, false);
      v_row.action := translate(v_row.action, v_upper, v_lower);
      v_row.order_type := coalesce(translate(v_row.order_type, v_upper, v_lower), 'market');
      v_row.time_in_force := coalesce(translate(v_row.time_in_force, v_upper, v_lower), 'day');
      v_row.order_class :=
        coalesce(nullif(translate(v_row.order_class, v_upper, v_lower), ''), 'simple');
      v_row.position_intent := translate(v_row.position_intent, v_upper, v_lower);
    end if;
    if v_row.take_profit is not null or v_row.stop_loss is not null then
      v_row.take_profit := orderlatch_data.canonical_prices(v_row.take_profit);
      v_row.stop_loss := orderlatch_data.canonical_prices(v_row.stop_loss);
    end if;
    v_row.params := nullif(v_row.params, '{}');
    v_row.intent := orderlatch_data.build_intent(
      v_row.hash_version, p_account, v_row.strategy_id, v_row.symbol, v_row.event_ts,
      v_row.timeframe, v_row.leg, v_row.action, v_row.qty, v_row.notional, v_row.order_type,
      v_row.time_in_force, v_row.limit_price, v_row.stop_price, v_row.trail_price,
      v_row.trail_percent, v_row.extended_hours, v_row.order_class, v_row.take_profit,
      v_row.stop_loss, v_row.position_intent, v_row.params
    );
    v_row.decision_hash := sha256(convert_to(v_row.intent, 'UTF8'));
    v_problem := orderlatch_data.find_intent_problem(p_decision, v_row.intent, v_row.decision_hash);
  end if;
  if v_problem.error_code is not null then
    v_row := null;
    select d.error_code, d.error_message, d.error_detail, d.error_hint
      into error_code, error_message, error_detail, error_hint
      from orderlatch_data.describe_problem(
             v_problem.error_code, v_problem.member, v_problem.value, v_problem.rule
           ) as d;
  end if;
  decisions := array[v_row];
end
$$;
revoke all on function orderlatch_data.read_decision(text, jsonb, integer, jsonb) from public;
comment on function orderlatch_data.read_decision(text, jsonb, integer, jsonb) is
  'The decision, one row in an array, with defaults filled in, its canonical intent and its hash (sha256, 32 '
  'bytes), without decision_id and who recorded it when. Quantities in shares, coins or contracts; notional '
  'and prices in dollars; trail_percent in percent. Params are null when empty. The row is null when '
  'error_code is not. p_account_id: of the account, for a decision of an array of which find_member_problems '
  'was asked; null: the account need not exist, and it is asked here. p_member_problem: what it says of the '
  'decision, null for nothing.';
