-- How often some orders break each promise that is about one order by itself.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.order_promises(p_order_nos bigint[])
returns table (promise_no integer, violations bigint)
language sql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select c.promise_no, count(*)
    from orderlatch_data.broker_orders as b
    left join lateral (
      select sum(f.signed) as qty, sum(f.signed * f.price) as value
        from (
          select case n.entry when 'fill' then abs(n.qty) else -abs(n.qty) end as signed, n.price
            from orderlatch_data.fills as n
           where n.order_no = b.order_no
          offset 0
        ) as f
    ) as s on true
   cross join lateral (
     select 12
      where b.is_open = (b.status in ('filled', 'canceled', 'expired', 'rejected', 'replaced', 'vanished'))
     union all
     select 13 where b.fills_qty <> coalesce(s.qty, 0) or b.fills_value <> coalesce(s.value, 0)
     union all
     select 15
       from orderlatch_data.broker_orders as p
      where p.account_id = b.account_id
        and p.broker_order_id = b.parent_broker_order_id
        and p.decision_id is not null
        and b.decision_id is null
   ) as c(promise_no)
   where b.order_no = any (p_order_nos)
   group by c.promise_no
$$;
revoke all on function orderlatch_data.order_promises(bigint[]) from public;
comment on function orderlatch_data.order_promises(bigint[]) is
  'Promises 12, 13 and 15 of the view invariants, for the orders given; no row where none is broken.';

-- Orders of some decisions, those that are open or were submitted of late, and what hangs on them.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.unsealed_orders(p_decision_ids bigint[])
returns bigint[]
language sql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  with own as materialized (
    select b.order_no, b.account_id, b.broker_order_id
      from orderlatch_data.broker_orders as b
     where b.decision_id = any (p_decision_ids)
    union
    select b.order_no, b.account_id, b.broker_order_id
      from orderlatch_data.broker_orders as b
     where b.is_open
    union
    -- of nobody, or of a decision that is sealed, since a day before the newest seal
    select n.order_no, n.account_id, n.broker_order_id
      from orderlatch_data.accounts as a
     cross join lateral (
       select b.order_no, b.account_id, b.broker_order_id
         from orderlatch_data.broker_orders as b
        where b.account_id = a.account_id
          and b.submitted_at > (
            select coalesce(max(s.sealed_at) - interval '1 day', '-infinity')
              from orderlatch_data.event_seals as s
          )
       offset 0
     ) as n
  )
  select array(
    select o.order_no from own as o
    union
    select c.order_no
      from own as o
     cross join lateral (
       select b.order_no
         from orderlatch_data.broker_orders as b
        where b.account_id = o.account_id and b.parent_broker_order_id = o.broker_order_id
       offset 0
     ) as c
  )
$$;
revoke all on function orderlatch_data.unsealed_orders(bigint[]) from public;
comment on function orderlatch_data.unsealed_orders(bigint[]) is
  'Their order_nos, each once. p_decision_ids: as unsealed_decisions gives them.';

-- Orders of some decisions, or of none.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.orders_of(p_decision_ids bigint[])
returns bigint[]
language sql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select array(
    select b.order_no
      from orderlatch_data.broker_orders as b
     where b.decision_id = any (p_decision_ids) or (p_decision_ids is null and b.decision_id is null)
  )
$$;
revoke all on function orderlatch_data.orders_of(bigint[]) from public;
comment on function orderlatch_data.orders_of(bigint[]) is
  'Their order_nos. p_decision_ids: null for the orders of nobody here.';

-- How often some decisions, their calls, and some orders break each promise about them.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.promises_about(p_decision_ids bigint[], p_order_nos bigint[])
returns table (promise_no integer, violations bigint)
language sql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select d.promise_no, d.violations from orderlatch_data.decision_promises(p_decision_ids) as d
  union all
  select c.promise_no, c.violations from orderlatch_data.call_promises(p_decision_ids) as c
  union all
  select o.promise_no, o.violations from orderlatch_data.order_promises(p_order_nos) as o
$$;
revoke all on function orderlatch_data.promises_about(bigint[], bigint[]) from public;
comment on function orderlatch_data.promises_about(bigint[], bigint[]) is
  'Promises 1 to 4, 6 to 8, 10 to 13 and 15 of the view invariants, each as often as it has a row.';
