-- One row for each promise, with the number of its violations: all zero.
create or replace view orderlatch.invariants as
  select p.promise, p.violations
    from (
      values
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
        )
      union all
      select d.promise_no, d.promise, coalesce(v.violations, 0)
        from (
          values
            (1, 'a decision is open or settled, never both and never neither'),
            (2, 'a submitted decision has its broker order, and no other decision has one'),
            (3, 'the events of a decision are one chain from its birth to its status'),
            (4, 'an outcome is what the newest event of its decision says'),
            (6, 'every call was granted, and is on its way, answered or lost'),
            (7, 'every submit carries the decision hash as client_order_id, and an approval came before it'),
            (8, 'no submit was granted before each earlier one of its decision was answered or given up'),
            (10, 'every decision is the one that was hashed'),
            (11, 'no signal is taken by a decision that has no order and never will'),
            (12, 'an order is open until its status is one in which orders end'),
            (13, 'what an order says of its fills is what they add up to'),
            (15, 'what replaces an order of a decision, or is a leg of one, belongs to the decision too')
        ) as d(promise_no, promise)
        left join orderlatch_data.unsealed_promises() as v on v.promise_no = d.promise_no
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
  'database. What is about decisions, their calls and their orders is counted over those that are open or '
  'not sealed; verify_all counts over all.';
