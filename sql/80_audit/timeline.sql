-- What happened, whoever did it: moves, acts and incidents.
create or replace view orderlatch.timeline as
  select e.moved_at as at, a.account, 'move' as what, d.symbol as subject,
         format('%s became %s: %s', e.from_status, e.to_status, e.reason) as story, e.moved_by as by_whom,
         encode(d.decision_hash, 'hex') as decision_hash, e.decision_id
    from orderlatch_data.decision_events as e
    join orderlatch_data.trade_decisions as d on d.decision_id = e.decision_id
    join orderlatch_data.accounts as a on a.account_id = d.account_id
  union all
  select c.acted_at, coalesce(a.account, c.detail ->> 'account'), 'act', c.detail ->> 'symbol',
         concat_ws(': ', c.act, coalesce(c.detail ->> 'lift_reason', c.detail ->> 'resolution',
                                         c.detail ->> 'reason', c.detail ->> 'login')),
         c.acted_by, null, null
    from orderlatch_data.operator_acts as c
    left join orderlatch_data.accounts as a on a.account_id = (c.detail ->> 'account_id')::integer
  union all
  select i.opened_at, a.account, 'incident', i.subject, i.incident, null, encode(d.decision_hash, 'hex'),
         i.decision_id
    from orderlatch_data.incidents as i
    left join orderlatch_data.accounts as a on a.account_id = i.account_id
    left join orderlatch_data.trade_decisions as d on d.decision_id = i.decision_id;
revoke all on orderlatch.timeline from public;
grant select on orderlatch.timeline to orderlatch_operator, orderlatch_auditor;
comment on view orderlatch.timeline is
  'Every move of every decision, every act of an operator and every incident. Ask for a span of time: '
  'it is long. Indexed: decision_id, and at, as far as it is about moves.';
