-- What the gates promise of the submits that were granted; part of the view invariants.
create or replace view orderlatch_data.gate_promises as
  select p.promise_no, p.promise, p.violations
    from (
      values
        (
          18, 'after a restart or a change of the cluster no submit was granted before the orders were read',
          (
            select count(*)
              from orderlatch_data.broker_requests as q
              join orderlatch_data.clusters as c on c.reads_from < q.claimed_at and c.why <> 'first'
             where q.kind = 'submit_order'
               and not exists (
                 select 1
                   from orderlatch_data.broker_requests as p
                   join orderlatch_data.broker_reads as b on b.read_id = p.read_id and b.purpose = 'orders'
                   join orderlatch_data.broker_responses as r on r.request_id = p.request_id
                  where p.account_id = q.account_id
                    and p.claimed_at >= c.reads_from
                    and r.meaning = 'orders_listed'
                    and r.recorded_at <= q.claimed_at
               )
               and not exists (
                 select 1
                   from orderlatch_data.sign_offs as f
                  where f.account_id = q.account_id
                    and f.since >= c.reads_from
                    and f.signed_at <= q.claimed_at
               )
          )
        )
    ) as p(promise_no, promise, violations);
comment on view orderlatch_data.gate_promises is
  'Rows of the view invariants about submits that a gate should have held back.';
