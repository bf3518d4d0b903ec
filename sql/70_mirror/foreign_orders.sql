-- Finds out which orders belong to no decision, once a complete read of orders has shown all chains and legs.
-- Locks: none; the caller holds the account for answering. Raises: none.
create or replace function orderlatch_data.judge_foreign_orders(
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
  v_since constant timestamptz := coalesce(p_account.reconcile_from, p_account.created_at);
  v_foreign bigint[];
begin
  with judged as (
    update orderlatch_data.broker_orders as b
       set foreign_at = orderlatch_data.clock()
     where b.account_id = p_account.account_id
       and b.decision_id is null
       and b.foreign_at is null
       and b.status <> 'unknown'
       -- what the stream showed meanwhile may be a leg of an order that this read did not show yet
       and (
         b.recorded_at < p_read.began_at
         or exists (
           select 1
             from orderlatch_data.broker_requests as q
            where q.request_id = b.found_in_request_id and q.read_id = p_read.read_id
           offset 0
         )
       )
    returning b.*
  )
  select array_agg(j.order_no) into v_foreign
    from judged as j
   where coalesce(j.submitted_at, j.recorded_at) >= v_since
     -- with the id of a decision and other terms: order_mismatch says so already
     and not exists (
       select 1
         from orderlatch_data.trade_decisions as t
        where t.account_id = p_account.account_id
          and t.decision_hash = orderlatch_data.read_decision_hash(j.document)
     );
  if v_foreign is not null then
    perform orderlatch_data.report_foreign_orders(p_account, v_foreign);
  end if;
end
$$;
revoke all on function orderlatch_data.judge_foreign_orders(
  orderlatch_data.accounts, orderlatch_data.broker_reads
) from public;
comment on function orderlatch_data.judge_foreign_orders(
  orderlatch_data.accounts, orderlatch_data.broker_reads
) is
  'Marks the orders that no decision, chain or parent explains as foreign, and reports them. Orders from '
  'before reconcile_from are foreign without a word.';

-- Reports orders that belong to no decision, as the account chose.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.report_foreign_orders(
  p_account orderlatch_data.accounts,
  p_foreign bigint[]
)
returns void
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  -- an id that reads as a decision hash tells of a decision that is lost here
  perform orderlatch_data.open_incident(
    'decision_lost', p_account.account_id, null, null,
    jsonb_build_object(
      'orders', count(*), 'for_example', min(f.broker_order_id), 'client_order_id', min(f.client_order_id)
    )
  )
     from orderlatch_data.broker_orders as f
    where f.order_no = any (p_foreign) and f.document is not null
   having count(*) > 0;
  perform orderlatch_data.open_incident(
    'foreign_order', p_account.account_id, null, null,
    jsonb_build_object('orders', count(*), 'for_example', min(f.broker_order_id), 'symbol', min(f.symbol))
  )
     from orderlatch_data.broker_orders as f
    where f.order_no = any (p_foreign) and f.document is null and p_account.on_foreign_order <> 'ignore'
   having count(*) > 0;
  if p_account.on_foreign_order = 'halt'
    and exists (
      select 1
        from orderlatch_data.broker_orders as f
       where f.order_no = any (p_foreign) and f.document is null
    )
  then
    perform orderlatch_data.halt_account(p_account.account_id, 'foreign_order');
  end if;
end
$$;
revoke all on function orderlatch_data.report_foreign_orders(orderlatch_data.accounts, bigint[]) from public;
comment on function orderlatch_data.report_foreign_orders(orderlatch_data.accounts, bigint[]) is
  'Opens foreign_order (on_foreign_order warn or halt) and decision_lost (always), one incident each '
  'however many orders there are, and halts the account for foreign orders when it says halt. Foreign '
  'orders are never adopted and never canceled by themselves.';

-- Closes decision_lost once every decision that it is about has been proposed again.
-- Locks: none; the caller holds the decision that was given its order. Raises: none.
create or replace function orderlatch_data.heal_lost_decisions(p_account_id integer)
returns void
language sql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select orderlatch_data.heal_incident('decision_lost', p_account_id, '', 'the decision is known again')
   where exists (
     select 1
       from orderlatch_data.incidents as i
      where i.incident = 'decision_lost' and i.account_id = p_account_id and i.closed_at is null
   ) and not exists (
     select 1
       from orderlatch_data.broker_orders as b
       join orderlatch_data.accounts as a on a.account_id = b.account_id
      where b.account_id = p_account_id
        and b.decision_id is null
        and b.client_order_id is not null
        and b.document is not null
        and b.foreign_at is not null
        and coalesce(b.submitted_at, b.recorded_at) >= coalesce(a.reconcile_from, a.created_at)
        and not exists (
          select 1
            from orderlatch_data.trade_decisions as t
           where t.account_id = p_account_id
             and t.decision_hash = orderlatch_data.read_decision_hash(b.document)
        )
   )
$$;
revoke all on function orderlatch_data.heal_lost_decisions(integer) from public;
comment on function orderlatch_data.heal_lost_decisions(integer) is
  'Ends decision_lost of an account when no order is left that carries the hash of an unknown decision.';

-- Orders at the broker that no decision asked for.
create or replace view orderlatch.foreign_orders as
  select a.account, b.symbol, b.side, b.order_type, b.qty, b.notional, b.limit_price, b.status, b.filled_qty,
         b.filled_avg_price, b.submitted_at, b.foreign_at,
         case
           when b.submitted_at < coalesce(a.reconcile_from, a.created_at)
             then 'from before the account was taken on'
           when b.document is not null then 'of a decision that this database does not know'
           else 'placed by somebody else'
         end as origin,
         b.client_order_id, b.broker_order_id
    from orderlatch_data.broker_orders as b
    join orderlatch_data.accounts as a on a.account_id = b.account_id
   where b.decision_id is null and b.foreign_at is not null
   order by b.order_no;
revoke all on orderlatch.foreign_orders from public;
grant select on orderlatch.foreign_orders to orderlatch_operator, orderlatch_auditor;
comment on view orderlatch.foreign_orders is
  'Orders of an account that belong to no decision, in the order in which they were first seen. They count '
  'in positions; nothing here cancels or adopts them.';
