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
  v_decision constant orderlatch_data.trade_decisions := orderlatch_data.find_decision(p_decision_hash);
begin
  return query
  -- columns that have no canonical form any more make no intent
  select coalesce(
           v_decision.intent = i.intent
           and v_decision.decision_hash = sha256(convert_to(i.intent, 'UTF8')),
           false
         ),
         encode(sha256(convert_to(i.intent, 'UTF8')), 'hex'), v_decision.intent, i.intent
    from orderlatch_data.accounts as a
   cross join lateral (
     select orderlatch_data.build_intent(
       v_decision.hash_version, a.account, v_decision.strategy_id, v_decision.symbol, v_decision.event_ts,
       v_decision.timeframe, v_decision.leg, v_decision.action, v_decision.qty, v_decision.notional,
       v_decision.order_type, v_decision.time_in_force, v_decision.limit_price, v_decision.stop_price,
       v_decision.trail_price, v_decision.trail_percent, v_decision.extended_hours, v_decision.order_class,
       v_decision.take_profit, v_decision.stop_loss, v_decision.position_intent,
       coalesce(v_decision.params, '{}')
     ) as intent
   ) as i
   where a.account_id = v_decision.account_id;
end
$$;
revoke all on function orderlatch.verify_decision(text) from public;
grant execute on function orderlatch.verify_decision(text) to
  orderlatch_strategy, orderlatch_operator, orderlatch_auditor;
comment on function orderlatch.verify_decision(text) is
  'Whether a decision is as it was hashed. p_decision_hash: 64 hex digits. Returns one row: intact, and the '
  'intent as stored and as built again from the columns, with the hash of the latter. Raises OL103 '
  'decision_unknown, OL131 argument_invalid, OL301 login_not_bound.';
