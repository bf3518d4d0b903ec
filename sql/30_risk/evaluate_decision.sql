-- Judges a decision that is planned by every limit in force; judged before, it keeps its verdict.
-- Locks: account (judging), decision. Raises: OL103, OL131, OL132, OL201, OL202, OL301, OL304.
create or replace function orderlatch.evaluate_decision(p_decision_hash text)
returns table (status text, reasons text[])
language plpgsql
volatile
parallel unsafe
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_decision constant orderlatch_data.trade_decisions := orderlatch_data.find_decision(p_decision_hash);
  v_account orderlatch_data.accounts;
begin
  perform orderlatch_data.require_read_committed();
  v_account := orderlatch_data.hold_decision(v_decision, 'builtin');
  -- a statement after that, so it sees what was waited for
  perform orderlatch_data.judge_decisions(
    v_account, orderlatch_data.find_planned(array[v_decision.decision_id], '{existing}'), null
  );
  return query
  select s.status, s.reasons from orderlatch_data.status_of(v_decision.decision_id) as s;
end
$$;
revoke all on function orderlatch.evaluate_decision(text) from public;
grant execute on function orderlatch.evaluate_decision(text) to orderlatch_strategy, orderlatch_operator;
comment on function orderlatch.evaluate_decision(text) is
  'Judges a planned decision: approved, or rejected with every reason. p_decision_hash: 64 hex digits. '
  'Returns the status and the reasons; a decision judged before keeps its verdict. Raises OL103 '
  'decision_unknown, OL131 argument_invalid, OL132 isolation_unsupported, OL201 account_busy, OL202 '
  'decision_busy, OL301 login_not_bound, OL304 risk_engine_differs.';
