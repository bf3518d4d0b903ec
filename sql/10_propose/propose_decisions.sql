-- Records and judges an array of decisions; a bad element costs only itself.
-- Locks: account (judging), decisions ascending. Raises: OL102, OL131, OL132, OL134, OL201, OL202, OL301.
create or replace function orderlatch.propose_decisions(p_account text, p_decisions jsonb)
returns table (
  input_no integer,
  decision_id bigint,
  decision_hash text,
  status text,
  outcome text,
  reasons text[],
  error_code text,
  error_message text
)
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
  select d.input_no, d.decision_id, d.decision_hash, d.status, d.outcome, d.reasons,
         d.error_code, d.error_message
    from orderlatch_data.take_decisions(p_account, p_decisions, true) as d;
end
$$;
revoke all on function orderlatch.propose_decisions(text, jsonb) from public;
grant execute on function orderlatch.propose_decisions(text, jsonb) to orderlatch_strategy;
comment on function orderlatch.propose_decisions(text, jsonb) is
  'Records and judges decisions. p_account: account name. p_decisions: jsonb array of at most 1000 '
  'decisions. Returns one row for each element, in input order: decision_id, decision_hash (64 hex digits, '
  'also the order''s client_order_id), status, outcome (created, existing, conflict, collision, invalid), '
  'reasons of a rejection, and for an invalid element error_code (SQLSTATE) and error_message. Of elements '
  'of one signal the first is the one, also where risk then rejects it: send a next try by itself. Raises '
  'OL102 account_unknown, OL131 argument_invalid when p_decisions is no array, OL132, OL134 too_many, OL201 '
  'account_busy, OL202 decision_busy, OL301 login_not_bound.';

-- Records and judges one decision.
-- Locks: account (judging), decision. Raises: OL102, OL110 to OL121, OL132, OL201, OL202, OL301.
create or replace function orderlatch.propose_decision(p_account text, p_decision jsonb)
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
    from orderlatch_data.take_one_decision(p_account, p_decision, true) as d;
end
$$;
revoke all on function orderlatch.propose_decision(text, jsonb) from public;
grant execute on function orderlatch.propose_decision(text, jsonb) to orderlatch_strategy;
comment on function orderlatch.propose_decision(text, jsonb) is
  'Records and judges one decision, in one transaction. p_account: account name. p_decision: the decision, '
  'see docs/decision-hash.md. Returns one row: decision_id, decision_hash, status, outcome (created, '
  'existing, conflict, collision) and the reasons of a rejection. Called again with the same intent it '
  'returns the same decision. Raises OL102 account_unknown, OL110 to OL121 for bad input, OL132 '
  'isolation_unsupported, OL201 account_busy, OL202 decision_busy, OL301 login_not_bound.';
