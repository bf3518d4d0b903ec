-- Finds the orders in a list whose client_order_id is a decision hash, each with its decision of the account.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.own_orders(p_account_id integer, p_document jsonb)
returns table (decision_id bigint, lock_key integer, document jsonb)
language sql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select t.decision_id, orderlatch_data.decision_lock_key(h.decision_hash), e.document
    from jsonb_array_elements(p_document) with ordinality as e(document, place)
   cross join lateral (
     select orderlatch_data.read_decision_hash(e.document) as decision_hash
      where length(e.document ->> 'client_order_id') = 64
     offset 0
   ) as h
    -- by its key, whatever the planner makes of a list: see lock_orders_with_news
    left join lateral (
      select d.decision_id
        from orderlatch_data.trade_decisions as d
       where d.decision_hash = h.decision_hash and d.account_id = p_account_id
      offset 0
    ) as t on true
   where h.decision_hash is not null
   order by e.place
$$;
revoke all on function orderlatch_data.own_orders(integer, jsonb) from public;
comment on function orderlatch_data.own_orders(integer, jsonb) is
  'The orders in a JSON array whose client_order_id reads as a decision hash, in the order of the list, '
  'each with its key for lock_decisions. decision_id is null when the account has no such decision, or '
  'none yet.';

-- The keys of decisions that a list of orders may move.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.keys_of_orders(p_account_id integer, p_documents jsonb)
returns table (lock_key integer, is_lost boolean)
language sql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select o.lock_key, o.decision_id is null and b.order_no is null
    from orderlatch_data.own_orders(p_account_id, p_documents) as o
    left join lateral (
      select k.order_no, k.decision_id
        from orderlatch_data.broker_orders as k
       where k.account_id = p_account_id and k.broker_order_id = o.document ->> 'id'
      offset 0
    ) as b on true
   -- an order that is known as its decision's moves it no more
   where b.decision_id is null or b.decision_id is distinct from o.decision_id
$$;
revoke all on function orderlatch_data.keys_of_orders(integer, jsonb) from public;
comment on function orderlatch_data.keys_of_orders(integer, jsonb) is
  'Keys for lock_decisions, before the orders in a JSON array are taken: of each that reads as a '
  'decision''s and is not known as its order, whether the decision is known yet or not. is_lost: neither '
  'the decision nor the order is.';

-- What may be orders in the answer to list_orders or get_order.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.orders_in(p_document jsonb)
returns jsonb
language plpgsql
immutable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return case jsonb_typeof(p_document)
    when 'array' then p_document
    when 'object' then jsonb_build_array(p_document)
    else '[]'
  end;
end
$$;
revoke all on function orderlatch_data.orders_in(jsonb) from public;
comment on function orderlatch_data.orders_in(jsonb) is
  'A JSON array: the list, the one object, or nothing. What it holds need not be orders.';

-- Concludes every proof of absence that waited for a read which is now complete and did not show the order.
-- Locks: none; the caller holds the decisions. Raises: none.
create or replace function orderlatch_data.conclude_read(
  p_account orderlatch_data.accounts,
  p_read_id bigint,
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
  v_waiting record;
begin
  if orderlatch_data.calls_may_be_unknown(p_account.account_id) then
    -- another cluster may have sent them again: a list that is begun when its calls have ended will tell
    update orderlatch_data.doubts as d set read_id = null where d.read_id = p_read_id;
    return;
  end if;
  -- a loop, because each decision ends its doubt in its own way
  for v_waiting in
    select d.decision_id, d.first_absent_at, d.second_absent_at, r.from_at, r.began_at, r.pages
      from orderlatch_data.doubts as d
      join orderlatch_data.open_decisions as o on o.decision_id = d.decision_id
      join orderlatch_data.broker_reads as r on r.read_id = d.read_id
     where d.read_id = p_read_id
       and o.status = 'in_doubt'
       and d.second_absent_at is not null
       and not d.duplicate
       and not d.mismatched
     order by d.decision_id
  loop
    perform orderlatch_data.conclude_absence(
      p_account, v_waiting.decision_id, 'proved absent', p_request_id,
      jsonb_build_object(
        'first_absent_at', v_waiting.first_absent_at,
        'second_absent_at', v_waiting.second_absent_at,
        'orders_read_from', v_waiting.from_at,
        'orders_read_at', v_waiting.began_at,
        'pages', v_waiting.pages
      )
    );
  end loop;
  perform pg_notify('orderlatch', p_account.account);
end
$$;
revoke all on function orderlatch_data.conclude_read(orderlatch_data.accounts, bigint, uuid) from public;
comment on function orderlatch_data.conclude_read(orderlatch_data.accounts, bigint, uuid) is
  'Ends the doubt of each decision that has two answers of absence and waited for this read. The evidence '
  'of the proof goes into its event. While calls of another cluster may be unknown they wait for another.';
