-- Brings known orders up to date with views of them, in whatever order the views arrive; none ever goes back.
-- Locks: none; the caller holds the account for answering, or skips rows that are held. Raises: none.
create or replace function orderlatch_data.merge_orders(p_account_id integer, p_documents jsonb)
returns void
language sql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  with merged as materialized (
    select b.order_no, coalesce(b.parent_broker_order_id, d.parent_broker_order_id) as parent,
           case
             when b.relation = 'order' and b.decision_id is null then d.relation
             else b.relation
           end as relation,
           coalesce(b.symbol, d.symbol) as symbol, coalesce(b.side, d.side) as side,
           coalesce(b.order_type, d.order_type) as order_type, coalesce(b.qty, d.qty) as qty,
           coalesce(b.notional, d.notional) as notional,
           coalesce(b.limit_price, d.limit_price) as limit_price,
           coalesce(b.stop_price, d.stop_price) as stop_price,
           case when n.status then d.status else b.status end as status,
           case when n.status then d.is_open else b.is_open end as is_open,
           case when n.status then d.updated_at else b.status_at end as status_at,
           case when n.filled then d.filled_qty else b.filled_qty end as filled_qty,
           case when n.filled then d.filled_avg_price else b.filled_avg_price end as filled_avg_price,
           case when n.filled then d.updated_at else b.filled_as_of end as filled_as_of,
           case when n.shown then d.filled_qty else b.shown_filled_qty end as shown_filled_qty,
           case when n.shown then d.submitted_at else b.submitted_at end as submitted_at,
           case when n.shown then d.updated_at else b.updated_at end as updated_at
      from orderlatch_data.read_orders(p_documents) as d
      join orderlatch_data.broker_orders as b
        on b.account_id = p_account_id and b.broker_order_id = d.broker_order_id
     cross join lateral (
       -- each fact comes from the greatest of all views by a key of its own, so that the order of arrival
       -- does not matter: ended before open, then newer, then further along
       select (d.status_rank = 9, coalesce(d.updated_at, '-infinity'), d.status_rank, d.status)
              > (orderlatch_data.status_rank(b.status) = 9, coalesce(b.status_at, '-infinity'),
                 orderlatch_data.status_rank(b.status), b.status) as status,
              -- after a bust what was filled is what the fills add up to, see take_fills
              not b.has_reversals
              and (d.filled_qty, d.filled_avg_price is not null, coalesce(d.updated_at, '-infinity'),
                   coalesce(d.filled_avg_price, 0))
                  > (b.filled_qty, b.filled_avg_price is not null, coalesce(b.filled_as_of, '-infinity'),
                     coalesce(b.filled_avg_price, 0))
                as filled,
              (coalesce(d.updated_at, '-infinity'), d.filled_qty)
              > (coalesce(b.updated_at, '-infinity'), b.shown_filled_qty) as shown
     ) as n
     order by b.order_no
       for update of b skip locked
  )
  update orderlatch_data.broker_orders as b
     set parent_broker_order_id = m.parent, relation = m.relation, symbol = m.symbol, side = m.side,
         order_type = m.order_type, qty = m.qty, notional = m.notional, limit_price = m.limit_price,
         stop_price = m.stop_price, status = m.status, is_open = m.is_open, status_at = m.status_at,
         filled_qty = m.filled_qty, filled_avg_price = m.filled_avg_price, filled_as_of = m.filled_as_of,
         shown_filled_qty = m.shown_filled_qty, submitted_at = m.submitted_at, updated_at = m.updated_at,
         changed_at = orderlatch_data.clock()
    from merged as m
   where b.order_no = m.order_no
     and (b.parent_broker_order_id, b.relation, b.symbol, b.side, b.order_type, b.qty, b.notional,
          b.limit_price, b.stop_price, b.status, b.status_at, b.filled_qty, b.filled_avg_price,
          b.filled_as_of, b.shown_filled_qty, b.submitted_at, b.updated_at)
         is distinct from
         (m.parent, m.relation, m.symbol, m.side, m.order_type, m.qty, m.notional, m.limit_price,
          m.stop_price, m.status, m.status_at, m.filled_qty, m.filled_avg_price, m.filled_as_of,
          m.shown_filled_qty, m.submitted_at, m.updated_at)
$$;
revoke all on function orderlatch_data.merge_orders(integer, jsonb) from public;
comment on function orderlatch_data.merge_orders(integer, jsonb) is
  'Updates the orders of an account that are known with the broker''s documents of them (a JSON array). A '
  'status in which an order has ended stays, filled_qty never falls but by a bust, and an older view '
  'changes nothing that a newer one said: every order of arrival leads to the same row. Orders that are as '
  'they were are not written.';
