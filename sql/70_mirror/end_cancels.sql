-- Goes on with a cancel whose order was just read and is open still.
-- Locks: none; the caller holds the account for answering. Raises: none.
create or replace function orderlatch_data.watch_cancel(
  p_account orderlatch_data.accounts,
  p_broker_order_id text
)
returns void
language sql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  with watched as (
    update orderlatch_data.order_cancels as c
       -- the broker may have let the order live: it is asked again, more and more slowly
       set tries = least(c.tries + 1, 30000),
           next_try_at = case
             when c.request_id is null and b.status not in ('pending_cancel', 'pending_replace')
               then coalesce(c.next_try_at, orderlatch_data.clock())
             else c.next_try_at
           end
      from orderlatch_data.broker_orders as b
     where c.account_id = p_account.account_id
       and c.broker_order_id = p_broker_order_id
       and c.ended_at is null
       and b.account_id = c.account_id
       and b.broker_order_id = c.broker_order_id
       and b.is_open
    returning c.tries
  )
  insert into orderlatch_data.order_checks as k (account_id, broker_order_id, reason, next_try_at)
  select p_account.account_id, p_broker_order_id, 'to be canceled',
         orderlatch_data.clock()
           + least(p_account.backoff_max, p_account.lookup_first_wait * 2 ^ least(w.tries, 20))
    from watched as w
  on conflict on constraint order_checks_pkey do update
    set next_try_at = excluded.next_try_at
$$;
revoke all on function orderlatch_data.watch_cancel(orderlatch_data.accounts, text) from public;
comment on function orderlatch_data.watch_cancel(orderlatch_data.accounts, text) is
  'Has an order that is to be canceled and is still open read again, and canceled again unless the broker '
  'shows that it is at it; each time twice as late, to at most backoff_max.';

-- Ends the cancels of orders that have ended.
-- Locks: none; the caller holds the account for answering. Raises: none.
create or replace function orderlatch_data.end_cancels(p_account_id integer)
returns void
language sql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  with ended as materialized (
    select k.broker_order_id, b.status
      from orderlatch_data.order_cancels as k
     cross join lateral (
       select o.status
         from orderlatch_data.broker_orders as o
        where o.account_id = k.account_id and o.broker_order_id = k.broker_order_id and not o.is_open
       offset 0
     ) as b
     where k.account_id = p_account_id and k.ended_at is null
  )
  update orderlatch_data.order_cancels as c
     set ended_at = orderlatch_data.clock(), outcome = e.status, next_try_at = null, request_id = null
    from ended as e
   where c.account_id = p_account_id and c.broker_order_id = e.broker_order_id and c.ended_at is null
$$;
revoke all on function orderlatch_data.end_cancels(integer) from public;
comment on function orderlatch_data.end_cancels(integer) is
  'Notes how each order of the account that was to be canceled ended: canceled, or filled first, or '
  'otherwise.';

-- Has canceled what replaced an order that was to be canceled.
-- Locks: none; the caller holds the account for answering. Raises: none.
create or replace function orderlatch_data.pass_cancels_on(p_account_id integer, p_broker_order_ids text[])
returns void
language sql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  -- whichever of the two is shown later: the end of the one, or the other
  with recursive chain as (
    select b.broker_order_id as shown, b.broker_order_id, b.parent_broker_order_id
      from orderlatch_data.broker_orders as b
     where b.account_id = p_account_id
       and b.broker_order_id = any (p_broker_order_ids)
       and (b.relation = 'replacement' or b.status = 'replaced')
    union
    select c.shown, b.broker_order_id, b.parent_broker_order_id
      from chain as c
     cross join lateral (
       select k.broker_order_id, k.parent_broker_order_id
         from orderlatch_data.broker_orders as k
        where k.account_id = p_account_id and k.broker_order_id = c.parent_broker_order_id
       union all
       select k.broker_order_id, k.parent_broker_order_id
         from orderlatch_data.broker_orders as k
        where k.account_id = p_account_id
          and k.parent_broker_order_id = c.broker_order_id
          and k.relation = 'replacement'
       offset 0
     ) as b
  )
  insert into orderlatch_data.order_cancels
    (account_id, broker_order_id, asked_at, asked_by, reason, halt_id, next_try_at)
  select distinct on (b.broker_order_id)
         p_account_id, b.broker_order_id, orderlatch_data.clock(), k.asked_by, k.reason, k.halt_id,
         orderlatch_data.clock()
    from chain as n
    join orderlatch_data.broker_orders as b
      on b.account_id = p_account_id and b.broker_order_id = n.broker_order_id and b.is_open
    join chain as o on o.shown = n.shown
    join orderlatch_data.order_cancels as k
      on k.account_id = p_account_id and k.broker_order_id = o.broker_order_id and k.outcome = 'replaced'
   order by b.broker_order_id, k.asked_at
  on conflict on constraint order_cancels_pkey do nothing
$$;
revoke all on function orderlatch_data.pass_cancels_on(integer, text[]) from public;
comment on function orderlatch_data.pass_cancels_on(integer, text[]) is
  'Asks to cancel each open order in the chains of replacements of the given orders, where one before it '
  'was to be canceled and was replaced first. The wish keeps who asked, and why.';
