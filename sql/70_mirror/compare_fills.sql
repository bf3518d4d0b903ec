-- Compares what orders were filled with what their fills add up to, at the end of a complete read of fills.
-- Locks: none; the caller holds the account for answering. Raises: none.
create or replace function orderlatch_data.compare_fills(
  p_account orderlatch_data.accounts,
  p_read orderlatch_data.broker_reads,
  p_request_id uuid
)
returns void
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_now constant timestamptz := orderlatch_data.clock();
  v_old constant timestamptz := v_now - p_account.drift_grace;
  v_from_at timestamptz;
begin
  perform orderlatch_data.heal_fills(p_account.account_id);
  with differing as (
    insert into orderlatch_data.fill_differences as f (order_no, account_id, first_seen_at, checks)
    select b.order_no, b.account_id, v_now, 1
      from orderlatch_data.unbalanced_orders(p_account.account_id) as b
     where b.changed_at < p_read.began_at
       and b.submitted_at >= coalesce(p_account.reconcile_from, p_account.created_at)
     order by b.order_no
    on conflict on constraint fill_differences_pkey do update set checks = least(f.checks + 1, 30000)
    returning f.order_no, f.checks, f.first_seen_at
  )
  -- their fills may lie before the cursor: the next read begins before them
  select min(b.submitted_at) into v_from_at
    from differing as d
    join orderlatch_data.broker_orders as b on b.order_no = d.order_no
   where orderlatch_data.is_looked_at_again(d.checks, d.first_seen_at <= v_old);
  if v_from_at is not null then
    perform orderlatch_data.wish_reads(
      p_account.account_id, '{fills}', 'fills do not add up', v_from_at - interval '1 minute'
    );
  end if;
  -- a view that is behind, as of an order that ended before its trade was busted: no list may show it again
  perform orderlatch_data.check_order(
    p_account.account_id, b.broker_order_id, 'its fills do not add up', '2 seconds'
  )
     from orderlatch_data.fill_differences as f
     join orderlatch_data.broker_orders as b on b.order_no = f.order_no
    where f.account_id = p_account.account_id
      and orderlatch_data.is_looked_at_again(f.checks, f.first_seen_at <= v_old)
      and (b.fills_qty > b.shown_filled_qty or b.has_reversals);
  perform orderlatch_data.open_incident(
    'fill_mismatch', p_account.account_id, b.decision_id, p_request_id,
    jsonb_build_object(
      'broker_order_id', b.broker_order_id, 'symbol', b.symbol, 'filled_qty', b.shown_filled_qty,
      'fills', b.fills_qty
    ),
    b.broker_order_id
  )
     from orderlatch_data.fill_differences as f
     join orderlatch_data.broker_orders as b on b.order_no = f.order_no
    where f.account_id = p_account.account_id
      and f.checks >= 2
      and f.first_seen_at <= v_old;
end
$$;
revoke all on function orderlatch_data.compare_fills(
  orderlatch_data.accounts, orderlatch_data.broker_reads, uuid
) from public;
comment on function orderlatch_data.compare_fills(
  orderlatch_data.accounts, orderlatch_data.broker_reads, uuid
) is
  'Notes orders whose newest view says another filled_qty than their fills add up to, has fills read from '
  'before the oldest of them, or the order itself where its view is what is behind, and opens '
  'fill_mismatch when they differ after another complete read and drift_grace. Orders from before '
  'reconcile_from are left out.';

-- Whether a difference that was seen so often is worth the calls of a longer look.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.is_looked_at_again(p_checks smallint, p_is_old boolean)
returns boolean
language plpgsql
immutable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return p_checks = 1 or p_is_old and p_checks >= 4 and p_checks & (p_checks - 1) = 0;
end
$$;
revoke all on function orderlatch_data.is_looked_at_again(smallint, boolean) from public;
comment on function orderlatch_data.is_looked_at_again(smallint, boolean) is
  'At once and, when it is older than drift_grace, after 4, 8, 16, … reads that did not explain it: what the '
  'broker lists late is found before it has been missing about twice as long.';

-- The orders whose fills do not add up to what the broker shows.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.unbalanced_orders(p_account_id integer)
returns setof orderlatch_data.broker_orders
language sql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select b.*
    from orderlatch_data.broker_orders as b
   where b.account_id = p_account_id
     -- few: the planner takes "<>" for nearly all, and "=" for few
     and (b.shown_filled_qty <> b.fills_qty)::integer = 1
     and b.status not in ('unknown', 'vanished')
     -- an order of several symbols is filled through its legs
     and b.symbol is not null
     -- a view without a time may be newer than the newest that has one
     and not (b.fills_qty = b.filled_qty and b.filled_as_of is null and not b.has_reversals)
     -- a replacement may count what the orders before it had filled
     and b.shown_filled_qty <> b.fills_qty + (
       with recursive before as (
         select p.broker_order_id, p.parent_broker_order_id, p.fills_qty, p.relation
           from orderlatch_data.broker_orders as p
          where b.relation = 'replacement'
            and p.account_id = p_account_id
            and p.broker_order_id = b.parent_broker_order_id
         union
         select p.broker_order_id, p.parent_broker_order_id, p.fills_qty, p.relation
           from before as c
          cross join lateral (
            select k.broker_order_id, k.parent_broker_order_id, k.fills_qty, k.relation
              from orderlatch_data.broker_orders as k
             where c.relation = 'replacement'
               and k.account_id = p_account_id
               and k.broker_order_id = c.parent_broker_order_id
            offset 0
          ) as p
       )
       select coalesce(sum(c.fills_qty), 0) from before as c
     )
   order by b.order_no
$$;
revoke all on function orderlatch_data.unbalanced_orders(integer) from public;
comment on function orderlatch_data.unbalanced_orders(integer) is
  'Orders of an account whose newest shown filled_qty is not the sum of their fills. For a replacement the '
  'fills of the orders before it may count. One without a symbol has its fills in its legs.';

-- Forgets differences of fills that have gone, and closes their incidents.
-- Locks: none; the caller holds the account for answering. Raises: none.
create or replace function orderlatch_data.heal_fills(p_account_id integer)
returns void
language sql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  with healed as (
    delete from orderlatch_data.fill_differences as f
     where f.account_id = p_account_id
       and f.order_no not in (select u.order_no from orderlatch_data.unbalanced_orders(p_account_id) as u)
    returning f.order_no
  )
  select orderlatch_data.heal_incident(
           'fill_mismatch', p_account_id, b.broker_order_id, 'the fills add up to filled_qty'
         )
    from healed as h
    join orderlatch_data.broker_orders as b on b.order_no = h.order_no
$$;
revoke all on function orderlatch_data.heal_fills(integer) from public;
comment on function orderlatch_data.heal_fills(integer) is
  'Ends what fill_differences says of orders whose fills add up again.';
