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
#variable_conflict use_column
declare
  v_account constant orderlatch_data.accounts := orderlatch_data.find_account(p_account);
  v_taken jsonb;
  v_ids bigint[];
  v_seen bigint[];
  v_outcomes text[];
begin
  perform orderlatch_data.require_read_committed();
  perform orderlatch_data.require_batch('p_decisions', p_decisions);
  perform orderlatch_data.make_durable();
  perform orderlatch_data.lock_account('judging', v_account.account_id);

  select jsonb_agg(to_jsonb(r)),
         array_agg(r.decision_id) filter (where r.outcome in ('created', 'existing', 'conflict')),
         array_agg(r.outcome)
    into v_taken, v_ids, v_outcomes
    from orderlatch_data.record_decisions(v_account, p_decisions) as r;
  v_seen := array(
    select t.decision_id
      from orderlatch_data.trade_decisions as t
     where t.decision_id = any (v_ids)
       and exists (select 1 from orderlatch_data.seen_orders_of(v_account.account_id, t.decision_hash))
  );
  if cardinality(v_seen) > 0 then
    -- legs and fills of their orders may be recorded at this moment
    perform orderlatch_data.lock_account('answering', v_account.account_id);
  end if;
  -- what is rare costs nothing where it does not happen
  if v_outcomes && '{existing}' then
    perform orderlatch_data.lock_redelivered(v_taken, v_seen);
  end if;
  if v_outcomes && '{conflict}' then
    perform orderlatch_data.reject_conflicts(v_account, v_taken);
  end if;
  if v_outcomes && '{collision}' then
    perform orderlatch_data.report_collisions(v_account, v_taken);
  end if;
  if cardinality(v_seen) > 0 then
    perform orderlatch_data.adopt_seen_orders(v_seen);
  end if;
  if p_judge and v_account.risk_engine = 'builtin' then
    perform orderlatch_data.judge_decisions(v_account, v_ids);
  end if;

  return query
  select t.input_no, s.decision_id, encode(t.decision_hash, 'hex'), s.status, t.outcome, s.reasons,
         t.error_code, t.error_message, t.error_detail, t.error_hint
    from jsonb_to_recordset(v_taken) as t(
      input_no integer, decision_id bigint, decision_hash bytea, outcome text,
      error_code text, error_message text, error_detail text, error_hint text
    )
    -- under the hash of a collision lies another decision, under that of a refused element perhaps another's
    left join lateral orderlatch_data.status_of(
           case when t.outcome not in ('collision', 'invalid') then t.decision_id end
         ) as s on true
   order by t.input_no;
end
$$;
revoke all on function orderlatch_data.take_decisions(text, jsonb, boolean) from public;
comment on function orderlatch_data.take_decisions(text, jsonb, boolean) is
  'The whole of proposing, for ensure_decision, propose_decision and propose_decisions. p_decisions: jsonb '
  'array. p_judge: whether to judge what is planned. Returns a row for each element, in input order.';

-- Holds those of the decisions delivered again that may move here.
-- Locks: decisions ascending. Raises: OL202 decision_busy.
create or replace function orderlatch_data.lock_redelivered(p_taken jsonb, p_seen bigint[])
returns void
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  -- nobody else sees what this transaction has recorded; of what was there before only these may move: a
  -- redelivery of a thousand approved decisions takes no lock
  perform orderlatch_data.lock_decisions(array(
    select orderlatch_data.decision_lock_key(t.decision_hash)
      from jsonb_to_recordset(p_taken) as t(decision_id bigint, decision_hash bytea, outcome text)
      left join orderlatch_data.open_decisions as o on o.decision_id = t.decision_id
     where t.outcome = 'existing' and (o.status = 'planned' or t.decision_id = any (p_seen))
  ));
end
$$;
revoke all on function orderlatch_data.lock_redelivered(jsonb, bigint[]) from public;
comment on function orderlatch_data.lock_redelivered(jsonb, bigint[]) is
  'p_taken: rows of record_decisions as a JSON array. p_seen: decisions whose orders were seen before they '
  'were recorded. Held are those that were recorded before, and are planned or seen.';

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
  return query
  select v_taken.decision_id, v_taken.decision_hash, v_taken.status, v_taken.outcome, v_taken.reasons;
end
$$;
revoke all on function orderlatch_data.take_one_decision(text, jsonb, boolean) from public;
comment on function orderlatch_data.take_one_decision(text, jsonb, boolean) is
  'take_decisions for one decision: a bad one raises its SQLSTATE (OL110 to OL121, OL301) instead of '
  'returning it.';
