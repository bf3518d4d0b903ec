-- Ends a complete read of open orders: those of ours that it did not show have ended, and are read again.
-- Locks: none; the caller holds the account for answering. Raises: none.
create or replace function orderlatch_data.finish_open_orders(
  p_account orderlatch_data.accounts,
  p_read orderlatch_data.broker_reads
)
returns void
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_gone bigint[];
  v_from_at timestamptz;
begin
  perform orderlatch_data.finish_read(p_account, p_read);
  v_gone := array(
    select b.order_no
      from orderlatch_data.broker_orders as b
     where b.account_id = p_account.account_id
       and b.is_open
       -- what changed since the read began may be newer than what it showed
       and b.changed_at < p_read.began_at
       and not exists (
         select 1
           from orderlatch_data.read_sightings as s
          where s.read_id = p_read.read_id and s.order_no = b.order_no
       )
     order by b.order_no
  );
  delete from orderlatch_data.read_sightings as s where s.read_id = p_read.read_id;
  if cardinality(v_gone) = 0 then
    return;
  end if;

  v_from_at := orderlatch_data.cheapest_list_from(p_account, v_gone);
  if v_from_at is not null then
    perform orderlatch_data.wish_reads(
      p_account.account_id, '{orders}', 'orders have ended', v_from_at - interval '1 microsecond'
    );
  end if;
  -- one that the list does not show either is read by itself
  perform orderlatch_data.check_order(
    p_account.account_id, b.broker_order_id, 'open here, not open there',
    case when b.submitted_at >= v_from_at then p_account.reconcile_every else '0' end
  )
     from orderlatch_data.broker_orders as b
    where b.order_no = any (v_gone);
end
$$;
revoke all on function orderlatch_data.finish_open_orders(
  orderlatch_data.accounts, orderlatch_data.broker_reads
) from public;
comment on function orderlatch_data.finish_open_orders(
  orderlatch_data.accounts, orderlatch_data.broker_reads
) is
  'What the last page of a standing read of open orders does: an order that is open here and was not shown '
  'has ended since. It is read again, by one list where that takes fewer calls, else by itself.';

-- Says from when on a list takes fewer calls than reading each order: a day's orders end together.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.cheapest_list_from(
  p_account orderlatch_data.accounts,
  p_gone bigint[]
)
returns timestamptz
language sql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  with gone as (
    select b.submitted_at, count(*) over (order by b.submitted_at desc) as saved
      from orderlatch_data.broker_orders as b
     where b.order_no = any (p_gone)
       and b.submitted_at >= coalesce(p_account.reconcile_from, p_account.created_at)
  ), newest as (
    select n.submitted_at, count(*) over (order by n.submitted_at desc) as listed
      from (
        select b.submitted_at
          from orderlatch_data.broker_orders as b
         where b.account_id = p_account.account_id and b.submitted_at is not null
         order by b.submitted_at desc
         -- more pages than the calls that they save never pay, and 200 pages are a minute's calls
         limit least(500 * cardinality(p_gone), 100000)
      ) as n
  )
  select g.submitted_at
    from gone as g
    join newest as n on n.submitted_at = g.submitted_at
   -- each page begins with the last order of the one before
   where n.listed / 499 + 1 < g.saved
   order by n.listed / 499 + 1 - g.saved, g.submitted_at desc
   limit 1
$$;
revoke all on function orderlatch_data.cheapest_list_from(orderlatch_data.accounts, bigint[]) from public;
comment on function orderlatch_data.cheapest_list_from(orderlatch_data.accounts, bigint[]) is
  'The submitted_at of the oldest order that the list is to show, such that its pages and a call for each '
  'older order are the fewest calls; null where no list saves any. p_gone: order_no.';
