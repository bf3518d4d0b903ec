-- Keeps an order of the broker: a new one is inserted, one that is known is brought up to date.
-- Locks: none; the caller holds the decision, or the account for answering. Raises: none.
create or replace function orderlatch_data.save_order(
  p_account_id integer,
  p_decision_id bigint,
  p_relation text,
  p_order jsonb,
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
begin
  insert into orderlatch_data.broker_orders (
    account_id, broker_order_id, decision_id, relation, parent_broker_order_id, client_order_id, symbol, side,
    order_type, qty, notional, limit_price, stop_price, status, is_open, status_at, filled_qty,
    filled_avg_price, filled_as_of, shown_filled_qty, submitted_at, updated_at, found_in_request_id,
    recorded_at, changed_at
  )
  select p_account_id, d.broker_order_id, p_decision_id, p_relation, d.parent_broker_order_id,
         case when d.decision_hash is null then d.client_order_id end, d.symbol, d.side,
         d.order_type, d.qty, d.notional, d.limit_price, d.stop_price, d.status, d.is_open, d.updated_at,
         d.filled_qty, d.filled_avg_price, d.updated_at, d.filled_qty, d.submitted_at, d.updated_at,
         p_request_id, v_now, v_now
    from orderlatch_data.read_orders(jsonb_build_array(p_order - 'legs')) as d
  on conflict on constraint broker_orders_id_is_unique do nothing;
  if not found then
    update orderlatch_data.broker_orders as b
       set decision_id = p_decision_id, relation = p_relation, foreign_at = null, document = null,
           client_order_id = null, changed_at = v_now
     where b.account_id = p_account_id
       and b.broker_order_id = p_order ->> 'id'
       and b.decision_id is null;
    perform orderlatch_data.merge_orders(p_account_id, jsonb_build_array(p_order - 'legs'));
  end if;
  if p_decision_id is not null then
    perform orderlatch_data.save_legs(p_account_id, p_order, p_request_id);
  end if;
end
$$;
revoke all on function orderlatch_data.save_order(integer, bigint, text, jsonb, uuid) from public;
comment on function orderlatch_data.save_order(integer, bigint, text, jsonb, uuid) is
  'Inserts an order of a decision into broker_orders with its legs, or gives one that was foreign to it '
  'and merges what is new. p_relation: what it is to the decision, see broker_orders. p_order: the '
  'broker''s document. p_request_id: the request whose answer shows it, or null.';

-- Keeps the legs of an order, and whatever else of the broker hangs on it.
-- Locks: none; the caller holds the decision, or the account for answering. Raises: none.
create or replace function orderlatch_data.save_legs(p_account_id integer, p_order jsonb, p_request_id uuid)
returns void
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  if jsonb_typeof(p_order -> 'legs') = 'array' then
    perform orderlatch_data.insert_orders(p_account_id, p_order -> 'legs', p_order ->> 'id', p_request_id);
  end if;
  perform orderlatch_data.link_orders(p_account_id, array[p_order ->> 'id']);
end
$$;
revoke all on function orderlatch_data.save_legs(integer, jsonb, uuid) from public;
comment on function orderlatch_data.save_legs(integer, jsonb, uuid) is
  'Inserts the legs that an order''s document shows and gives them, and known orders that replace it, to '
  'its decision.';

-- Inserts orders that are not known yet, as belonging to no decision.
-- Locks: none; the caller holds the account for answering, or the decision of p_leg_of. Raises: none.
create or replace function orderlatch_data.insert_orders(
  p_account_id integer,
  p_documents jsonb,
  p_leg_of text,
  p_request_id uuid
)
returns void
language sql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  insert into orderlatch_data.broker_orders (
    account_id, broker_order_id, relation, parent_broker_order_id, client_order_id, symbol, side, order_type,
    qty, notional, limit_price, stop_price, status, is_open, status_at, filled_qty, filled_avg_price,
    filled_as_of, shown_filled_qty, submitted_at, updated_at, found_in_request_id, recorded_at, changed_at,
    document
  )
  select p_account_id, d.broker_order_id, case when p_leg_of is not null then 'leg' else d.relation end,
         coalesce(p_leg_of, d.parent_broker_order_id), d.client_order_id, d.symbol, d.side, d.order_type,
         d.qty, d.notional, d.limit_price, d.stop_price, d.status, d.is_open, d.updated_at, d.filled_qty,
         d.filled_avg_price, d.updated_at, d.filled_qty, d.submitted_at, d.updated_at, p_request_id,
         orderlatch_data.clock(), orderlatch_data.clock(),
         case when d.decision_hash is not null then d.document end
    from orderlatch_data.read_orders(p_documents) as d
   where orderlatch_data.is_order(d.document)
   order by d.submitted_at, d.broker_order_id
  on conflict on constraint broker_orders_id_is_unique do nothing
$$;
revoke all on function orderlatch_data.insert_orders(integer, jsonb, text, uuid) from public;
comment on function orderlatch_data.insert_orders(integer, jsonb, text, uuid) is
  'Inserts what is new of a JSON array of the broker''s orders. p_leg_of: the order whose legs they are, '
  'or null. The document of one whose client_order_id reads as a decision hash is kept, so that it can be '
  'compared when that decision is proposed again.';

-- Gives orders that replace, or are legs of, an order of a decision to that decision, however long the chain.
-- Locks: none; the caller holds the account for answering, or the decision. Raises: none.
create or replace function orderlatch_data.link_orders(p_account_id integer, p_broker_order_ids text[])
returns void
language sql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  with recursive chain as (
    select b.broker_order_id, b.decision_id
      from orderlatch_data.broker_orders as b
     where b.account_id = p_account_id
       and b.broker_order_id = any (p_broker_order_ids)
       and b.decision_id is not null
    union
    select b.broker_order_id, c.decision_id
      from chain as c
      join orderlatch_data.broker_orders as b
        on b.account_id = p_account_id and b.parent_broker_order_id = c.broker_order_id
       and b.decision_id is null
  )
  update orderlatch_data.broker_orders as b
     set decision_id = c.decision_id, foreign_at = null, document = null, changed_at = orderlatch_data.clock()
    from chain as c
   where b.account_id = p_account_id and b.broker_order_id = c.broker_order_id and b.decision_id is null
$$;
revoke all on function orderlatch_data.link_orders(integer, text[]) from public;
comment on function orderlatch_data.link_orders(integer, text[]) is
  'Follows the chains of replacements and legs from the given orders of decisions, and gives every order '
  'on them to the decision.';
