-- Takes in whatever orders the broker shows: ours, what hangs on them, and those of nobody here.
-- Locks: none; the caller holds the account for answering and the decisions of keys_of_orders. Raises: none.
create or replace function orderlatch_data.take_orders(
  p_account_id integer,
  p_documents jsonb,
  p_request_id uuid,
  p_verified boolean
)
returns void
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_ids text[];
begin
  -- orders with a decision hash are facts whoever brings them
  perform orderlatch_data.record_order(n.decision_id, n.document, p_request_id)
    from orderlatch_data.news_of_decisions(p_account_id, p_documents) as n;
  if not p_verified then
    return;
  end if;
  perform orderlatch_data.merge_orders(p_account_id, p_documents);
  perform orderlatch_data.insert_legs_and_orders(p_account_id, p_documents, p_request_id);

  v_ids := array(select d.broker_order_id from orderlatch_data.read_orders(p_documents) as d);
  perform orderlatch_data.link_orders(
    p_account_id,
    v_ids || array(
      select b.parent_broker_order_id
        from orderlatch_data.broker_orders as b
       where b.account_id = p_account_id
         and b.broker_order_id = any (v_ids)
         and b.parent_broker_order_id is not null
    )
  );
  perform orderlatch_data.end_cancels(p_account_id, v_ids);
  delete from orderlatch_data.order_checks as c
   where c.account_id = p_account_id
     and c.broker_order_id = any (v_ids)
     and c.request_id is null
     -- one that is to be canceled is followed until it has ended
     and not exists (
       select 1
         from orderlatch_data.order_cancels as w
        where w.account_id = c.account_id and w.broker_order_id = c.broker_order_id and w.ended_at is null
     );
  perform orderlatch_data.check_chains(p_account_id, p_documents);
end
$$;
revoke all on function orderlatch_data.take_orders(integer, jsonb, uuid, boolean) from public;
comment on function orderlatch_data.take_orders(integer, jsonb, uuid, boolean) is
  'Records the broker''s documents of orders of an account (a JSON array): orders of decisions move them '
  'to submitted, known orders are brought up to date, unknown ones are kept, replacements and legs are '
  'given to the decision of their parent. p_verified: whether the reader''s keys are proved to be the '
  'account''s; else only orders that name a decision of the account are taken. p_request_id: the request '
  'whose answer shows them; null: the stream.';

-- The orders that tell something new of a decision: of ours, and not recorded as its order yet.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.news_of_decisions(p_account_id integer, p_documents jsonb)
returns table (decision_id bigint, lock_key integer, document jsonb)
language sql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select o.decision_id, o.lock_key, o.document
    from orderlatch_data.own_orders(p_account_id, p_documents) as o
   where o.decision_id is not null
     and not exists (
       select 1
         from orderlatch_data.broker_orders as b
        where b.account_id = p_account_id
          and b.broker_order_id = o.document ->> 'id'
          and b.decision_id = o.decision_id
     )
$$;
revoke all on function orderlatch_data.news_of_decisions(integer, jsonb) from public;
comment on function orderlatch_data.news_of_decisions(integer, jsonb) is
  'The orders in a JSON array whose client_order_id is the hash of a decision of the account, and which '
  'are not known as orders of it, each with its key for lock_decisions.';

-- Inserts orders and legs that are not known yet.
-- Locks: none; the caller holds the account for answering. Raises: none.
create or replace function orderlatch_data.insert_legs_and_orders(
  p_account_id integer,
  p_documents jsonb,
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
  v_with_legs record;
begin
  perform orderlatch_data.insert_orders(
    p_account_id,
    (select jsonb_agg(e.document - 'legs') from jsonb_array_elements(p_documents) as e(document)),
    null, p_request_id
  );
  -- a loop, because few orders have legs
  for v_with_legs in
    select e.document -> 'legs' as legs, e.document ->> 'id' as broker_order_id
      from jsonb_array_elements(p_documents) with ordinality as e(document, place)
     where jsonb_typeof(e.document -> 'legs') = 'array'
     order by e.place
  loop
    perform orderlatch_data.insert_orders(
      p_account_id, v_with_legs.legs, v_with_legs.broker_order_id, p_request_id
    );
  end loop;
end
$$;
revoke all on function orderlatch_data.insert_legs_and_orders(integer, jsonb, uuid) from public;
comment on function orderlatch_data.insert_legs_and_orders(integer, jsonb, uuid) is
  'insert_orders for the orders of a JSON array and for the legs inside them.';

-- Has the orders read that the shown ones replace, or are replaced by, where they are not known.
-- Locks: none; the caller holds the account for answering. Raises: none.
create or replace function orderlatch_data.check_chains(p_account_id integer, p_documents jsonb)
returns void
language sql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select orderlatch_data.check_order(p_account_id, c.broker_order_id, c.reason, '2 seconds')
    from orderlatch_data.read_orders(p_documents) as d
    join orderlatch_data.broker_orders as b
      on b.account_id = p_account_id and b.broker_order_id = d.broker_order_id
   cross join lateral (
     values
       (d.replaced_by, 'replaces a known order'),
       (case when d.relation = 'replacement' then d.parent_broker_order_id end, 'replaced by a known order')
   ) as c(broker_order_id, reason)
   where c.broker_order_id is not null
     and (b.decision_id is not null or d.decision_hash is not null)
     and not exists (
       select 1
         from orderlatch_data.broker_orders as k
        where k.account_id = p_account_id and k.broker_order_id = c.broker_order_id
     )
$$;
revoke all on function orderlatch_data.check_chains(integer, jsonb) from public;
comment on function orderlatch_data.check_chains(integer, jsonb) is
  'check_order for every unknown neighbour, in a chain of replacements, of an order of a decision.';
