-- Stores verdicts on decisions that are planned, and moves them.
-- Locks: none; the caller holds the account for judging, and the decisions that others can see. Raises: none.
create or replace function orderlatch_data.keep_verdicts(
  p_account orderlatch_data.accounts,
  p_verdicts orderlatch_data.risk_verdicts[],
  p_evidence jsonb
)
returns void
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_verdict orderlatch_data.risk_verdicts;
  v_ids bigint[] := array[]::bigint[];
  v_approval_nos bigint[] := array[]::bigint[];
  v_approved boolean := false;
begin
  foreach v_verdict in array p_verdicts loop
    v_ids := v_ids || v_verdict.decision_id;
    v_approval_nos := v_approval_nos
      || case when v_verdict.verdict = 'approved' then nextval('orderlatch_data.approval_nos') end;
    v_approved := v_approved or v_verdict.verdict = 'approved';
  end loop;
  with judged as (
    insert into orderlatch_data.risk_verdicts
    select v.* from unnest(p_verdicts) as v
  )
  update orderlatch_data.open_decisions as o
     set status = v.verdict,
         approval_no = v.approval_no,
         move_reason = case v.verdict
           when 'approved' then 'within all limits'
           else array_to_string(v.reasons, ', ')
         end,
         move_evidence = p_evidence
    from unnest(v_approval_nos, p_verdicts) as v(approval_no)
   -- by its key: a join may read all rows that there are, dead ones too
   where o.decision_id = any (v_ids) and o.decision_id = v.decision_id;
  if v_approved then
    perform pg_notify('orderlatch', p_account.account);
  end if;
end
$$;
revoke all on function orderlatch_data.keep_verdicts(
  orderlatch_data.accounts, orderlatch_data.risk_verdicts[], jsonb
) from public;
comment on function orderlatch_data.keep_verdicts(
  orderlatch_data.accounts, orderlatch_data.risk_verdicts[], jsonb
) is
  'Moves the decisions of p_verdicts, which are planned, to what each says, and wakes workers where one is '
  'approved. p_evidence: of an external engine, for the events; or null.';
