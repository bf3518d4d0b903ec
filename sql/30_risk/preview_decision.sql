-- Says what proposing a decision would do now, and does nothing.
-- Locks: none. Raises: OL102, OL110 to OL121, OL301.
create or replace function orderlatch.preview_decision(p_account text, p_decision jsonb)
returns table (
  decision_hash text,
  outcome text,
  status text,
  reasons text[],
  limits jsonb,
  inputs jsonb
)
language plpgsql
stable
parallel safe
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_account constant orderlatch_data.accounts := orderlatch_data.find_account(p_account);
  v_read constant record := orderlatch_data.read_batch(v_account, jsonb_build_array(p_decision));
  v_problem constant jsonb := v_read.problems[1];
  v_decision constant orderlatch_data.trade_decisions := v_read.decisions[1];
  v_known orderlatch_data.trade_decisions;
begin
  if v_problem is not null then
    perform orderlatch_data.raise_input_error(
      v_problem ->> 'error_code', v_problem ->> 'error_message', v_problem ->> 'error_detail',
      v_problem ->> 'error_hint'
    );
  end if;
  decision_hash := encode(v_decision.decision_hash, 'hex');
  select d.* into v_known
    from orderlatch_data.trade_decisions as d
   where d.decision_hash = v_decision.decision_hash;
  if v_known.decision_id is null then
    select n.outcome, n.status, n.reasons, n.limits, n.inputs
      into outcome, status, reasons, limits, inputs
      from orderlatch_data.preview_new(v_account, v_decision, v_read.signal_keys[1]) as n;
  else
    outcome := case when v_known.intent = v_decision.intent then 'existing' else 'collision' end;
    select s.status, s.reasons into status, reasons
      from orderlatch_data.status_of(v_known.decision_id) as s
     where outcome = 'existing';
    select orderlatch_data.told_limits(v.limits), v.inputs into limits, inputs
      from orderlatch_data.risk_verdicts as v
     where v.decision_id = v_known.decision_id and outcome = 'existing'
     order by v.verdict_no desc
     limit 1;
  end if;
  return next;
end
$$;
revoke all on function orderlatch.preview_decision(text, jsonb) from public;
grant execute on function orderlatch.preview_decision(text, jsonb) to
  orderlatch_strategy, orderlatch_operator;
comment on function orderlatch.preview_decision(text, jsonb) is
  'What propose_decision would answer for this decision now; it records nothing, takes no lock and works '
  'in a read-only transaction. p_account: account name. p_decision: see docs/decision-hash.md. Returns one '
  'row: decision_hash, outcome (created, existing, conflict, collision), status (planned where an external '
  'engine judges, with the reasons that the built-in limits would have), reasons, and limits and inputs of '
  'the verdict. What others do before it is proposed may change the answer. Raises OL102 '
  'account_unknown, OL110 to OL121 for bad input, OL301 login_not_bound.';

-- What would become of a decision that is not recorded yet.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.preview_new(
  p_account orderlatch_data.accounts,
  p_decision orderlatch_data.trade_decisions,
  p_signal_key uuid,
  out outcome text,
  out status text,
  out reasons text[],
  out limits jsonb,
  out inputs jsonb
)
returns record
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_now constant timestamptz := orderlatch_data.clock();
  v_limits constant record := orderlatch_data.find_limits(p_account.account_id);
  v_gathered record;
  v_own orderlatch_data.symbol_stakes[];
  v_weighed record;
  v_live text;
begin
  select encode(d.decision_hash, 'hex') into v_live
    from orderlatch_data.live_signals as g
    join orderlatch_data.trade_decisions as d on d.decision_id = g.decision_id
   where g.signal_key = p_signal_key and p_account.one_decision_per_signal;
  if v_live is not null then
    outcome := 'conflict';
    status := 'rejected';
    reasons := '{signal_already_decided}';
    limits := '[]';
    inputs := jsonb_build_object('live_decision', v_live);
    return;
  end if;
  outcome := 'created';
  v_gathered := orderlatch_data.gather_stakes(
    p_account, v_limits.limits, v_limits.kinds, array[p_decision.strategy_id], array[p_decision.symbol],
    array[p_decision.action], v_now
  );
  v_own := orderlatch_data.split_stakes(v_gathered.stakes, array[p_decision.symbol]);
  v_weighed := orderlatch_data.weigh_decision(
    p_decision, v_limits.limits, coalesce(v_own[1].stakes, '{}'), v_gathered.totals, v_now
  );
  reasons := v_weighed.reasons;
  limits := orderlatch_data.told_limits(v_weighed.limits);
  inputs := v_weighed.inputs;
  -- an order with its hash that was seen before is adopted, not sent
  select case
           when orderlatch_data.order_differences(p_decision, o.document) = '{}' then 'submitted'
           else 'in_doubt'
         end
    into status
    from orderlatch_data.seen_orders_of(p_account.account_id, p_decision.decision_hash) as o(document)
   limit 1;
  status := coalesce(
    status,
    case
      when p_account.risk_engine = 'external' then 'planned'
      when cardinality(reasons) = 0 then 'approved'
      else 'rejected'
    end
  );
end
$$;
revoke all on function orderlatch_data.preview_new(
  orderlatch_data.accounts, orderlatch_data.trade_decisions, uuid
) from public;
comment on function orderlatch_data.preview_new(
  orderlatch_data.accounts, orderlatch_data.trade_decisions, uuid
) is
  'For preview_decision: outcome, status, reasons, limits and inputs of a decision that nobody has recorded.';
