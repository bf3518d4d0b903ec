-- What the mirror promises of its rows, with the number of violations; part of the view invariants.
create or replace view orderlatch_data.mirror_promises as
  select p.promise_no, p.promise, p.violations
    from (
      values
        (
          12, 'an order is open until its status is one in which orders end',
          (
            select count(*)
              from orderlatch_data.broker_orders as b
             where b.is_open
                   = (b.status in ('filled', 'canceled', 'expired', 'rejected', 'replaced', 'vanished'))
          )
        ),
        (
          13, 'what an order says of its fills is what they add up to',
          (
            select count(*)
              from orderlatch_data.broker_orders as b
              left join (
                select f.order_no, sum(case f.entry when 'fill' then abs(f.qty) else -abs(f.qty) end) as qty,
                       sum(case f.entry when 'fill' then abs(f.qty) else -abs(f.qty) end * f.price) as value
                  from orderlatch_data.fills as f
                 group by f.order_no
              ) as s on s.order_no = b.order_no
             where b.fills_qty <> coalesce(s.qty, 0) or b.fills_value <> coalesce(s.value, 0)
          )
        ),
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
          15, 'what replaces an order of a decision, or is a leg of one, belongs to the decision too',
          (
            select count(*)
              from orderlatch_data.broker_orders as b
              join orderlatch_data.broker_orders as p
                on p.account_id = b.account_id and p.broker_order_id = b.parent_broker_order_id
             where p.decision_id is not null and b.decision_id is null
          )
        ),
        (
          16, 'an order that is to be canceled is open, and the broker is asked or the order looked at',
          (
            select count(*)
              from orderlatch_data.order_cancels as c
              join orderlatch_data.broker_orders as b
                on b.account_id = c.account_id and b.broker_order_id = c.broker_order_id
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
  'Rows of the view invariants about broker_orders, fills, positions, cancels and reads.';
