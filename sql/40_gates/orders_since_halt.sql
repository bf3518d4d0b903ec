-- Orders of the account of a halt, or of all, that are open or whose cancel has ended since it was set.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.orders_since_halt(p_halt orderlatch_data.halts)
returns setof bigint
language sql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select k.order_no
    from orderlatch_data.broker_orders as k
   where k.is_open and (p_halt.account_id is null or p_halt.account_id = k.account_id)
  union
  select o.order_no
    from orderlatch_data.accounts as a
   cross join lateral (
     select n.account_id, n.broker_order_id
       from orderlatch_data.order_cancels as n
      where n.account_id = a.account_id and n.ended_at >= p_halt.halted_at
     offset 0
   ) as n
   cross join lateral (
     select k.order_no
       from orderlatch_data.broker_orders as k
      where k.account_id = n.account_id and k.broker_order_id = n.broker_order_id
     offset 0
   ) as o
   where p_halt.account_id is null or p_halt.account_id = a.account_id
$$;
revoke all on function orderlatch_data.orders_since_halt(orderlatch_data.halts) from public;
comment on function orderlatch_data.orders_since_halt(orderlatch_data.halts) is
  'Their order_nos, each once. Of what ended before nothing is read, however many orders there were.';
