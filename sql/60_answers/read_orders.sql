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
    select jsonb_strip_nulls(e.document) as document, null::text as leg_of
      from jsonb_array_elements(p_documents) as e(document)
    union all
    select jsonb_strip_nulls(l.document), e.document ->> 'id'
      from jsonb_array_elements(p_documents) as e(document)
     cross join lateral jsonb_array_elements(orderlatch_data.legs_of(e.document)) as l(document)
     where orderlatch_data.is_order(l.document)
  )
  -- of an order that is shown twice the newest view, as a leg when it is shown as one
  select distinct on (s.document ->> 'id')
         s.document ->> 'id', left(s.document ->> 'client_order_id', 128), v.decision_hash,
         case
           when s.leg_of is not null then 'leg'
           when s.document ->> 'replaces' <> '' then 'replacement'
           else 'order'
         end,
         coalesce(s.leg_of, left(nullif(s.document ->> 'replaces', ''), 128)),
         left(nullif(s.document ->> 'replaced_by', ''), 128),
         left(upper(nullif(s.document ->> 'symbol', '')), 64),
         case when s.document ->> 'side' in ('buy', 'sell') then s.document ->> 'side' end,
         left(coalesce(s.document ->> 'type', s.document ->> 'order_type'), 64),
         orderlatch_data.read_decimal(s.document -> 'qty'),
         orderlatch_data.read_decimal(s.document -> 'notional'),
         orderlatch_data.read_decimal(s.document -> 'limit_price'),
         orderlatch_data.read_decimal(s.document -> 'stop_price'),
         s.document ->> 'status', v.status_rank < 9, v.status_rank,
         v.filled_qty, orderlatch_data.read_decimal(s.document -> 'filled_avg_price'),
         orderlatch_data.read_broker_time(s.document -> 'submitted_at'), v.updated_at,
         case when v.decision_hash is not null then s.document - 'legs' end
    from shown as s
   cross join lateral (
     select orderlatch_data.read_decision_hash(s.document) as decision_hash,
            orderlatch_data.status_rank(s.document ->> 'status') as status_rank,
            greatest(orderlatch_data.read_decimal(s.document -> 'filled_qty'), 0) as filled_qty,
            orderlatch_data.read_broker_time(s.document -> 'updated_at') as updated_at
    -- read once, however often they are used
    offset 0
   ) as v
   order by s.document ->> 'id', v.status_rank = 9 desc, v.updated_at desc nulls last, v.filled_qty desc,
            s.leg_of is null
$$;
revoke all on function orderlatch_data.read_orders(jsonb) from public;
comment on function orderlatch_data.read_orders(jsonb) is
  'The orders of a JSON array, each leg as a row of its own, once for each broker_order_id. relation and '
  'parent_broker_order_id: what the document says of itself (replaces) or where it lies (legs). '
  'decision_hash: null when client_order_id is none; document: only with one, without its legs. Quantities '
  'in shares, coins or contracts; money in dollars.';

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
