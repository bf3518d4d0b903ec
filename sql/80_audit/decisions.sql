-- Every decision with its status, open or settled.
create or replace view orderlatch.decisions as
  select d.decision_id, a.account, d.strategy_id, d.symbol, d.action,
         coalesce(trim_scale(d.qty)::text, '$' || trim_scale(d.notional)::text) as size,
         d.order_type, d.time_in_force, d.limit_price, d.stop_price,
         coalesce(o.status, s.status) as status,
         coalesce(o.clean, s.clean) as clean,
         v.reasons,
         x.broker_order_id, x.order_status, x.filled_qty, x.filled_avg_price,
         d.event_ts, d.recorded_at, s.settled_at,
         encode(d.decision_hash, 'hex') as decision_hash
    from orderlatch_data.trade_decisions as d
    join orderlatch_data.accounts as a on a.account_id = d.account_id
    left join orderlatch_data.open_decisions as o on o.decision_id = d.decision_id
    left join orderlatch_data.decision_outcomes as s
      on s.decision_id = d.decision_id and o.decision_id is null
    left join lateral orderlatch_data.execution_of(d.decision_id) as x on true
    left join lateral (
      select r.reasons
        from orderlatch_data.risk_verdicts as r
       where r.decision_id = d.decision_id
       order by r.verdict_no desc
       limit 1
    ) as v on true;
revoke all on orderlatch.decisions from public;
grant select on orderlatch.decisions to orderlatch_operator, orderlatch_auditor;
comment on view orderlatch.decisions is
  'Every decision with its status, the reasons of its newest verdict and its broker order. size: quantity, '
  'or dollars with a $. Indexed: decision_id, recorded_at; decision_status finds the decision_id of a hash.';

-- Every move of every decision.
create or replace view orderlatch.events as
  select e.event_id, e.decision_id, a.account, d.symbol, e.from_status, e.to_status, e.moved_at, e.moved_by,
         e.reason, e.request_id, e.evidence, encode(d.decision_hash, 'hex') as decision_hash
    from orderlatch_data.decision_events as e
    join orderlatch_data.trade_decisions as d on d.decision_id = e.decision_id
    join orderlatch_data.accounts as a on a.account_id = d.account_id;
revoke all on orderlatch.events from public;
grant select on orderlatch.events to orderlatch_operator, orderlatch_auditor;
comment on view orderlatch.events is
  'The journal: each move of each decision, with who, when, why and the request behind it.';
