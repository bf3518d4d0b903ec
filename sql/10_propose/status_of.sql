-- Where a decision stands, with the reasons of its newest verdict.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.status_of(p_decision_id bigint)
returns table (decision_id bigint, status text, reasons text[])
language sql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select d.decision_id, coalesce(o.status, s.status), coalesce(v.reasons, '{}')
    from orderlatch_data.trade_decisions as d
    left join orderlatch_data.open_decisions as o on o.decision_id = d.decision_id
    left join orderlatch_data.decision_outcomes as s on s.decision_id = d.decision_id
    left join lateral (
      select r.reasons
        from orderlatch_data.risk_verdicts as r
       where r.decision_id = d.decision_id
       order by r.verdict_no desc
       limit 1
    ) as v on true
   where d.decision_id = p_decision_id
$$;
revoke all on function orderlatch_data.status_of(bigint) from public;
comment on function orderlatch_data.status_of(bigint) is
  'Status of a decision, open or settled, and the reasons of its newest verdict (empty when approved or '
  'not judged). No row when unknown.';

-- Where a decision stands, for the strategy that proposed it.
-- Locks: none. Raises: OL103 decision_unknown, OL131 argument_invalid, OL301 login_not_bound.
create or replace function orderlatch.decision_status(p_decision_hash text)
returns table (
  decision_id bigint,
  status text,
  reasons text[],
  since timestamptz,
  reason text,
  broker_order_id text,
  order_status text,
  filled_qty numeric,
  filled_avg_price numeric
)
language plpgsql
stable
parallel safe
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_decision constant orderlatch_data.trade_decisions := orderlatch_data.find_decision(p_decision_hash, true);
begin
  return query
  select s.decision_id, s.status, s.reasons, e.moved_at, e.reason,
         x.broker_order_id, x.order_status, x.filled_qty, x.filled_avg_price
    from orderlatch_data.status_of(v_decision.decision_id) as s
   cross join lateral (
     select j.moved_at, j.reason
       from (
         select v.* from orderlatch_data.decision_events as v where v.decision_id = s.decision_id offset 0
       ) as j
      order by j.event_id desc
      limit 1
   ) as e
    left join lateral orderlatch_data.execution_of(s.decision_id) as x on true;
end
$$;
revoke all on function orderlatch.decision_status(text) from public;
grant execute on function orderlatch.decision_status(text) to
  orderlatch_strategy, orderlatch_risk, orderlatch_operator, orderlatch_auditor;
comment on function orderlatch.decision_status(text) is
  'Where a decision stands. p_decision_hash: 64 hex digits. Returns one row: status, the reasons of a '
  'rejection, since when and why it has this status, and its broker order if there is one: id and status, '
  'in the broker''s words, of the newest in its chain of replacements; quantity filled by all of them, and '
  'their average price in dollars. Raises OL103 decision_unknown, OL131 argument_invalid, OL301 '
  'login_not_bound.';

-- Whether a broker order of the decision is known.
-- Locks: none. Raises: OL103 decision_unknown, OL131 argument_invalid, OL301 login_not_bound.
create or replace function orderlatch.execution_exists(p_decision_hash text)
returns boolean
language plpgsql
stable
parallel safe
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_decision constant orderlatch_data.trade_decisions := orderlatch_data.find_decision(p_decision_hash, true);
begin
  return exists (
    select 1 from orderlatch_data.broker_orders as x where x.decision_id = v_decision.decision_id
  );
end
$$;
revoke all on function orderlatch.execution_exists(text) from public;
grant execute on function orderlatch.execution_exists(text) to
  orderlatch_strategy, orderlatch_risk, orderlatch_operator, orderlatch_auditor;
comment on function orderlatch.execution_exists(text) is
  'Whether a broker order of the decision is known. False means: none is known here; while it is in doubt '
  'one may exist all the same. Raises OL103 decision_unknown, OL131 argument_invalid, OL301 '
  'login_not_bound.';
