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
  v_approval_nos constant bigint[] := orderlatch_data.number_approvals(p_account, p_verdicts);
begin
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
   where o.decision_id = any (array(select w.decision_id from unnest(p_verdicts) as w))
     and o.decision_id = v.decision_id;
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

-- Numbers what verdicts approve, in their order, and wakes workers for it.
-- Locks: none; the caller holds the account for judging. Raises: none.
create or replace function orderlatch_data.number_approvals(
  p_account orderlatch_data.accounts,
  p_verdicts orderlatch_data.risk_verdicts[]
)
returns bigint[]
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_verdict orderlatch_data.risk_verdicts;
  v_numbers bigint[] := array[]::bigint[];
  v_approved boolean := false;
begin
  foreach v_verdict in array p_verdicts loop
    v_numbers := v_numbers
      || case when v_verdict.verdict = 'approved' then nextval('orderlatch_data.approval_nos') end;
    v_approved := v_approved or v_verdict.verdict = 'approved';
  end loop;
  if v_approved then
    -- an expression, as perform would start an executor; heard at the commit
    v_approved := pg_notify('orderlatch', p_account.account) is not null;
  end if;
  return v_numbers;
end
$$;
revoke all on function orderlatch_data.number_approvals(
  orderlatch_data.accounts, orderlatch_data.risk_verdicts[]
) from public;
comment on function orderlatch_data.number_approvals(
  orderlatch_data.accounts, orderlatch_data.risk_verdicts[]
) is
  'The approval_no of each verdict, in their order, null for one that rejects. Wakes workers on the channel '
  'orderlatch where one approves.';
