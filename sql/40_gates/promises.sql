-- What the gates promise of the submits that were granted; part of the view invariants.
create or replace view orderlatch_data.gate_promises as
  select p.promise_no, p.promise, p.violations
    from (
      values
        (
          18, 'after a restart or a change of the cluster no submit was granted before the orders were read',
          (
            -- only calls between a server's start and the first read after it are looked at
            select count(*)
              from orderlatch_data.clusters as c
             cross join orderlatch_data.accounts as a
             cross join lateral orderlatch_data.first_read_since(a.account_id, c.reads_from) as f(read_at)
             cross join lateral (
               select q.claimed_at
                 from orderlatch_data.all_requests as q
                where q.account_id = a.account_id
                  and q.claimed_at > c.reads_from
                  and q.claimed_at < f.read_at
                  and q.kind = 'submit_order'
               offset 0
             ) as q
             where c.why <> 'first'
               and not exists (
                 select 1
                   from orderlatch_data.sign_offs as s
                  where s.account_id = a.account_id
                    and s.since >= c.reads_from
                    and s.signed_at <= q.claimed_at
               )
          )
        )
    ) as p(promise_no, promise, violations);
comment on view orderlatch_data.gate_promises is
  'Rows of the view invariants about submits that a gate should have held back.';
