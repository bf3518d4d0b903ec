-- Approves or rejects the planned ones among some decisions, and stores why.
-- Locks: none; the caller holds the account for judging, and the decisions that others can see. Raises: none.
create or replace function orderlatch_data.judge_decisions(
  p_account orderlatch_data.accounts,
  p_decision_ids bigint[],
  p_evidence jsonb default null
)
returns void
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_now constant timestamptz := orderlatch_data.clock();
  v_approved boolean;
begin
  with weighed as materialized (
    select o.decision_id, w.reasons, w.limits, w.inputs
      from orderlatch_data.open_decisions as o
      join orderlatch_data.trade_decisions as d on d.decision_id = o.decision_id
     cross join lateral orderlatch_data.weigh_decision(d, v_now) as w
     where o.decision_id = any (p_decision_ids) and o.status = 'planned'
     order by o.decision_id
  ), numbered as materialized (
    select w.decision_id, nextval('orderlatch_data.approval_nos') as approval_no
      from weighed as w
     where cardinality(w.reasons) = 0
  ), judged as (
    insert into orderlatch_data.risk_verdicts
      (decision_id, verdict_no, verdict, reasons, limits, inputs, evidence, judged_at, judged_by)
    select w.decision_id, 1, case when n.decision_id is null then 'rejected' else 'approved' end,
           w.reasons, w.limits, w.inputs, p_evidence, v_now, session_user
      from weighed as w
      left join numbered as n on n.decision_id = w.decision_id
  ), moved as (
    update orderlatch_data.open_decisions as o
       set status = case when n.decision_id is null then 'rejected' else 'approved' end,
           approval_no = n.approval_no,
           move_reason = case
             when n.decision_id is null then array_to_string(w.reasons, ', ')
             else 'within all limits'
           end,
           move_evidence = p_evidence
      from weighed as w
      left join numbered as n on n.decision_id = w.decision_id
     where o.decision_id = w.decision_id
    returning o.status
  )
  select bool_or(m.status = 'approved') into v_approved from moved as m;

  if v_approved then
    perform pg_notify('orderlatch', p_account.account);
  end if;
end
$$;
revoke all on function orderlatch_data.judge_decisions(orderlatch_data.accounts, bigint[], jsonb) from public;
comment on function orderlatch_data.judge_decisions(orderlatch_data.accounts, bigint[], jsonb) is
  'Judges those of p_decision_ids that are planned: approved, with a number in the order of approval, or '
  'rejected with all reasons. Limits and inputs are kept in risk_verdicts. Wakes workers on the channel '
  'orderlatch. p_evidence: an external engine''s, or null.';
