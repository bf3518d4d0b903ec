-- Makes room for the orders of fills that were not shown yet; they are read soon, unless a list shows them.
-- Locks: none; the caller holds the account for answering. Raises: none.
create or replace function orderlatch_data.meet_orders_of_fills(
  p_account_id integer,
  p_shown orderlatch_data.shown_fill[]
)
returns void
language sql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  with met as (
    insert into orderlatch_data.broker_orders as b (
      account_id, broker_order_id, relation, symbol, side, status, is_open, recorded_at, changed_at
    )
    select p_account_id, d.broker_order_id, 'order', min(d.order_symbol),
           case when min(d.sign) = 1 then 'buy' else 'sell' end, 'unknown', true, orderlatch_data.clock(),
           orderlatch_data.clock()
      from unnest(p_shown) as d
     where not exists (
       select 1
         from orderlatch_data.broker_orders as k
        where k.account_id = p_account_id and k.broker_order_id = d.broker_order_id
       offset 0
     )
     group by d.broker_order_id
     order by d.broker_order_id
    on conflict on constraint broker_orders_id_is_unique do nothing
    returning b.broker_order_id
  ), checked as (
    insert into orderlatch_data.order_checks as c (account_id, broker_order_id, reason, next_try_at)
    select p_account_id, m.broker_order_id, 'a fill of an unknown order',
           orderlatch_data.clock() + interval '5 seconds'
      from met as m
    on conflict on constraint order_checks_pkey do nothing
  )
  select orderlatch_data.wish_reads(p_account_id, '{orders}', 'a fill of an unknown order')
   where exists (select 1 from met)
$$;
revoke all on function orderlatch_data.meet_orders_of_fills(integer, orderlatch_data.shown_fill[])
  from public;
comment on function orderlatch_data.meet_orders_of_fills(integer, orderlatch_data.shown_fill[]) is
  'Inserts a row of status unknown for each order that a fill names and that was never shown, and has it '
  'read.';

-- Whether a page of fills names an order that was never shown.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.has_fill_of_unknown_order(p_account_id integer, p_documents jsonb)
returns boolean
language sql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select exists (
    select 1
      from jsonb_array_elements(
             case when jsonb_typeof(p_documents) = 'array' then p_documents else '[]' end
           ) as e(document)
     where not exists (
       select 1
         from orderlatch_data.broker_orders as k
        where k.account_id = p_account_id and k.broker_order_id = e.document ->> 'order_id'
       offset 0
     )
  )
$$;
revoke all on function orderlatch_data.has_fill_of_unknown_order(integer, jsonb) from public;
comment on function orderlatch_data.has_fill_of_unknown_order(integer, jsonb) is
  'Whether taking the page will make room for an order. That may be one whose submit is being recorded at '
  'this moment: see keys_of_answers.';
