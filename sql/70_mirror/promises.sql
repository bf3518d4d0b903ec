-- What the mirror promises of its rows, with the number of violations; part of the view invariants.
create or replace view orderlatch_data.mirror_promises as
  select p.promise_no, p.promise, p.violations
    from (
      values
        (
          14, 'a position is what its fills and adjustments add up to',
          (
            select count(*)
              from (
                select r.symbol, sum(r.qty) as qty, sum(r.summed) as summed
                  from (
                    select f.account_id, f.symbol, f.qty, 0 as summed from orderlatch_data.fills as f
                    union all
                    select a.account_id, a.symbol, a.qty, 0 from orderlatch_data.position_adjustments as a
                    union all
                    select s.account_id, s.symbol, 0, s.qty from orderlatch_data.position_sums as s
                  ) as r
                 group by r.account_id, r.symbol
              ) as d
             where d.qty <> d.summed
          )
        ),
        (
          16, 'an order that is to be canceled is open, and the broker is asked or the order looked at',
          (
            select count(*)
              from orderlatch_data.order_cancels as c
             -- by its key: for a join the planner may read all orders that there ever were
             cross join lateral (
               select o.is_open
                 from orderlatch_data.broker_orders as o
                where o.account_id = c.account_id and o.broker_order_id = c.broker_order_id
               offset 0
             ) as b
             where c.ended_at is null
               and (
                 not b.is_open
                 or (
                   c.next_try_at is null
                   and not exists (
                     select 1
                       from orderlatch_data.order_checks as k
                      where k.account_id = c.account_id and k.broker_order_id = c.broker_order_id
                   )
                 )
               )
          )
        ),
        (
          17, 'a page that a read waits for is on its way',
          (
            select count(*)
              from orderlatch_data.broker_reads as r
             where r.request_id is not null
               and not exists (
                 select 1 from orderlatch_data.open_requests as o where o.request_id = r.request_id
               )
          )
        )
    ) as p(promise_no, promise, violations);
comment on view orderlatch_data.mirror_promises is
  'Rows of the view invariants about positions, cancels and reads.';
