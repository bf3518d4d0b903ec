-- Records one decision without judging it.
-- Locks: account (judging), decision. Raises: OL102, OL110 to OL121, OL132, OL201, OL202, OL301.
create or replace function orderlatch.ensure_decision(p_account text, p_decision jsonb)
returns table (decision_id bigint, decision_hash text, status text, outcome text, reasons text[])
language plpgsql
volatile
parallel unsafe
security definer
set search_path = pg_catalog, pg_temp
set max_parallel_workers_per_gather = 0
set jit = off
set enable_seqscan = off
set plan_cache_mode = force_generic_plan
as $$
begin
  return query
  select d.decision_id, d.decision_hash, d.status, d.outcome, d.reasons
    from orderlatch_data.take_one_decision(p_account, p_decision, false) as d;
end
$$;
revoke all on function orderlatch.ensure_decision(text, jsonb) from public;
grant execute on function orderlatch.ensure_decision(text, jsonb) to orderlatch_strategy;
comment on function orderlatch.ensure_decision(text, jsonb) is
  'Records one decision, once: called again with the same intent it returns the same decision. p_account: '
  'account name. p_decision: the decision, see docs/decision-hash.md. Returns decision_id, decision_hash '
  '(64 hex digits), status and outcome: created, existing, conflict (the signal has a live decision with '
  'another intent; this one is kept as rejected) or collision (an incident; the account is halted). Raises '
  'OL102 account_unknown, OL110 to OL121 for bad input, OL132 isolation_unsupported, OL201 account_busy, '
  'OL202 decision_busy, OL301 login_not_bound.';
