-- Takes the fact out of an answer to a request that nobody knows, as after a failover that lost it.
-- Locks: none; the caller holds what lock_for_answers holds. Raises: OL301 login_not_bound.
create or replace function orderlatch_data.record_unknown(p_status integer, p_body bytea)
returns text
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_order constant jsonb := orderlatch_data.read_json(p_body);
  v_decision orderlatch_data.trade_decisions;
begin
  if coalesce(p_status, 0) not between 200 and 299 or not orderlatch_data.is_order(v_order) then
    return 'stale';
  end if;
  select t.* into v_decision
    from orderlatch_data.trade_decisions as t
   where t.decision_hash = orderlatch_data.read_decision_hash(v_order);
  if v_decision.decision_id is not null then
    perform orderlatch_data.require_carrier(a)
      from orderlatch_data.accounts as a
     where a.account_id = v_decision.account_id;
    return orderlatch_data.record_order(v_decision.decision_id, v_order, null);
  end if;
  insert into orderlatch_data.seen_orders
    (broker_order_id, client_order_id, document, seen_at, reported_by)
  values (
    v_order ->> 'id', left(v_order ->> 'client_order_id', 128), v_order, orderlatch_data.clock(), session_user
  )
  on conflict on constraint seen_orders_pkey do nothing;
  return 'order_exists';
end
$$;
revoke all on function orderlatch_data.record_unknown(integer, bytea) from public;
comment on function orderlatch_data.record_unknown(integer, bytea) is
  'An order in an answer to an unknown request is recorded: for its decision, or, when that is lost too, '
  'in seen_orders until it is proposed again. Anything else is stale.';

-- Orders that were seen at the broker before their decision was recorded here.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.seen_orders_of(p_account_id integer, p_decision_hash bytea)
returns setof jsonb
language sql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select b.document
    from (
      -- by the id alone: while the table is small the planner may read all orders of the account instead
      select k.account_id, k.document
        from orderlatch_data.broker_orders as k
       where k.client_order_id = encode(p_decision_hash, 'hex') and k.decision_id is null
      offset 0
    ) as b
   where b.account_id = p_account_id and b.document is not null
  union all
  select f.document
    from orderlatch_data.seen_orders as f
   where f.client_order_id = encode(p_decision_hash, 'hex')
     -- a login that does not carry the account could not have seen its orders
     and case
           when to_regrole(quote_ident(f.reported_by)) is not null
             then orderlatch_data.login_may_act(p_account_id, null, f.reported_by)
         end
$$;
revoke all on function orderlatch_data.seen_orders_of(integer, bytea) from public;
comment on function orderlatch_data.seen_orders_of(integer, bytea) is
  'Documents of orders whose client_order_id is the hash: read by reconciliation, or in answers to unknown '
  'requests, as far as their reporter carries the account.';

-- Adopts orders that were seen at the broker before their decisions were recorded, as after a restore.
-- Locks: none; the caller holds the decisions that others can see. Raises: none.
create or replace function orderlatch_data.adopt_seen_orders(p_decision_ids bigint[])
returns void
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_seen record;
begin
  -- a loop, because each order is compared with its decision
  for v_seen in
    select t.decision_id, f.document
      from orderlatch_data.trade_decisions as t
     cross join lateral orderlatch_data.seen_orders_of(t.account_id, t.decision_hash) as f(document)
     where t.decision_id = any (p_decision_ids)
       and not exists (select 1 from orderlatch_data.broker_orders as x where x.decision_id = t.decision_id)
     order by t.decision_id
  loop
    perform orderlatch_data.record_order(v_seen.decision_id, v_seen.document, null);
  end loop;
end
$$;
revoke all on function orderlatch_data.adopt_seen_orders(bigint[]) from public;
comment on function orderlatch_data.adopt_seen_orders(bigint[]) is
  'Compares each decision with an order of its hash that reconciliation or an answer has shown before, and '
  'records it: such a decision is submitted before any call is made.';
