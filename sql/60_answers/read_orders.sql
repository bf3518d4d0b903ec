-- Reads the broker's documents of orders, legs included, as columns; nothing in a document can make it fail.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.read_orders(p_documents jsonb)
returns setof orderlatch_data.shown_order
language sql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  with shown as (
    select e.document, null::text as leg_of
      from jsonb_array_elements(p_documents) as e(document)
    union all
    select l.document, e.document ->> 'id'
      from jsonb_array_elements(p_documents) as e(document)
     cross join lateral jsonb_array_elements(orderlatch_data.legs_of(e.document)) as l(document)
     where orderlatch_data.is_order(l.document)
  )
  -- of an order that is shown twice the newest view, as a leg when it is shown as one
  select distinct on ((v.shown).broker_order_id) (v.shown).*
    from (
      select orderlatch_data.read_order(s.document, s.leg_of) as shown, s.leg_of from shown as s
      -- read once, however often it is used
      offset 0
    ) as v
   order by (v.shown).broker_order_id, (v.shown).status_rank = 9 desc, (v.shown).updated_at desc nulls last,
            (v.shown).filled_qty desc, v.leg_of is null
$$;
revoke all on function orderlatch_data.read_orders(jsonb) from public;
comment on function orderlatch_data.read_orders(jsonb) is
  'The orders of a JSON array, each leg as a row of its own, once for each broker_order_id. relation and '
  'parent_broker_order_id: what the document says of itself (replaces) or where it lies (legs). '
  'decision_hash: null when client_order_id is none; document: only with one, without its legs. Quantities '
  'in shares, coins or contracts; money in dollars.';

-- Reads the broker's document of one order as columns; nothing in a document can make it fail.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.read_order(p_document jsonb, p_leg_of text default null)
returns orderlatch_data.shown_order
language plpgsql
immutable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_shown constant jsonb := jsonb_strip_nulls(p_document);
  v_decision_hash constant bytea := orderlatch_data.read_decision_hash(v_shown);
  v_status_rank constant integer := orderlatch_data.status_rank(v_shown ->> 'status');
  v_relation text := 'order';
  v_parent text;
  v_replaced_by text;
begin
  -- few orders hang on another one
  if p_leg_of is not null or v_shown ?| '{replaces,replaced_by}' then
    v_relation := case
      when p_leg_of is not null then 'leg'
      when v_shown ->> 'replaces' <> '' then 'replacement'
      else 'order'
    end;
    v_parent := coalesce(p_leg_of, left(nullif(v_shown ->> 'replaces', ''), 128));
    v_replaced_by := left(nullif(v_shown ->> 'replaced_by', ''), 128);
  end if;
  return row(
    v_shown ->> 'id', left(v_shown ->> 'client_order_id', 128), v_decision_hash, v_relation, v_parent,
    v_replaced_by, left(upper(nullif(v_shown ->> 'symbol', '')), 64),
    case when v_shown ->> 'side' in ('buy', 'sell') then v_shown ->> 'side' end,
    left(coalesce(v_shown ->> 'type', v_shown ->> 'order_type'), 64),
    orderlatch_data.read_decimal(v_shown -> 'qty'),
    orderlatch_data.read_decimal(v_shown -> 'notional'),
    orderlatch_data.read_decimal(v_shown -> 'limit_price'),
    orderlatch_data.read_decimal(v_shown -> 'stop_price'),
    v_shown ->> 'status', v_status_rank < 9, v_status_rank,
    greatest(orderlatch_data.read_decimal(v_shown -> 'filled_qty'), 0),
    orderlatch_data.read_decimal(v_shown -> 'filled_avg_price'),
    orderlatch_data.read_broker_time(v_shown -> 'submitted_at'),
    orderlatch_data.read_broker_time(v_shown -> 'updated_at'),
    case when v_decision_hash is not null then v_shown - 'legs' end
  )::orderlatch_data.shown_order;
end
$$;
revoke all on function orderlatch_data.read_order(jsonb, text) from public;
comment on function orderlatch_data.read_order(jsonb, text) is
  'A row as read_orders has it. p_leg_of: the broker_order_id of the order that it is a leg of; null: of '
  'none.';

-- The legs inside a broker's document of an order.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.legs_of(p_document jsonb)
returns jsonb
language plpgsql
immutable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return case when jsonb_typeof(p_document -> 'legs') = 'array' then p_document -> 'legs' else '[]' end;
end
$$;
revoke all on function orderlatch_data.legs_of(jsonb) from public;
comment on function orderlatch_data.legs_of(jsonb) is
  'The member legs where it is an array, else an empty one.';

-- How far a status is along the life of an order: of two views of one moment the further one counts.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.status_rank(p_status text)
returns integer
language plpgsql
immutable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return case
    when p_status in ('filled', 'canceled', 'expired', 'rejected', 'replaced') then 9
    when p_status in ('pending_cancel', 'pending_replace') then 5
    when p_status in ('partially_filled', 'done_for_day', 'stopped', 'suspended', 'calculated') then 4
    when p_status = 'new' then 3
    when p_status in ('accepted', 'accepted_for_bidding', 'held') then 2
    when p_status in ('unknown', 'vanished') then 0
    else 1
  end;
end
$$;
revoke all on function orderlatch_data.status_rank(text) from public;
comment on function orderlatch_data.status_rank(text) is
  '9 for the five statuses in which an order has ended, less for any other; a status that nobody knows is '
  'open. unknown and vanished are ours, not the broker''s: every view of the broker counts more.';

-- How much a relation says: that an order is a leg is more than that it replaces one, or nothing.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.relation_rank(p_relation text)
returns integer
language plpgsql
immutable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return case p_relation when 'leg' then 2 when 'replacement' then 1 else 0 end;
end
$$;
revoke all on function orderlatch_data.relation_rank(text) from public;
comment on function orderlatch_data.relation_rank(text) is
  'Of two views of one order the one that says more of what it hangs on counts: lists without nesting show '
  'a leg as an order of its own.';
