-- The execution of a decision: where its chain of orders stands, and what all of them filled.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.execution_of(p_decision_id bigint)
returns table (
  broker_order_id text,
  order_status text,
  is_open boolean,
  filled_qty numeric,
  filled_avg_price numeric,
  orders integer
)
language sql
stable
parallel safe
security definer
set search_path = pg_catalog, pg_temp
as $$
  with recursive chain as (
    select b.*
      from orderlatch_data.broker_orders as b
     where b.decision_id = p_decision_id and b.relation = 'order'
    union
    -- what replaces a leg hangs on the decision too, but not on this chain
    select b.*
      from chain as c
      join orderlatch_data.broker_orders as b
        on b.account_id = c.account_id
       and b.parent_broker_order_id = c.broker_order_id
       and b.relation = 'replacement'
  )
  select newest.broker_order_id, newest.status, newest.is_open,
         -- each fill belongs to one order: summed over the chain none is counted twice
         greatest(whole.fills_qty, whole.filled_qty),
         case
           when whole.fills_qty >= whole.filled_qty and whole.fills_qty > 0
             then orderlatch_data.average_price(whole.fills_value, whole.fills_qty)
           else newest.filled_avg_price
         end,
         whole.orders
    from (
      select c.broker_order_id, c.status, c.is_open, c.filled_avg_price
        from chain as c
       -- a replacement that was rejected leaves the order before it as it was
       order by c.status = 'replaced', c.status = 'rejected', c.submitted_at desc nulls last, c.order_no desc
       limit 1
    ) as newest
   cross join (
      select sum(c.fills_qty) as fills_qty, sum(c.fills_value) as fills_value,
             max(c.filled_qty) as filled_qty, count(*)::integer as orders
        from chain as c
    ) as whole
$$;
revoke all on function orderlatch_data.execution_of(bigint) from public;
comment on function orderlatch_data.execution_of(bigint) is
  'One row for a decision that has an order: id and status of the newest order in its chain of '
  'replacements, quantity and average price (dollars) of what the whole chain filled, and how many orders '
  'it has. Legs and duplicates are not part of it.';

-- Every order of every decision.
create or replace view orderlatch.executions as
  select a.account, b.symbol, b.side, b.order_type, b.qty, b.notional, b.limit_price, b.stop_price,
         b.relation, b.status, b.filled_qty, b.filled_avg_price, b.fills_qty, b.submitted_at, b.updated_at,
         b.recorded_at, b.broker_order_id, b.parent_broker_order_id, b.decision_id,
         encode(t.decision_hash, 'hex') as decision_hash
    from orderlatch_data.broker_orders as b
    join orderlatch_data.accounts as a on a.account_id = b.account_id
    join orderlatch_data.trade_decisions as t on t.decision_id = b.decision_id;
revoke all on orderlatch.executions from public;
grant select on orderlatch.executions to orderlatch_operator, orderlatch_auditor;
comment on view orderlatch.executions is
  'The broker orders of decisions: the order itself, what replaced it, its legs, and duplicates, each as '
  'the broker last showed it. fills_qty: what its booked fills add up to.';

-- Every booked trade.
create or replace view orderlatch.fills as
  select a.account, f.symbol, f.qty, f.price, f.entry, f.activity, f.filled_at, f.recorded_at,
         b.broker_order_id, f.activity_id, f.amends, encode(t.decision_hash, 'hex') as decision_hash,
         b.decision_id
    from orderlatch_data.fills as f
    join orderlatch_data.accounts as a on a.account_id = f.account_id
    join orderlatch_data.broker_orders as b on b.order_no = f.order_no
    left join orderlatch_data.trade_decisions as t on t.decision_id = b.decision_id;
revoke all on orderlatch.fills from public;
grant select on orderlatch.fills to orderlatch_operator, orderlatch_auditor;
comment on view orderlatch.fills is
  'Trades as booked: qty is what each adds to the position. A reversal takes off what a bust or a '
  'correction amends. decision_hash is null for foreign orders.';

