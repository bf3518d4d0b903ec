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
    select w.place, w.decision_id, w.reasons, w.limits, w.inputs
      from orderlatch_data.weigh_decisions(p_account, p_decision_ids, v_now) as w
  ), numbered as materialized (
    select w.decision_id, nextval('orderlatch_data.approval_nos') as approval_no
      from (select k.* from weighed as k order by k.place) as w
     where cardinality(w.reasons) = 0
  ), judged as (
    insert into orderlatch_data.risk_verdicts
      (decision_id, account_id, verdict_no, verdict, reasons, limits, inputs, evidence, judged_at, judged_by)
    select w.decision_id, p_account.account_id, 1,
           case when n.decision_id is null then 'rejected' else 'approved' end,
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
     -- by its key: a join may read all rows that there are, dead ones too
     where o.decision_id = any (p_decision_ids) and o.decision_id = w.decision_id
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

-- Weighs the planned ones among some decisions, one after the other: what is approved counts for the next.
-- Locks: none; the caller holds the account for judging. Raises: none.
create or replace function orderlatch_data.weigh_decisions(
  p_account orderlatch_data.accounts,
  p_decision_ids bigint[],
  p_now timestamptz
)
returns table (place integer, decision_id bigint, reasons text[], limits jsonb, inputs jsonb)
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_limits constant orderlatch_data.risk_limits[] := orderlatch_data.limits_in_force(p_account.account_id);
  v_ids bigint[];
  v_strategies text[];
  v_symbols text[];
  v_actions text[];
  v_symbol_nos integer[];
  v_gathered record;
  v_stakes orderlatch_data.symbol_stakes[];
  v_totals numeric[];
  v_decision orderlatch_data.trade_decisions;
  v_weighed record;
  v_no integer;
begin
  select array_agg(p.decision_id order by p.place), array_agg(p.strategy_id order by p.place),
         array_agg(p.symbol order by p.place), array_agg(p.action order by p.place),
         array_agg(p.symbol_no order by p.place)
    into v_ids, v_strategies, v_symbols, v_actions, v_symbol_nos
    from orderlatch_data.planned_decisions(p_decision_ids) as p;
  v_gathered := orderlatch_data.gather_stakes(
    p_account, v_limits, v_strategies, v_symbols, v_actions, p_now
  );
  v_stakes := orderlatch_data.split_stakes(v_gathered.stakes, v_symbols);
  v_totals := v_gathered.totals;

  -- a loop, because whether a decision fits depends on which of those before it did
  for v_place in 1 .. coalesce(cardinality(v_ids), 0) loop
    v_no := v_symbol_nos[v_place];
    select d.* into strict v_decision
      from orderlatch_data.trade_decisions as d
     where d.decision_id = v_ids[v_place];
    v_weighed := orderlatch_data.weigh_decision(
      v_decision, v_limits, v_stakes[v_no].stakes, v_totals, p_now
    );
    if cardinality(v_weighed.reasons) = 0 and v_gathered.stakes is not null then
      v_totals := v_weighed.totals;
      v_stakes[v_no].stakes := orderlatch_data.add_stake(
        v_stakes[v_no].stakes, orderlatch_data.decision_stake(v_decision, p_now)
      );
    end if;
    return query select v_place, v_ids[v_place], v_weighed.reasons, v_weighed.limits, v_weighed.inputs;
  end loop;
end
$$;
revoke all on function orderlatch_data.weigh_decisions(orderlatch_data.accounts, bigint[], timestamptz)
  from public;
comment on function orderlatch_data.weigh_decisions(orderlatch_data.accounts, bigint[], timestamptz) is
  'One row for each of p_decision_ids that is planned, in the order given (place): what weigh_decision says '
  'of it. Limits and what they count are read once, all of it from the snapshot of the calling statement.';

-- The planned ones among some decisions, in the order given, with a number for each symbol.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.planned_decisions(p_decision_ids bigint[])
returns table (
  place bigint, decision_id bigint, strategy_id text, symbol text, action text, symbol_no integer
)
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  return query
  select i.place, d.decision_id, d.strategy_id, d.symbol, d.action,
         dense_rank() over (order by d.symbol)::integer
    from (
      select g.decision_id, min(g.place) as place
        from unnest(p_decision_ids) with ordinality as g(decision_id, place)
       group by g.decision_id
    ) as i
   cross join lateral (
     -- by their keys: a join may read all rows that there are, dead ones too
     select t.decision_id, t.strategy_id, t.symbol, t.action
       from orderlatch_data.open_decisions as o
       join orderlatch_data.trade_decisions as t on t.decision_id = o.decision_id
      where o.decision_id = i.decision_id and o.status = 'planned'
     offset 0
   ) as d;
end
$$;
revoke all on function orderlatch_data.planned_decisions(bigint[]) from public;
comment on function orderlatch_data.planned_decisions(bigint[]) is
  'Each once, at its first place. symbol_no numbers the symbols in their order, as split_stakes does.';
