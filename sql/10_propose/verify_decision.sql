-- Builds the intent of a decision again from its columns and compares it, and its hash, with what is stored.
-- Locks: none. Raises: OL103 decision_unknown, OL131 argument_invalid, OL301 login_not_bound.
create or replace function orderlatch.verify_decision(p_decision_hash text)
returns table (intact boolean, recomputed_hash text, stored_intent text, recomputed_intent text)
language plpgsql
stable
parallel safe
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_decision constant orderlatch_data.trade_decisions := orderlatch_data.find_decision(p_decision_hash, true);
begin
  return query
  -- columns that have no canonical form any more make no intent
  select coalesce(
           v_decision.intent = i.intent
           and v_decision.decision_hash = sha256(convert_to(i.intent, 'UTF8')),
           false
         ),
         encode(sha256(convert_to(i.intent, 'UTF8')), 'hex'), v_decision.intent, i.intent
    from (select orderlatch_data.rebuilt_intent(v_decision) as intent) as i;
end
$$;
revoke all on function orderlatch.verify_decision(text) from public;
grant execute on function orderlatch.verify_decision(text) to
  orderlatch_strategy, orderlatch_operator, orderlatch_auditor;
comment on function orderlatch.verify_decision(text) is
  'Whether a decision is as it was hashed. p_decision_hash: 64 hex digits. Returns one row: intact, and the '
  'intent as stored and as built again from the columns, with the hash of the latter. Raises OL103 '
  'decision_unknown, OL131 argument_invalid, OL301 login_not_bound.';

-- The intent of a decision, built again from its columns.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.rebuilt_intent(p_decision orderlatch_data.trade_decisions)
returns text
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    select orderlatch_data.build_intent(
             p_decision.hash_version, a.account, p_decision.strategy_id, p_decision.symbol,
             p_decision.event_ts, p_decision.timeframe, p_decision.leg, p_decision.action, p_decision.qty,
             p_decision.notional,
             p_decision.order_type, p_decision.time_in_force, p_decision.limit_price, p_decision.stop_price,
             p_decision.trail_price, p_decision.trail_percent, p_decision.extended_hours,
             p_decision.order_class, p_decision.take_profit, p_decision.stop_loss, p_decision.position_intent,
             coalesce(p_decision.params, '{}')
           )
      from orderlatch_data.accounts as a
     where a.account_id = p_decision.account_id
  );
end
$$;
revoke all on function orderlatch_data.rebuilt_intent(orderlatch_data.trade_decisions) from public;
comment on function orderlatch_data.rebuilt_intent(orderlatch_data.trade_decisions) is
  'Null when the columns have no canonical form any more.';
