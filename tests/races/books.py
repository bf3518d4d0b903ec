"""What must be true of the books after any race, asked of the tables and not of the view `invariants`."""

from __future__ import annotations

# A visit that could not write a mark has left a row in account_wakes: whoever takes it begins from nothing.
BEFORE_THE_MARKS = """
        select count(*) from orderlatch_data.account_agenda as g
        where exists (
            select from orderlatch_data.open_decisions as o
            where o.account_id = g.account_id and o.approval_no < g.approved_from)
          or (
            exists (
              select from orderlatch_data.open_requests as r
              where r.account_id = g.account_id and r.answer_by < g.answers_from)
            and not exists (
              select from orderlatch_data.account_wakes as w where w.account_id = g.account_id))"""

PROMISES = {
    "nothing that is open lies before the marks that searches begin at": BEFORE_THE_MARKS,
    "every decision is open xor settled": """
        select count(*) from orderlatch_data.trade_decisions as d
        left join orderlatch_data.open_decisions as o on o.decision_id = d.decision_id
        left join orderlatch_data.decision_outcomes as s on s.decision_id = d.decision_id
        where (o.decision_id is null) = (s.decision_id is null)""",
    "executions are those of submitted decisions, one each": """
        select count(*) from orderlatch_data.trade_decisions as d
        where (select count(*) from orderlatch_data.broker_orders as x where x.decision_id = d.decision_id)
          <> (select count(*) from orderlatch_data.decision_outcomes as s
              where s.decision_id = d.decision_id and s.status = 'submitted')""",
    "an open request is neither answered nor lost, and every other one is": """
        select count(*) from orderlatch_data.all_requests as q
        where exists (select from orderlatch_data.open_requests as o where o.request_id = q.request_id)
          = (exists (select from orderlatch_data.all_responses as r where r.request_id = q.request_id)
             or exists (select from orderlatch_data.all_losses as l where l.request_id = q.request_id))""",
    "events form one chain for each decision, from nothing to its status": """
        with chained as (
          select e.*, lag(e.to_status, 1, 'none') over w as before, lead(e.event_id) over w is null as newest
          from orderlatch_data.decision_events as e
          window w as (partition by e.decision_id order by e.event_id)
        )
        select count(*) from chained as c
        left join orderlatch_data.open_decisions as o on o.decision_id = c.decision_id
        left join orderlatch_data.decision_outcomes as s on s.decision_id = c.decision_id
        where c.from_status <> c.before or (c.newest and c.to_status <> coalesce(o.status, s.status))""",
    "each submit was one move to submitting": """
        select count(*) from orderlatch_data.trade_decisions as d
        where (select count(*) from orderlatch_data.all_requests as q
               where q.decision_id = d.decision_id and q.kind = 'submit_order')
          <> (select count(*) from orderlatch_data.decision_events as e
              where e.decision_id = d.decision_id and e.to_status = 'submitting')""",
    "a submit is sent again only after it was proved not sent, turned away or proved absent": """
        select count(*) from orderlatch_data.decision_events as e
        where e.to_status = 'approved' and e.from_status <> 'planned'
          and e.reason !~ '^(proved|declared) absent'
          and not exists (
            select from orderlatch_data.all_responses as r
            where r.request_id = e.request_id and r.meaning in ('not_sent', 'unauthorized', 'throttled'))""",
    "after a 429 the order is looked for before it is sent again": """
        select count(*) from orderlatch_data.decision_events as t
        join orderlatch_data.all_responses as r on r.request_id = t.request_id and r.meaning = 'throttled'
        join lateral (
          select e.* from orderlatch_data.decision_events as e
          where e.decision_id = t.decision_id and e.event_id > t.event_id
          order by e.event_id limit 1
        ) as n on n.to_status = 'submitting'
        where t.to_status = 'approved' and not exists (
          select from orderlatch_data.all_requests as q
          join orderlatch_data.all_responses as a on a.request_id = q.request_id and a.meaning = 'absent'
          where q.decision_id = t.decision_id and q.kind = 'find_order'
            and a.recorded_at between t.moved_at and n.moved_at)""",
    "a rejection has its verdict": """
        select count(*) from orderlatch_data.decision_events as e
        where e.to_status = 'rejected' and not exists (
          select from orderlatch_data.risk_verdicts as v
          where v.decision_id = e.decision_id and v.verdict = 'rejected')""",
}