-- What each account holds.
create or replace view orderlatch.positions as
  select a.account, coalesce(s.symbol, p.symbol) as symbol, coalesce(s.qty, 0) as qty,
         coalesce(p.qty, 0) as broker_qty, p.avg_entry_price,
         case
           when d.checks >= 2 then 'differs'
           when d.checks is not null then 'differs, being looked at'
           when r.covered_at is null then 'not compared yet'
           when coalesce(s.qty, 0) = coalesce(p.qty, 0) then 'agrees'
           -- the broker takes its fee for a pair out of the coin that was bought
           when coalesce(p.qty, 0) <= s.qty and coalesce(p.qty, 0) >= s.qty - greatest(
             s.bought * a.crypto_fee_allowance + (
               select coalesce(sum(f.qty), 0)
                 from orderlatch_data.position_adjustments as f
                where f.account_id = a.account_id and f.symbol = held.symbol and f.kind = 'fee'
             ),
             0
           ) and (
             select b.symbol like '%/%'
               from orderlatch_data.fills as f
               join orderlatch_data.broker_orders as b on b.order_no = f.order_no
              where f.account_id = a.account_id and f.symbol = held.symbol and b.status <> 'unknown'
              order by f.filled_at desc
              limit 1
           ) then 'agrees'
           else 'moved since the list'
         end as state,
         s.last_fill_at, r.covered_at as compared_at
    from orderlatch_data.accounts as a
    join orderlatch_data.broker_reads as r on r.account_id = a.account_id and r.purpose = 'positions'
   cross join lateral (
     select q.symbol from orderlatch_data.position_sums as q where q.account_id = a.account_id and q.is_held
     union
     select q.symbol from orderlatch_data.broker_positions as q where q.account_id = a.account_id
   ) as held
    left join orderlatch_data.position_sums as s on s.account_id = a.account_id and s.symbol = held.symbol
    left join orderlatch_data.broker_positions as p on p.account_id = a.account_id and p.symbol = held.symbol
    left join orderlatch_data.position_differences as d
      on d.account_id = a.account_id and d.symbol = held.symbol
   where coalesce(s.qty, 0) <> 0 or coalesce(p.qty, 0) <> 0
   order by a.account, held.symbol;
revoke all on orderlatch.positions from public;
grant select on orderlatch.positions to orderlatch_operator, orderlatch_auditor;
comment on view orderlatch.positions is
  'What fills and adjustments add up to (qty), beside what the broker last listed (broker_qty), and '
  'whether they agree; moved since the list: fills or adjustments are newer than what was compared, so they '
  'will be compared again. Quantities in shares, coins or contracts, negative when short; avg_entry_price in '
  'dollars is the broker''s.';

-- How far each account has been read.
create or replace view orderlatch.reconciliation as
  select a.account, r.purpose,
         case
           when r.request_id is not null then 'reading page ' || r.pages + 1
           when r.failures > 0 then 'failing'
           when r.began_at is not null then 'between pages'
           when r.covered_at is null then 'not read yet'
           else 'idle'
         end as state,
         date_trunc('milliseconds', orderlatch_data.clock() - r.covered_at) as lag,
         r.covered_at, r.completed_at, r.failures, r.failed_at, r.reason, r.pages, r.cursor_at,
         r.next_page_at as next_at,
         case
           when r.purpose = 'orders' then (
             select w.reason
               from orderlatch_data.reconcile_waits as w
              where w.account_id = r.account_id
              order by w.reads_from desc
              limit 1
           )
         end as submits_wait_for
    from orderlatch_data.broker_reads as r
    join orderlatch_data.accounts as a on a.account_id = r.account_id
   where r.purpose <> 'proof'
   order by a.account, r.read_id;
revoke all on orderlatch.reconciliation from public;
grant select on orderlatch.reconciliation to orderlatch_operator, orderlatch_auditor;
comment on view orderlatch.reconciliation is
  'The standing reads of each account: lag says how old the newest moment is that is known to be covered, '
  'completed_at when a read last succeeded, failures how many pages failed since. submits_wait_for: why '
  'the account must be read before it submits (new, restart, cluster).';

-- What is to be canceled, and how far that has come.
create or replace view orderlatch.cancels as
  select a.account, b.symbol, c.reason, c.asked_by, c.asked_at,
         case
           when c.ended_at is not null then c.outcome
           when c.request_id is not null then 'the broker is being asked'
           when c.accepted_at is not null then 'accepted, waiting for the order to end'
           else 'to be asked'
         end as state,
         c.tries, c.accepted_at, c.ended_at, c.halt_id, b.status as order_status, c.broker_order_id,
         encode(t.decision_hash, 'hex') as decision_hash
    from orderlatch_data.order_cancels as c
    join orderlatch_data.accounts as a on a.account_id = c.account_id
    join orderlatch_data.broker_orders as b
      on b.account_id = c.account_id and b.broker_order_id = c.broker_order_id
    left join orderlatch_data.trade_decisions as t on t.decision_id = b.decision_id
   order by c.asked_at, c.broker_order_id;
revoke all on orderlatch.cancels from public;
grant select on orderlatch.cancels to orderlatch_operator, orderlatch_auditor;
comment on view orderlatch.cancels is
  'Orders that somebody asked to cancel, with how far that has come; state is the status in which the '
  'order ended, once it has.';
