-- Records decisions that are new, judged at once or not, and holds their signals.
-- Locks: none; the caller holds the account for judging. Raises: none.
create or replace function orderlatch_data.record_decisions(
  p_account orderlatch_data.accounts,
  p_decisions orderlatch_data.trade_decisions[],
  p_signal_keys uuid[],
  p_judge boolean
)
returns orderlatch_data.risk_verdicts[]
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_verdicts orderlatch_data.risk_verdicts[] := array[]::orderlatch_data.risk_verdicts[];
  v_approval_nos bigint[];
begin
  if p_judge then
    v_verdicts := orderlatch_data.give_verdicts(p_account, p_decisions, null, orderlatch_data.clock());
  end if;
  v_approval_nos := orderlatch_data.number_approvals(p_account, v_verdicts);
  with recorded as (
    insert into orderlatch_data.trade_decisions
    select n.* from unnest(p_decisions) as n
  ), judged as (
    insert into orderlatch_data.risk_verdicts
    select v.* from unnest(v_verdicts) as v where v.verdict = 'approved'
  ), guarded as (
    insert into orderlatch_data.live_signals (signal_key, decision_id)
    select n.signal_key, n.decision_id
      from unnest(p_signal_keys, p_decisions) as n(signal_key, decision_id)
     where n.signal_key is not null
    -- an order found at this moment, despite its verdict, may take the signal
    on conflict on constraint live_signals_pkey do nothing
  )
  insert into orderlatch_data.open_decisions
    (decision_id, account_id, symbol, strategy_id, lock_key, status, approval_no, lapse_at, next_try_at,
     move_reason)
  select n.decision_id, n.account_id, n.symbol, n.strategy_id,
         orderlatch_data.decision_lock_key(n.decision_hash),
         case when n.approval_no is null then 'planned' else 'approved' end, n.approval_no,
         least(n.valid_until, n.recorded_at + p_account.max_decision_age), n.recorded_at,
         case
           when n.approval_no is null then 'proposed by ' || n.strategy_id
           else 'within all limits'
         end
    from unnest(v_approval_nos, p_decisions) as n(approval_no);
  if array_position(v_approval_nos, null) is not null then
    -- what is rejected moves from planned, which frees its signal and settles it
    perform orderlatch_data.keep_verdicts(
      p_account, array(select v from unnest(v_verdicts) as v where v.verdict = 'rejected'), null
    );
  end if;
  return v_verdicts;
end
$$;
revoke all on function orderlatch_data.record_decisions(
  orderlatch_data.accounts, orderlatch_data.trade_decisions[], uuid[], boolean
) from public;
comment on function orderlatch_data.record_decisions(
  orderlatch_data.accounts, orderlatch_data.trade_decisions[], uuid[], boolean
) is
  'Records decisions in one statement. p_signal_keys: the key of the signal that each of them takes, null '
  'where it takes none. p_judge: whether they are judged before that. Then they come in as approved, or are '
  'rejected at once, workers are woken, and the verdicts returned, in the order of the decisions. If not, '
  'they come in as planned, and what is returned is empty.';
