-- One row for each promise, with the number of its violations: all zero.
create or replace view orderlatch.invariants as
  select p.promise, p.violations
    from (
      values
        (
          1, 'a decision is open or settled, never both and never neither',
          (
            select count(*)
              from orderlatch_data.trade_decisions as d
              left join orderlatch_data.open_decisions as o on o.decision_id = d.decision_id
              left join orderlatch_data.decision_outcomes as s on s.decision_id = d.decision_id
             where (o.decision_id is null) = (s.decision_id is null)
          )
        ),
        (
          2, 'a submitted decision has its broker order, and no other decision has one',
          (
            select count(*)
              from orderlatch_data.trade_decisions as d
              left join orderlatch_data.decision_outcomes as s on s.decision_id = d.decision_id
              left join orderlatch_data.broker_orders as x
                on x.decision_id = d.decision_id and x.relation = 'order'
             where coalesce(s.status = 'submitted', false) <> (x.decision_id is not null)
          )
        ),
        (
          3, 'the events of a decision are one chain from its birth to its status',
          (
            select count(*)
              from (
                select e.from_status, e.to_status, coalesce(o.status, s.status) as status,
                       lag(e.to_status, 1, 'none') over chain as before,
                       lead(e.event_id) over chain as after
                  from orderlatch_data.trade_decisions as d
                  left join orderlatch_data.decision_events as e on e.decision_id = d.decision_id
                  left join orderlatch_data.open_decisions as o on o.decision_id = d.decision_id
                  left join orderlatch_data.decision_outcomes as s on s.decision_id = d.decision_id
                window chain as (partition by d.decision_id order by e.event_id)
              ) as c
             where c.from_status is distinct from c.before
                or (c.after is null and c.to_status is distinct from c.status)
          )
        ),
        (
          4, 'an outcome is what the newest event of its decision says',
          (
            select count(*)
              from orderlatch_data.decision_outcomes as s
             where s.status is distinct from (
               select case when e.event_id = s.event_id then e.to_status end
                 from orderlatch_data.decision_events as e
                where e.decision_id = s.decision_id
                order by e.event_id desc
                limit 1
             )
          )
        ),
        (
          5, 'a decision is submitting while its newest submit is on its way, or its order was seen before',
          (
            select count(*)
              from orderlatch_data.open_decisions as o
              full join (
                select r.request_id, s.status = 'submitted' or d.mismatched as seen
                  from orderlatch_data.open_requests as r
                  left join orderlatch_data.decision_outcomes as s on s.decision_id = r.decision_id
                  left join orderlatch_data.doubts as d on d.decision_id = r.decision_id
                 where r.kind = 'submit_order'
              ) as r on r.request_id = o.holder_request_id and o.status = 'submitting'
             where (o.status = 'submitting' and r.request_id is null)
                or (o.decision_id is null and r.seen is not true)
          )
        ),
        (
          6, 'every call was granted, and is on its way, answered or lost',
          (
            select count(*)
              from orderlatch_data.broker_requests as q
              left join orderlatch_data.open_requests as o on o.request_id = q.request_id
              left join orderlatch_data.broker_responses as r on r.request_id = q.request_id
              left join orderlatch_data.lost_requests as l on l.request_id = q.request_id
             where (o.request_id is null) = (r.request_id is null and l.request_id is null)
          )
        ),
        (
          7, 'every submit carries the decision hash as client_order_id, and an approval came before it',
          (
            select count(*)
              from orderlatch_data.broker_requests as q
              join orderlatch_data.trade_decisions as d on d.decision_id = q.decision_id
             where q.kind = 'submit_order'
               and (
                 q.body::jsonb ->> 'client_order_id' is distinct from encode(d.decision_hash, 'hex')
                 or not exists (
                   select 1
                     from orderlatch_data.risk_verdicts as v
                    where v.decision_id = q.decision_id
                      and v.verdict = 'approved'
                      and v.judged_at <= q.claimed_at
                 )
               )
          )
        ),
        (
          8, 'no submit was granted before each earlier one of its decision was answered or given up',
          (
            select count(*)
              from orderlatch_data.broker_requests as q
              join orderlatch_data.broker_requests as p
                on p.decision_id = q.decision_id
               and p.kind = 'submit_order'
               and p.claimed_at < q.claimed_at
              left join orderlatch_data.broker_responses as r on r.request_id = p.request_id
              left join orderlatch_data.lost_requests as l on l.request_id = p.request_id
             where q.kind = 'submit_order'
               and coalesce(least(r.recorded_at, l.lost_at) > q.claimed_at, true)
          )
        ),
        (
          9, 'a decision in doubt is being looked for, or an operator must say what its order is',
          (
            select count(*)
              from orderlatch_data.open_decisions as o
              left join orderlatch_data.doubts as d on d.decision_id = o.decision_id
             where o.status = 'in_doubt'
               and (
                 d.decision_id is null
                 or (d.next_lookup_at is null and o.lookup_request_id is null and not d.mismatched)
               )
          )
        ),
        (
          10, 'every decision is the one that was hashed',
          (
            select count(*)
              from orderlatch_data.trade_decisions as d
             where d.decision_hash <> sha256(convert_to(d.intent, 'UTF8'))
          )
        ),
        (
          11, 'no signal is taken by a decision that has no order and never will',
          (
            select count(*)
              from orderlatch_data.live_signals as g
              join orderlatch_data.decision_outcomes as s on s.decision_id = g.decision_id
             where s.status in ('rejected', 'withdrawn') or (s.clean and s.status in ('refused', 'lapsed'))
          )
        )
      union all
      select m.promise_no, m.promise, m.violations from orderlatch_data.mirror_promises as m
      union all
      select g.promise_no, g.promise, g.violations from orderlatch_data.gate_promises as g
      union all
      select r.promise_no, r.promise, r.violations from orderlatch_data.risk_promises as r
      union all
      select a.promise_no, a.promise, a.violations from orderlatch_data.chain_promises as a
    ) as p(promise_no, promise, violations)
   order by p.promise_no;
revoke all on orderlatch.invariants from public;
grant select on orderlatch.invariants to orderlatch_operator, orderlatch_auditor;
comment on view orderlatch.invariants is
  'One row for each promise with the number of its violations. Anything but zero is a bug or a tampered '
  'database.';
