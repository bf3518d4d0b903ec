-- Approves or rejects decisions that are planned, and stores why.
-- Locks: none; the caller holds the account for judging, and the decisions that others can see. Raises: none.
create or replace function orderlatch_data.judge_decisions(
  p_account orderlatch_data.accounts,
  p_decisions orderlatch_data.trade_decisions[],
  p_evidence jsonb
)
returns orderlatch_data.risk_verdicts[]
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_verdicts orderlatch_data.risk_verdicts[];
begin
  if cardinality(p_decisions) = 0 then
    return array[]::orderlatch_data.risk_verdicts[];
  end if;
  v_verdicts := orderlatch_data.give_verdicts(
    p_account, p_decisions, p_evidence, orderlatch_data.clock()
  );
  perform orderlatch_data.keep_verdicts(p_account, v_verdicts, p_evidence);
  return v_verdicts;
end
$$;
revoke all on function orderlatch_data.judge_decisions(
  orderlatch_data.accounts, orderlatch_data.trade_decisions[], jsonb
) from public;
comment on function orderlatch_data.judge_decisions(
  orderlatch_data.accounts, orderlatch_data.trade_decisions[], jsonb
) is
  'Judges p_decisions, which are planned: approved, with a number in the order of approval, or rejected with '
  'all reasons. Returns the verdicts, in the order of the decisions, as risk_verdicts keeps them with limits '
  'and inputs; the new status is the verdict. Wakes workers on the channel orderlatch. p_evidence: an '
  'external engine''s, or null.';

-- Weighs decisions at a moment, and adds up what of the day has ended before it.
-- Locks: none; the caller holds the account for judging. Raises: none.
create or replace function orderlatch_data.give_verdicts(
  p_account orderlatch_data.accounts,
  p_decisions orderlatch_data.trade_decisions[],
  p_evidence jsonb,
  p_now timestamptz
)
returns orderlatch_data.risk_verdicts[]
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  -- stable: what it reads, it reads from one snapshot
  v_weighed constant record := orderlatch_data.weigh_decisions(p_account, p_decisions, p_evidence, p_now);
begin
  if v_weighed.has_day_limit then
    perform orderlatch_data.move_day_mark(p_account, p_now);
  end if;
  return v_weighed.verdicts;
end
$$;
revoke all on function orderlatch_data.give_verdicts(
  orderlatch_data.accounts, orderlatch_data.trade_decisions[], jsonb, timestamptz
) from public;
comment on function orderlatch_data.give_verdicts(
  orderlatch_data.accounts, orderlatch_data.trade_decisions[], jsonb, timestamptz
) is
  'The verdicts of weigh_decisions, to be written by the caller. p_evidence: an external engine''s, or null.';

-- Weighs decisions, one after the other: what is approved counts for the next.
-- Locks: none; the caller holds the account for judging. Raises: none.
create or replace function orderlatch_data.weigh_decisions(
  p_account orderlatch_data.accounts,
  p_decisions orderlatch_data.trade_decisions[],
  p_evidence jsonb,
  p_now timestamptz,
  out verdicts orderlatch_data.risk_verdicts[],
  out has_day_limit boolean
)
returns record
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_limits constant record := orderlatch_data.find_limits(p_account.account_id);
  v_decision orderlatch_data.trade_decisions;
  v_strategies text[] := array[]::text[];
  v_symbols text[] := array[]::text[];
  v_actions text[] := array[]::text[];
  v_gathered record;
  v_stakes orderlatch_data.symbol_stakes[];
  v_totals numeric[];
  v_weighed record;
  v_verdict orderlatch_data.risk_verdicts;
  v_first integer;
begin
  verdicts := '{}';
  has_day_limit := orderlatch_data.has_day_limit(v_limits.kinds);
  foreach v_decision in array p_decisions loop
    v_strategies := v_strategies || v_decision.strategy_id;
    v_symbols := v_symbols || v_decision.symbol;
    v_actions := v_actions || v_decision.action;
  end loop;
  v_gathered := orderlatch_data.gather_stakes(
    p_account, v_limits.limits, v_limits.kinds, v_strategies, v_symbols, v_actions, p_now
  );
  v_stakes := orderlatch_data.split_stakes(v_gathered.stakes, v_symbols);
  v_totals := v_gathered.totals;
  v_verdict.account_id := p_account.account_id;
  v_verdict.verdict_no := 1::smallint;
  v_verdict.evidence := p_evidence;
  v_verdict.judged_at := p_now;
  v_verdict.judged_by := session_user::text;
  -- a loop, because whether a decision fits depends on which of those before it did
  for v_place in 1 .. cardinality(p_decisions) loop
    v_decision := p_decisions[v_place];
    v_first := array_position(v_symbols, v_decision.symbol);
    v_weighed := orderlatch_data.weigh_decision(
      v_decision, v_limits.limits, coalesce(v_stakes[v_first].stakes, '{}'), v_totals, p_now
    );
    if cardinality(v_weighed.reasons) = 0 and v_gathered.stakes is not null then
      v_totals := v_weighed.totals;
      -- only where another of its symbol follows
      if array_position(v_symbols, v_decision.symbol, v_place + 1) is not null then
        v_stakes[v_first].stakes := orderlatch_data.add_stake(
          coalesce(v_stakes[v_first].stakes, '{}'), orderlatch_data.decision_stake(v_decision, p_now, true)
        );
      end if;
    end if;
    v_verdict.decision_id := v_decision.decision_id;
    v_verdict.verdict := case when cardinality(v_weighed.reasons) = 0 then 'approved' else 'rejected' end;
    v_verdict.reasons := v_weighed.reasons;
    v_verdict.limits := v_weighed.limits;
    v_verdict.inputs := v_weighed.inputs;
    verdicts := verdicts || v_verdict;
  end loop;
end
$$;
revoke all on function orderlatch_data.weigh_decisions(
  orderlatch_data.accounts, orderlatch_data.trade_decisions[], jsonb, timestamptz
) from public;
comment on function orderlatch_data.weigh_decisions(
  orderlatch_data.accounts, orderlatch_data.trade_decisions[], jsonb, timestamptz
) is
  'verdicts: on each of p_decisions, in their order, from what weigh_decision says of it. Limits and what '
  'they count are read once, all of it from the snapshot of the calling expression. has_day_limit: whether '
  'the account has a limit of a day, of whatever scope: then its mark is to be moved.';

-- The planned ones among decisions that were delivered.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.find_planned(p_decision_ids bigint[], p_outcomes text[])
returns orderlatch_data.trade_decisions[]
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return array(
    select d.row
      from (
        select g.decision_id, min(g.ordinality) as place
          from unnest(p_decision_ids, p_outcomes) with ordinality as g(decision_id, outcome)
         where g.outcome in ('created', 'existing', 'conflict')
         group by g.decision_id
      ) as i
     cross join lateral (
       -- by their keys: a join may read all rows that there are, dead ones too
       select t as row
         from orderlatch_data.open_decisions as o
         join orderlatch_data.trade_decisions as t on t.decision_id = o.decision_id
        where o.decision_id = i.decision_id and o.status = 'planned'
       offset 0
     ) as d
     order by i.place
  );
end
$$;
revoke all on function orderlatch_data.find_planned(bigint[], text[]) from public;
comment on function orderlatch_data.find_planned(bigint[], text[]) is
  'Those of p_decision_ids that are planned and whose outcome is created, existing or conflict, in the order '
  'given, each once, at its first place.';
