-- Takes in whatever orders the broker shows: ours, what hangs on them, and those of nobody here.
-- Locks: none; the caller holds the account for answering and the decisions of keys_of_orders. Raises: none.
create or replace function orderlatch_data.take_orders(
  p_account_id integer,
  p_documents jsonb,
  p_request_id uuid,
  p_verified boolean
)
returns orderlatch_data.shown_order[]
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_shown orderlatch_data.shown_order[];
  v_news text[];
begin
  -- orders with a decision hash are facts whoever brings them
  perform orderlatch_data.record_order(n.decision_id, n.document, p_request_id)
    from orderlatch_data.news_of_decisions(p_account_id, p_documents) as n;
  if not p_verified then
    return '{}'::orderlatch_data.shown_order[];
  end if;
  v_shown := array(
    select row(d.*)::orderlatch_data.shown_order from orderlatch_data.read_orders(p_documents) as d
  );
  v_news := array(
    select m.broker_order_id from orderlatch_data.merge_orders(p_account_id, v_shown) as m(broker_order_id)
  ) || array(
    select i.broker_order_id
      from orderlatch_data.insert_orders(p_account_id, v_shown, p_request_id) as i(broker_order_id)
  );
  if cardinality(v_news) > 0 then
    perform orderlatch_data.link_orders(
      p_account_id,
      v_news || array(
        select b.parent_broker_order_id
          from orderlatch_data.broker_orders as b
         where b.account_id = p_account_id
           and b.broker_order_id = any (v_news)
           and b.decision_id is null
           and b.parent_broker_order_id is not null
      )
    );
    perform orderlatch_data.heal_vanished(p_account_id, v_news);
  end if;
  perform orderlatch_data.end_cancels(p_account_id);
  perform orderlatch_data.pass_cancels_on(p_account_id, v_news);
  perform orderlatch_data.check_chains(p_account_id, v_shown);
  perform orderlatch_data.end_checks(p_account_id, v_shown);
  return v_shown;
end
$$;
revoke all on function orderlatch_data.take_orders(integer, jsonb, uuid, boolean) from public;
comment on function orderlatch_data.take_orders(integer, jsonb, uuid, boolean) is
  'Records the broker''s documents of orders of an account (a JSON array): orders of decisions move them '
  'to submitted, known orders are brought up to date, unknown ones are kept, replacements and legs are '
  'given to the decision of their parent. p_verified: whether the reader''s keys are proved to be the '
  'account''s; else only orders that name a decision of the account are taken. p_request_id: the request '
  'whose answer shows them; null: the stream. Returns what was taken, read.';

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
       offset 0
     )
$$;
revoke all on function orderlatch_data.news_of_decisions(integer, jsonb) from public;
comment on function orderlatch_data.news_of_decisions(integer, jsonb) is
  'The orders in a JSON array whose client_order_id is the hash of a decision of the account, and which '
  'are not known as orders of it, each with its key for lock_decisions.';

-- Has the orders read that the shown ones replace, or are replaced by, where they are not known.
-- Locks: none; the caller holds the account for answering. Raises: none.
create or replace function orderlatch_data.check_chains(
  p_account_id integer,
  p_shown orderlatch_data.shown_order[]
)
returns void
language sql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select orderlatch_data.check_order(p_account_id, c.broker_order_id, c.reason, '2 seconds')
    from unnest(p_shown) as d
   cross join lateral (
     select k.decision_id
       from orderlatch_data.broker_orders as k
      where k.account_id = p_account_id and k.broker_order_id = d.broker_order_id
     offset 0
   ) as b
   cross join lateral (
     values
       (d.replaced_by, 'replaces a known order'),
       (case when d.relation = 'replacement' then d.parent_broker_order_id end, 'replaced by a known order')
   ) as c(broker_order_id, reason)
   where (d.replaced_by is not null or d.relation = 'replacement')
     and c.broker_order_id is not null
     and (b.decision_id is not null or d.decision_hash is not null)
     and not exists (
       select 1
         from orderlatch_data.broker_orders as k
        where k.account_id = p_account_id and k.broker_order_id = c.broker_order_id
       offset 0
     )
$$;
revoke all on function orderlatch_data.check_chains(integer, orderlatch_data.shown_order[]) from public;
comment on function orderlatch_data.check_chains(integer, orderlatch_data.shown_order[]) is
  'check_order for every unknown neighbour, in a chain of replacements, of an order of a decision.';

-- Leaves off reading orders one by one that were just shown, but for those that are to be canceled.
-- Locks: none; the caller holds the account for answering. Raises: none.
create or replace function orderlatch_data.end_checks(
  p_account_id integer,
  p_shown orderlatch_data.shown_order[]
)
returns void
language sql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  delete from orderlatch_data.order_checks as k
   using unnest(p_shown) as d
   where k.account_id = p_account_id
     and k.broker_order_id = d.broker_order_id
     and k.request_id is null
     and not exists (
       select 1
         from orderlatch_data.order_cancels as c
        where c.account_id = p_account_id and c.broker_order_id = d.broker_order_id and c.ended_at is null
     );
  update orderlatch_data.order_checks as k
     set absent_at = null
    from unnest(p_shown) as d
   where k.account_id = p_account_id
     and k.broker_order_id = d.broker_order_id
     and k.absent_at is not null
$$;
revoke all on function orderlatch_data.end_checks(integer, orderlatch_data.shown_order[]) from public;
comment on function orderlatch_data.end_checks(integer, orderlatch_data.shown_order[]) is
  'Removes the order_checks of shown orders; one whose cancel has not ended is looked at until it has. That '
  'an order was missing does not count any more.';
