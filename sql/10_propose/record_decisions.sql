-- Records decisions that are new, opens them, and holds their signals.
-- Locks: none; the caller holds the account for judging. Raises: none.
create or replace function orderlatch_data.record_decisions(
  p_decisions orderlatch_data.trade_decisions[],
  p_signal_keys uuid[],
  p_max_age interval
)
returns orderlatch_data.trade_decisions[]
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  with recorded as (
    insert into orderlatch_data.trade_decisions
    select n.* from unnest(p_decisions) as n
  ), guarded as (
    insert into orderlatch_data.live_signals (signal_key, decision_id)
    select n.signal_key, n.decision_id
      from unnest(p_signal_keys, p_decisions) as n(signal_key, decision_id)
     where n.signal_key is not null
    -- an order found at this moment, despite its verdict, may take the signal
    on conflict on constraint live_signals_pkey do nothing
  )
  insert into orderlatch_data.open_decisions
    (decision_id, account_id, symbol, lock_key, status, lapse_at, next_try_at, move_reason)
  select n.decision_id, n.account_id, n.symbol, orderlatch_data.decision_lock_key(n.decision_hash),
         'planned', least(n.valid_until, n.recorded_at + p_max_age), n.recorded_at,
         'proposed by ' || n.strategy_id
    from unnest(p_decisions) as n;
  return p_decisions;
end
$$;
revoke all on function orderlatch_data.record_decisions(orderlatch_data.trade_decisions[], uuid[], interval)
  from public;
comment on function orderlatch_data.record_decisions(orderlatch_data.trade_decisions[], uuid[], interval) is
  'Records decisions in one statement, as planned. p_signal_keys: the key of the signal that each of them '
  'takes, null where it takes none. p_max_age: how long after it was recorded a decision lapses. Returns '
  'p_decisions.';
