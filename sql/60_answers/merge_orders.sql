-- Brings known orders up to date with views of them, in whatever order the views arrive; none ever goes back.
-- Locks: none; rows that another session holds are skipped. Raises: none.
create or replace function orderlatch_data.merge_orders(
  p_account_id integer,
  p_shown orderlatch_data.shown_order[]
)
returns setof text
language sql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  with news as materialized (
    select l.*, d as seen
      from orderlatch_data.lock_orders_with_news(p_account_id, p_shown) as l
      join unnest(p_shown) as d on d.broker_order_id = l.broker_order_id
  )
  update orderlatch_data.broker_orders as b
     set -- what a decision asked for, and a duplicate of it, stay what they are
         relation = case
           when n.hangs and (b.decision_id is null or b.relation in ('leg', 'replacement')) then d.relation
           else b.relation
         end,
         parent_broker_order_id =
           case when n.hangs then d.parent_broker_order_id else b.parent_broker_order_id end,
         status = case when n.status_counts then d.status else b.status end,
         is_open = case when n.status_counts then d.is_open else b.is_open end,
         status_at = case when n.status_counts then d.updated_at else b.status_at end,
         filled_qty = case when n.fill_counts then d.filled_qty else b.filled_qty end,
         filled_avg_price = case when n.fill_counts then d.filled_avg_price else b.filled_avg_price end,
         filled_as_of = case when n.fill_counts then d.updated_at else b.filled_as_of end,
         -- an order that only a fill had told of
         client_order_id = case
           when b.decision_id is null or d.decision_hash is null
             then coalesce(b.client_order_id, d.client_order_id)
           else b.client_order_id
         end,
         document = case when b.decision_id is null then coalesce(b.document, d.document) end,
         symbol = case when n.terms_count then d.symbol else b.symbol end,
         side = case when n.terms_count then d.side else b.side end,
         order_type = case when n.terms_count then d.order_type else b.order_type end,
         qty = case when n.terms_count then d.qty else b.qty end,
         notional = case when n.terms_count then d.notional else b.notional end,
         limit_price = case when n.terms_count then d.limit_price else b.limit_price end,
         stop_price = case when n.terms_count then d.stop_price else b.stop_price end,
         shown_filled_qty = case when n.terms_count then d.filled_qty else b.shown_filled_qty end,
         submitted_at = case when n.terms_count then d.submitted_at else b.submitted_at end,
         updated_at = case when n.terms_count then d.updated_at else b.updated_at end,
         changed_at = orderlatch_data.clock()
    from news as n
   cross join lateral (select (n.seen).*) as d
   where b.order_no = any (array(select k.order_no from news as k))
     and b.order_no = n.order_no
  returning b.broker_order_id
$$;
revoke all on function orderlatch_data.merge_orders(integer, orderlatch_data.shown_order[]) from public;
comment on function orderlatch_data.merge_orders(integer, orderlatch_data.shown_order[]) is
  'Updates the orders of an account that are known with views of them. A status in which an order has '
  'ended gives way only to a newer one in which it has, filled_qty never falls but by a bust or a '
  'correction, and an older view changes nothing that a newer one said: every order of arrival leads to '
  'the same row. Returns the orders that changed.';

-- Finds and locks the orders of which a view says something new, and what that is.
-- Locks: none; rows that another session holds are skipped. Raises: none.
create or replace function orderlatch_data.lock_orders_with_news(
  p_account_id integer,
  p_shown orderlatch_data.shown_order[]
)
returns table (
  order_no bigint,
  broker_order_id text,
  status_counts boolean,
  fill_counts boolean,
  terms_count boolean,
  hangs boolean
)
language sql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  with told as materialized (
    -- Each by its key: without "offset 0" the planner may take the table for short and read all of it. A list
    -- that tells nothing new locks nothing and writes nothing.
    select k.order_no
      from unnest(p_shown) as d
     cross join lateral (
       select b.*
         from orderlatch_data.broker_orders as b
        where b.account_id = p_account_id and b.broker_order_id = d.broker_order_id
       offset 0
     ) as k
     cross join lateral orderlatch_data.compare_views(k::orderlatch_data.broker_orders, d) as n
     where n.status_counts or n.fill_counts or n.terms_count or n.hangs
  )
  select b.order_no, b.broker_order_id, n.status_counts, n.fill_counts, n.terms_count, n.hangs
    from orderlatch_data.broker_orders as b
    join unnest(p_shown) as d on d.broker_order_id = b.broker_order_id
   cross join lateral orderlatch_data.compare_views(b, d) as n
   where b.order_no = any (array(select t.order_no from told as t))
     and (n.status_counts or n.fill_counts or n.terms_count or n.hangs)
   order by b.order_no
     for update of b skip locked
$$;
revoke all on function orderlatch_data.lock_orders_with_news(integer, orderlatch_data.shown_order[])
  from public;
comment on function orderlatch_data.lock_orders_with_news(integer, orderlatch_data.shown_order[]) is
  'The known orders of an account for which a view counts: for their status, for what was filled, for '
  'their terms, or for what they hang on.';

-- Says what of a view counts beside what is known of its order.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.compare_views(
  p_order orderlatch_data.broker_orders,
  p_view orderlatch_data.shown_order,
  out status_counts boolean,
  out fill_counts boolean,
  out terms_count boolean,
  out hangs boolean
)
language sql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  -- each fact comes from the greatest of all views by a key of its own, so that the order of arrival does not
  -- matter: ended before open, then newer, then further along
  select (p_view.status_rank = 9, coalesce(p_view.updated_at, '-infinity'), p_view.status_rank, p_view.status)
         > (not p_order.is_open and p_order.status <> 'vanished', coalesce(p_order.status_at, '-infinity'),
            orderlatch_data.status_rank(p_order.status), p_order.status),
         -- after a bust what was filled is what the fills add up to, see sum_up_fills
         not p_order.has_reversals
         and (p_view.filled_qty, p_view.filled_avg_price is not null,
              coalesce(p_view.updated_at, '-infinity'), coalesce(p_view.filled_avg_price, 0))
             > (p_order.filled_qty, p_order.filled_avg_price is not null,
                coalesce(p_order.filled_as_of, '-infinity'), coalesce(p_order.filled_avg_price, 0)),
         -- terms change too: a trailing stop moves, a split changes what rests
         (coalesce(p_view.updated_at, '-infinity'), p_view.filled_qty,
          coalesce(p_view.submitted_at, '-infinity'))
         > (coalesce(p_order.updated_at, '-infinity'), p_order.shown_filled_qty,
            coalesce(p_order.submitted_at, '-infinity')),
         case
           when p_order.parent_broker_order_id is null then p_view.parent_broker_order_id is not null
           else p_order.relation in ('leg', 'replacement')
                and (orderlatch_data.relation_rank(p_view.relation), p_view.parent_broker_order_id)
                    > (orderlatch_data.relation_rank(p_order.relation), p_order.parent_broker_order_id)
         end
$$;
revoke all on function orderlatch_data.compare_views(
  orderlatch_data.broker_orders, orderlatch_data.shown_order
) from public;
comment on function orderlatch_data.compare_views(
  orderlatch_data.broker_orders, orderlatch_data.shown_order
) is
  'Whether a view of an order counts for its status, for filled_qty, for its terms, and for what it hangs '
  'on.';
