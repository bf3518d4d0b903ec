-- Keeps an order of a decision: a new one is inserted, one that is known is given to it and merged.
-- Locks: none; the caller holds the decision. Raises: none.
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
  v_shown constant orderlatch_data.shown_order[] := array(
    select row(d.*)::orderlatch_data.shown_order
      from orderlatch_data.read_orders(jsonb_build_array(p_order)) as d
     order by d.broker_order_id <> p_order ->> 'id', d.broker_order_id
  );
begin
  perform orderlatch_data.insert_orders(p_account_id, v_shown[1:1], p_request_id, p_decision_id, p_relation);
  if not found then
    update orderlatch_data.broker_orders as b
       set decision_id = p_decision_id, relation = p_relation, foreign_at = null, document = null,
           client_order_id = null, changed_at = orderlatch_data.clock()
     where b.account_id = p_account_id
       and b.broker_order_id = p_order ->> 'id'
       and b.decision_id is null;
    perform orderlatch_data.merge_orders(p_account_id, v_shown[1:1]);
    perform orderlatch_data.heal_lost_decisions(p_account_id);
  end if;
  if cardinality(v_shown) > 1 then
    perform orderlatch_data.merge_orders(p_account_id, v_shown[2:]);
    perform orderlatch_data.insert_orders(p_account_id, v_shown[2:], p_request_id);
  end if;
  -- its legs, and what replaces it and was shown before
  perform orderlatch_data.link_orders(p_account_id, array[p_order ->> 'id']);
end
$$;
revoke all on function orderlatch_data.save_order(integer, bigint, text, jsonb, uuid) from public;
comment on function orderlatch_data.save_order(integer, bigint, text, jsonb, uuid) is
  'Inserts an order of a decision into broker_orders with its legs, or gives one that was foreign to it '
  'and merges what is new. p_relation: what it is to the decision, see broker_orders. p_order: the '
  'broker''s document. p_request_id: the request whose answer shows it, or null.';

-- Inserts orders that are not known yet.
-- Locks: none; the caller holds the account for answering, or the decision that they belong to. Raises: none.
create or replace function orderlatch_data.insert_orders(
  p_account_id integer,
  p_shown orderlatch_data.shown_order[],
  p_request_id uuid,
  p_decision_id bigint default null,
  p_relation text default null
)
returns setof text
language sql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  insert into orderlatch_data.broker_orders as b (
    account_id, broker_order_id, decision_id, relation, parent_broker_order_id, client_order_id, symbol, side,
    order_type, qty, notional, limit_price, stop_price, status, is_open, status_at, filled_qty,
    filled_avg_price, filled_as_of, shown_filled_qty, submitted_at, updated_at, found_in_request_id,
    recorded_at, changed_at, document
  )
  select p_account_id, d.broker_order_id, p_decision_id, coalesce(p_relation, d.relation),
         d.parent_broker_order_id,
         case when p_decision_id is null or d.decision_hash is null then d.client_order_id end, d.symbol,
         d.side, d.order_type, d.qty, d.notional, d.limit_price, d.stop_price, d.status, d.is_open,
         d.updated_at, d.filled_qty, d.filled_avg_price, d.updated_at, d.filled_qty, d.submitted_at,
         d.updated_at, p_request_id, orderlatch_data.clock(), orderlatch_data.clock(),
         case when p_decision_id is null then d.document end
    from unnest(p_shown) as d
   where not exists (
     select 1
       from orderlatch_data.broker_orders as k
      where k.account_id = p_account_id and k.broker_order_id = d.broker_order_id
     offset 0
   )
   order by d.submitted_at, d.broker_order_id
  on conflict on constraint broker_orders_id_is_unique do nothing
  returning b.broker_order_id
$$;
revoke all on function orderlatch_data.insert_orders(
  integer, orderlatch_data.shown_order[], uuid, bigint, text
) from public;
comment on function orderlatch_data.insert_orders(
  integer, orderlatch_data.shown_order[], uuid, bigint, text
) is
  'Inserts what is new of views of orders, and returns their ids. p_decision_id: null: they belong to no '
  'decision yet; the document of one whose client_order_id reads as a decision hash is kept then, so that '
  'it can be compared when that decision is proposed again. p_relation: null: what each view says.';

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
     cross join lateral (
       select k.broker_order_id
         from orderlatch_data.broker_orders as k
        where k.account_id = p_account_id
          and k.parent_broker_order_id = c.broker_order_id
          and k.decision_id is null
       offset 0
     ) as b
  )
  update orderlatch_data.broker_orders as b
     set decision_id = c.decision_id, foreign_at = null, document = null, changed_at = orderlatch_data.clock()
    from chain as c
   where b.account_id = p_account_id
     and b.broker_order_id = any (array(select k.broker_order_id from chain as k))
     and b.broker_order_id = c.broker_order_id
     and b.decision_id is null
$$;
revoke all on function orderlatch_data.link_orders(integer, text[]) from public;
comment on function orderlatch_data.link_orders(integer, text[]) is
  'Follows the chains of replacements and legs from the given orders of decisions, and gives every order '
  'on them to the decision.';
