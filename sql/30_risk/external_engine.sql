-- Takes an external engine's yes; the built-in limits still have the last word.
-- Locks: account (judging), decision. Raises: OL103, OL131, OL132, OL201, OL202, OL301, OL304, OL307.
create or replace function orderlatch.approve_decision(p_decision_hash text, p_evidence jsonb)
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
  v_account constant orderlatch_data.accounts := orderlatch_data.hold_for_engine(v_decision, p_evidence);
begin
  perform orderlatch_data.judge_decisions(
    v_account, orderlatch_data.find_planned(array[v_decision.decision_id], '{existing}'), p_evidence
  );
  return query
  select s.status, s.reasons from orderlatch_data.status_of(v_decision.decision_id) as s;
end
$$;
revoke all on function orderlatch.approve_decision(text, jsonb) from public;
grant execute on function orderlatch.approve_decision(text, jsonb) to orderlatch_risk;
comment on function orderlatch.approve_decision(text, jsonb) is
  'An external engine''s yes to a planned decision; the built-in limits may still reject it. '
  'p_decision_hash: 64 hex digits. p_evidence: JSON object of at most 16 KiB, kept in the verdict and the '
  'event. Returns the status and the reasons; a decision judged before keeps its verdict. Raises OL103 '
  'decision_unknown, OL131 argument_invalid, OL132, OL201, OL202, OL301 login_not_bound, OL304 '
  'risk_engine_differs when the account is judged by the built-in engine, OL307 evidence_required.';

-- Takes an external engine's no, also after a yes as long as nothing is on its way.
-- Locks: account (judging), decision. Raises: OL103, OL131, OL132, OL201, OL202, OL203, OL301, OL304, OL307.
create or replace function orderlatch.reject_decision(p_decision_hash text, p_evidence jsonb)
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
  v_status text;
begin
  perform orderlatch_data.hold_for_engine(v_decision, p_evidence);
  select s.status into v_status from orderlatch_data.status_of(v_decision.decision_id) as s;
  if v_status in ('planned', 'approved') and exists (
    select 1
      from orderlatch_data.open_decisions as o
     where o.decision_id = v_decision.decision_id
       and not o.lookup_first
       and not orderlatch_data.calls_may_be_unknown(o.account_id)
  ) then
    insert into orderlatch_data.risk_verdicts
      (decision_id, account_id, verdict_no, verdict, reasons, limits, inputs, evidence, judged_at, judged_by)
    select v_decision.decision_id, v_decision.account_id, count(*) + 1, 'rejected', array['external_engine'],
           '{}', '{}', p_evidence, orderlatch_data.clock(), session_user
      from orderlatch_data.risk_verdicts as r
     where r.decision_id = v_decision.decision_id;
    perform orderlatch_data.move_decision(
      v_decision.decision_id, 'rejected', 'external_engine', null, p_evidence
    );
  elsif v_status <> 'rejected' then
    raise exception using
      errcode = 'OL203',
      message = format(
        'decision_moved_on: a decision that is %s %s', v_status,
        case
          when v_status in ('planned', 'approved') then 'may have an order, and cannot be rejected now'
          else 'cannot be rejected any more'
        end
      ),
      hint = 'withdraw_decision notes a wish; halts stop what follows.';
  end if;
  return query
  select s.status, s.reasons from orderlatch_data.status_of(v_decision.decision_id) as s;
end
$$;
revoke all on function orderlatch.reject_decision(text, jsonb) from public;
grant execute on function orderlatch.reject_decision(text, jsonb) to orderlatch_risk;
comment on function orderlatch.reject_decision(text, jsonb) is
  'An external engine''s no to a decision that is planned, or approved and not on its way; refused while its '
  'order may exist, as after a 429, or until the orders were read after a change of the cluster. '
  'p_decision_hash: 64 hex digits. p_evidence: JSON object of at most 16 KiB, kept in the verdict and the '
  'event. Returns the status and the reasons. Raises OL103 decision_unknown, OL131 argument_invalid, OL132, '
  'OL201, OL202, OL203 decision_moved_on, OL301 login_not_bound, OL304 risk_engine_differs, OL307 '
  'evidence_required.';

-- What approve_decision and reject_decision do first: hold the decision, with evidence.
-- Locks: account (judging), decision. Raises: OL132, OL201, OL202, OL304, OL307.
create or replace function orderlatch_data.hold_for_engine(
  p_decision orderlatch_data.trade_decisions,
  p_evidence jsonb
)
returns orderlatch_data.accounts
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  perform orderlatch_data.require_read_committed();
  perform orderlatch_data.require_evidence(p_evidence);
  return orderlatch_data.hold_decision(p_decision, 'external');
end
$$;
revoke all on function orderlatch_data.hold_for_engine(orderlatch_data.trade_decisions, jsonb) from public;
comment on function orderlatch_data.hold_for_engine(orderlatch_data.trade_decisions, jsonb) is
  'hold_decision for an external engine, which has to give evidence.';

-- Holds a decision and its account for judging, and refuses the engine that does not judge it by then.
-- Locks: account (judging), decision. Raises: OL201, OL202, OL304.
create or replace function orderlatch_data.hold_decision(
  p_decision orderlatch_data.trade_decisions,
  p_engine text
)
returns orderlatch_data.accounts
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_account orderlatch_data.accounts;
  v_builtin boolean;
begin
  perform orderlatch_data.make_durable();
  perform orderlatch_data.lock_account('judging', p_decision.account_id);
  perform orderlatch_data.lock_decisions(array[orderlatch_data.decision_lock_key(p_decision.decision_hash)]);
  -- read only now: while this waited, an operator may have given the account another engine
  select a.* into strict v_account
    from orderlatch_data.accounts as a
   where a.account_id = p_decision.account_id;
  if v_account.risk_engine <> p_engine then
    v_builtin := v_account.risk_engine = 'builtin';
    raise exception using
      errcode = 'OL304',
      message = format(
        'risk_engine_differs: account %L is judged by %s engine', v_account.account,
        case when v_builtin then 'the built-in' else 'an external' end
      ),
      hint = case
        when v_builtin then 'update_account sets risk_engine to external.'
        else 'The engine calls approve_decision or reject_decision.'
      end;
  end if;
  return v_account;
end
$$;
revoke all on function orderlatch_data.hold_decision(orderlatch_data.trade_decisions, text) from public;
comment on function orderlatch_data.hold_decision(orderlatch_data.trade_decisions, text) is
  'p_engine: builtin or external, whichever asks. Returns the account as it is once both are held, at most '
  '10 s later. Raises OL201 account_busy, OL202 decision_busy, OL304 risk_engine_differs.';
