-- Shows how far a halt has come: submits in its scope whose fate is open, and orders, until they have ended.
-- Locks: none. Raises: OL131 argument_invalid.
create or replace function orderlatch.halt_progress(p_halt_id bigint)
returns table (
  what text,
  state text,
  account text,
  symbol text,
  decision_hash text,
  broker_order_id text,
  at timestamptz
)
language plpgsql
stable
parallel safe
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_halt orderlatch_data.halts;
begin
  select h.* into v_halt from orderlatch_data.halts as h where h.halt_id = p_halt_id;
  if v_halt.halt_id is null then
    raise exception using
      errcode = 'OL131',
      message = format('argument_invalid: p_halt_id %s is no halt', coalesce(p_halt_id::text, 'null')),
      hint = 'Every halt that was ever set is a row of orderlatch.halts.';
  end if;
  return query
  select p.what, p.state, a.account, p.symbol, p.decision_hash, p.broker_order_id, p.at
    from (
      select d.place, d.what, d.state, d.account_id, d.symbol, d.decision_hash, d.broker_order_id, d.at
        from orderlatch_data.submits_under_halt(v_halt) as d
      union all
      select o.place, o.what, o.state, o.account_id, o.symbol, o.decision_hash, o.broker_order_id, o.at
        from orderlatch_data.orders_under_halt(v_halt) as o
    ) as p
    join orderlatch_data.accounts as a on a.account_id = p.account_id
   order by p.place, p.at, p.broker_order_id, p.decision_hash;
end
$$;
revoke all on function orderlatch.halt_progress(bigint) from public;
grant execute on function orderlatch.halt_progress(bigint) to orderlatch_operator, orderlatch_auditor;
comment on function orderlatch.halt_progress(bigint) is
  'Rows "in flight" (at: by when the submit has reached the broker or never will), "in doubt" (at: since '
  'when), "open order" and "ended order" of decisions in the halt''s scope; state says how far a cancel has '
  'come, or how the order ended since the halt was set; "foreign order": open, and left alone. Nothing but '
  'ended orders: there is nothing left to wait for. p_halt_id: as halt returned it. Raises OL131 '
  'argument_invalid.';

-- Submits in the scope of a halt of which nobody knows yet what became of them.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.submits_under_halt(p_halt orderlatch_data.halts)
returns table (
  place integer,
  what text,
  state text,
  account_id integer,
  symbol text,
  decision_hash text,
  broker_order_id text,
  at timestamptz
)
language sql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select case o.status when 'submitting' then 1 else 2 end,
         case o.status when 'submitting' then 'in flight' else 'in doubt' end,
         case o.status when 'submitting' then 'on its way, or its answer is' else d.cause end,
         o.account_id, o.symbol, encode(t.decision_hash, 'hex'), null,
         case o.status
           when 'submitting'
             then q.claimed_at + (q.send_within_ms + q.timeout_ms) * interval '1 millisecond'
           else d.in_doubt_at
         end
    from orderlatch_data.open_decisions as o
    join orderlatch_data.trade_decisions as t on t.decision_id = o.decision_id
    left join orderlatch_data.broker_requests as q on q.request_id = o.holder_request_id
    left join orderlatch_data.doubts as d on d.decision_id = o.decision_id
   where (o.status in ('submitting', 'in_doubt') or o.lookup_first)
     and (p_halt.account_id is null or p_halt.account_id = o.account_id)
     and (p_halt.strategy_id is null or p_halt.strategy_id = t.strategy_id)
     and (p_halt.symbol is null or orderlatch_data.is_same_symbol(p_halt.symbol, o.symbol))
$$;
revoke all on function orderlatch_data.submits_under_halt(orderlatch_data.halts) from public;
comment on function orderlatch_data.submits_under_halt(orderlatch_data.halts) is
  'Decisions that are submitting, in doubt, or throttled and not looked up yet.';

-- Orders in the scope of a halt: those that are open, and those that ended since it was set.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.orders_under_halt(p_halt orderlatch_data.halts)
returns table (
  place integer,
  what text,
  state text,
  account_id integer,
  symbol text,
  decision_hash text,
  broker_order_id text,
  at timestamptz
)
language sql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select case when b.is_open then 3 else 4 end,
         case
           when not b.is_open then 'ended order'
           when t.decision_id is null then 'foreign order'
           else 'open order'
         end,
         case
           when not b.is_open then b.status
           when c.request_id is not null then 'the broker is being asked to cancel it'
           when c.accepted_at is not null then 'cancel accepted, waiting for the order to end'
           when c.broker_order_id is not null then 'to be canceled'
           when t.decision_id is null then b.status || ', left alone: cancel_order cancels it'
           when p_halt.cancel_open and p_halt.lifted_at is null then 'to be canceled'
           else b.status || ', not to be canceled'
         end,
         b.account_id, b.symbol, encode(t.decision_hash, 'hex'), b.broker_order_id,
         coalesce(c.ended_at, c.asked_at, b.changed_at)
    from orderlatch_data.orders_since_halt(p_halt) as u(order_no)
   -- each by its key: for a join the planner may read all orders that there ever were
   cross join lateral (
     select k.* from orderlatch_data.broker_orders as k where k.order_no = u.order_no offset 0
   ) as b
    left join lateral (
      select d.decision_id, d.decision_hash, d.strategy_id, d.symbol
        from orderlatch_data.trade_decisions as d
       where d.decision_id = b.decision_id
      offset 0
    ) as t on true
    left join lateral (
      select n.*
        from orderlatch_data.order_cancels as n
       where n.account_id = b.account_id
         and n.broker_order_id = b.broker_order_id
         and (n.ended_at is null or n.ended_at >= p_halt.halted_at)
      offset 0
    ) as c on true
   where (b.is_open or (c.ended_at is not null and coalesce(c.asked_at <= p_halt.lifted_at, true)))
     and (p_halt.strategy_id is null or p_halt.strategy_id = t.strategy_id)
     and (
       p_halt.symbol is null
       or orderlatch_data.is_same_symbol(p_halt.symbol, coalesce(t.symbol, b.symbol))
     )
$$;
revoke all on function orderlatch_data.orders_under_halt(orderlatch_data.halts) from public;
comment on function orderlatch_data.orders_under_halt(orderlatch_data.halts) is
  'Orders with how far their cancel has come. A foreign order belongs to no strategy.';

-- Every halt that was ever set.
create or replace view orderlatch.halts as
  select h.halt_id, coalesce(a.account, '(every account)') as account, h.strategy_id, h.symbol, h.reason,
         h.halted_at, h.halted_by, h.cancel_open, h.lifted_at, h.lifted_by, h.lift_reason
    from orderlatch_data.halts as h
    left join orderlatch_data.accounts as a on a.account_id = h.account_id
   order by h.halt_id;
revoke all on orderlatch.halts from public;
grant select on orderlatch.halts to orderlatch_operator, orderlatch_auditor;
comment on view orderlatch.halts is
  'Who stopped what, when and why, and who lifted it; lifted_at is null while a halt stands.';
