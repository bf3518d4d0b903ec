-- Takes an array of decisions in: records what is new, settles conflicts, adopts known orders, may judge.
-- Locks: account (judging, answering), decisions. Raises: OL102, OL131, OL132, OL134, OL201, OL202, OL301.
create or replace function orderlatch_data.take_decisions(p_account text, p_decisions jsonb, p_judge boolean)
returns table (
  input_no integer, decision_id bigint, decision_hash text, status text, outcome text, reasons text[],
  error_code text, error_message text, error_detail text, error_hint text
)
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_account orderlatch_data.accounts;
  v_taken record;
  v_judge boolean;
  v_seen bigint[];
  v_plain boolean;
  v_verdicts orderlatch_data.risk_verdicts[];
  v_nth integer := 1;
begin
  perform orderlatch_data.require_read_committed(),
          orderlatch_data.require_batch('p_decisions', p_decisions),
          orderlatch_data.make_durable();
  v_account := orderlatch_data.hold_to_judge(p_account);
  v_judge := p_judge and v_account.risk_engine = 'builtin';
  v_taken := orderlatch_data.sort_deliveries(v_account, p_decisions);
  v_seen := orderlatch_data.find_seen(
    v_account.account_id, v_taken.decision_ids, v_taken.decision_hashes, v_taken.outcomes
  );
  -- nothing of it was there before, nobody else can see it: it is judged as it is recorded
  v_plain := v_seen is null and v_taken.outcomes <@ '{created,invalid}';
  if cardinality(v_taken.fresh) > 0 then
    v_verdicts := orderlatch_data.record_decisions(
      v_account, v_taken.fresh, v_taken.taken_keys, v_judge and v_plain
    );
  end if;
  if not v_plain then
    perform orderlatch_data.settle_deliveries(
      v_account, v_taken.decision_ids, v_taken.decision_hashes, v_taken.outcomes, v_seen
    );
    if v_judge then
      v_verdicts := orderlatch_data.judge_decisions(
        v_account, orderlatch_data.find_planned(v_taken.decision_ids, v_taken.outcomes), null
      );
    end if;
  end if;

  for v_place in 1 .. cardinality(v_taken.outcomes) loop
    input_no := v_place;
    decision_hash := v_taken.decision_hashes[v_place];
    outcome := v_taken.outcomes[v_place];
    -- under the hash of a collision lies another decision, under that of a refused element perhaps another's
    decision_id := case when outcome not in ('collision', 'invalid') then v_taken.decision_ids[v_place] end;
    status := null;
    reasons := null;
    if (v_verdicts[v_nth]).decision_id = decision_id then
      status := (v_verdicts[v_nth]).verdict;
      reasons := (v_verdicts[v_nth]).reasons;
      v_nth := v_nth + 1;
    elsif decision_id is not null then
      select s.status, s.reasons into status, reasons from orderlatch_data.status_of(decision_id) as s;
    end if;
    error_code := v_taken.problems[v_place] ->> 'error_code';
    error_message := v_taken.problems[v_place] ->> 'error_message';
    error_detail := v_taken.problems[v_place] ->> 'error_detail';
    error_hint := v_taken.problems[v_place] ->> 'error_hint';
    return next;
  end loop;
end
$$;
revoke all on function orderlatch_data.take_decisions(text, jsonb, boolean) from public;
comment on function orderlatch_data.take_decisions(text, jsonb, boolean) is
  'The whole of proposing, for ensure_decision, propose_decision and propose_decisions. p_decisions: jsonb '
  'array. p_judge: whether to judge what is planned. Returns a row for each element, in input order.';

-- Holds an account for judging, and says how it is to be judged by then.
-- Locks: account (judging). Raises: OL102, OL201, OL301.
create or replace function orderlatch_data.hold_to_judge(p_account text)
returns orderlatch_data.accounts
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_account orderlatch_data.accounts := orderlatch_data.find_account(p_account);
begin
  if not pg_try_advisory_xact_lock(orderlatch_data.lock_class('judging'), v_account.account_id) then
    perform orderlatch_data.lock_account('judging', v_account.account_id);
    -- while it waited, an operator may have given the account another engine
    v_account := orderlatch_data.find_account(p_account);
  end if;
  return v_account;
end
$$;
revoke all on function orderlatch_data.hold_to_judge(text) from public;
comment on function orderlatch_data.hold_to_judge(text) is
  'The account of a name, which is held for judging until the transaction ends. Waits at most 5 s. Raises '
  'OL102 account_unknown, OL201 account_busy, OL301 login_not_bound.';

-- Takes one decision in, and raises what is wrong with it.
-- Locks: account (judging), decision. Raises: OL102, OL110 to OL121, OL132, OL201, OL202, OL301.
create or replace function orderlatch_data.take_one_decision(
  p_account text,
  p_decision jsonb,
  p_judge boolean
)
returns table (decision_id bigint, decision_hash text, status text, outcome text, reasons text[])
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_taken record;
begin
  select t.* into v_taken
    from orderlatch_data.take_decisions(p_account, jsonb_build_array(p_decision), p_judge) as t;
  if v_taken.error_code is not null then
    perform orderlatch_data.raise_input_error(
      v_taken.error_code, v_taken.error_message, v_taken.error_detail, v_taken.error_hint
    );
  end if;
  decision_id := v_taken.decision_id;
  decision_hash := v_taken.decision_hash;
  status := v_taken.status;
  outcome := v_taken.outcome;
  reasons := v_taken.reasons;
  return next;
end
$$;
revoke all on function orderlatch_data.take_one_decision(text, jsonb, boolean) from public;
comment on function orderlatch_data.take_one_decision(text, jsonb, boolean) is
  'take_decisions for one decision: a bad one raises its SQLSTATE (OL110 to OL121, OL301) instead of '
  'returning it.';
