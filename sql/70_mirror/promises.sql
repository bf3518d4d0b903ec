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
                select p.account_id, p.symbol from orderlatch_data.position_sums as p
                union
                select m.account_id, m.symbol from orderlatch_data.holding_marks as m where m.strategy_id = ''
                union
                select a.account_id, a.symbol from orderlatch_data.position_adjustments as a
              ) as k
              left join orderlatch_data.position_sums as p
                on p.account_id = k.account_id and p.symbol = k.symbol
             cross join lateral (
               select coalesce(sum(a.qty), 0) as qty
                 from orderlatch_data.position_adjustments as a
                where a.account_id = k.account_id and a.symbol = k.symbol
             ) as j
             where not orderlatch_data.is_held(k.account_id, k.symbol, '', coalesce(p.qty, 0) - j.qty)
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
