-- Digest of a verdict.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.verdict_digest(p_verdict orderlatch_data.risk_verdicts)
returns bytea
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return sha256(convert_to(json_build_array(
    p_verdict.decision_id, p_verdict.verdict_no, p_verdict.verdict, to_jsonb(p_verdict.reasons),
    p_verdict.limits, p_verdict.inputs, p_verdict.evidence,
    encode(timestamptz_send(p_verdict.judged_at), 'hex'), p_verdict.judged_by, p_verdict.account_id
  )::text, 'UTF8'));
end
$$;
revoke all on function orderlatch_data.verdict_digest(orderlatch_data.risk_verdicts) from public;
comment on function orderlatch_data.verdict_digest(orderlatch_data.risk_verdicts) is
  'Covers every column of a verdict: the limits, the values they were compared with, the evidence.';

-- Digest of the newest verdict on a decision.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.newest_verdict_digest(
  p_decision_id bigint,
  p_verdict text default null
)
returns bytea
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_digest bytea;
begin
  select case when r.verdict = coalesce(p_verdict, r.verdict) then orderlatch_data.verdict_digest(r) end
    into v_digest
    from orderlatch_data.risk_verdicts as r
   where r.decision_id = p_decision_id
   order by r.verdict_no desc limit 1;
  return v_digest;
end
$$;
revoke all on function orderlatch_data.newest_verdict_digest(bigint, text) from public;
comment on function orderlatch_data.newest_verdict_digest(bigint, text) is
  'verdict_digest of the verdict with the highest verdict_no; null where there is none, or where it does not '
  'say p_verdict (approved or rejected; null: whatever it says).';
