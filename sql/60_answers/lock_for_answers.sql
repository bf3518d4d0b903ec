-- Holds everything that a batch of answers may change, in the one order of locking.
-- Locks: accounts ascending (judging, then answering), decisions ascending. Raises: OL201, OL202.
create or replace function orderlatch_data.lock_for_answers(p_reports orderlatch_data.broker_responses[])
returns orderlatch_data.broker_requests[]
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_asked constant record := orderlatch_data.requests_of_answers(p_reports);
  v_account_id integer;
  v_keys integer[] := v_asked.lock_keys;
  v_lost integer[];
begin
  if v_asked.answering is not null or v_asked.is_unknown then
    select array_agg(k.lock_key), array_agg(distinct k.account_id) filter (where k.is_lost)
      into v_keys, v_lost
      from orderlatch_data.keys_of_answers(p_reports) as k;
  end if;

  -- an order whose decision is not known, or of an unknown request, may be of a decision that is being
  -- proposed at this moment: either it is seen here, or the order is seen there
  if v_asked.is_unknown or v_lost is not null then
    for v_account_id in
      select a.account_id
        from orderlatch_data.accounts as a
       where v_asked.is_unknown or a.account_id = any (v_lost)
       order by a.account_id
    loop
      perform orderlatch_data.lock_account('judging', v_account_id);
    end loop;
  end if;
  if v_asked.answering is not null then
    for v_account_id in
      select distinct q.account_id from unnest(v_asked.answering) as q(account_id) order by q.account_id
    loop
      perform orderlatch_data.lock_account('answering', v_account_id);
    end loop;
  end if;
  -- the lock in one expression with what is returned, as a perform is a query
  return case when num_nonnulls(orderlatch_data.lock_decisions(v_keys)) >= 0 then v_asked.requests end;
end
$$;
revoke all on function orderlatch_data.lock_for_answers(orderlatch_data.broker_responses[]) from public;
comment on function orderlatch_data.lock_for_answers(orderlatch_data.broker_responses[]) is
  'Takes every lock that recording these answers needs, before anything is read for it that may change. '
  'p_reports: as read_reports has them. Returns the request of each, null where it is not known.';

-- What a batch of answers is about.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.requests_of_answers(
  p_reports orderlatch_data.broker_responses[],
  out requests orderlatch_data.broker_requests[],
  out lock_keys integer[],
  out answering integer[],
  out is_unknown boolean
)
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_each record;
begin
  requests := '{}';
  is_unknown := false;
  for v_each in
    select r.ordinality as place, q.request, q.account_id, t.decision_hash,
           coalesce(r.status between 200 and 299, false) as is_success,
           -- one that succeeded changes nothing that is known of its account; with legs it does
           coalesce(q.kind = 'submit_order' and r.sent = 'yes' and t.order_class = 'simple', false)
             as is_plain
      from unnest(p_reports) with ordinality as r
      -- each found by its key
      left join lateral (
        select k as request, k.account_id, k.kind, k.decision_id
          from orderlatch_data.broker_requests as k
         where k.request_id = r.request_id
        offset 0
      ) as q on true
      left join lateral (
        select d.decision_hash, d.order_class
          from orderlatch_data.trade_decisions as d
         where d.decision_id = q.decision_id
        offset 0
      ) as t on true
  loop
    requests[v_each.place] := v_each.request;
    lock_keys := lock_keys || orderlatch_data.decision_lock_key(v_each.decision_hash);
    if v_each.account_id is null then
      is_unknown := is_unknown or v_each.is_success;
    elsif not (v_each.is_plain and v_each.is_success) then
      answering := answering || v_each.account_id;
    end if;
  end loop;
end
$$;
revoke all on function orderlatch_data.requests_of_answers(orderlatch_data.broker_responses[]) from public;
comment on function orderlatch_data.requests_of_answers(orderlatch_data.broker_responses[]) is
  'requests: the request of each answer, null where it is not known. lock_keys: of their decisions, null '
  'where there is none. answering: accounts of known requests, but for submits of simple orders that '
  'succeeded; null when there are none. is_unknown: whether HTTP calls an answer to an unknown request a '
  'success.';

-- The keys of all decisions, and of requests without one, that a batch of answers may change.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.keys_of_answers(p_reports orderlatch_data.broker_responses[])
returns table (lock_key integer, account_id integer, is_lost boolean)
language sql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  with reports as materialized (
    select r.request_id, q.request_id is not null as known, q.kind, q.decision_id, q.read_id, q.account_id,
           case
             when q.request_id is null or q.kind in ('list_orders', 'get_order', 'list_fills')
               then orderlatch_data.read_json(r.body)
           end as document
      from unnest(p_reports) as r
      -- by its key: for a join the planner may read all requests that there ever were
      left join lateral (
        select k.* from orderlatch_data.broker_requests as k where k.request_id = r.request_id
        offset 0
      ) as q on true
  )
  -- the decision of a submit or lookup
  select orderlatch_data.decision_lock_key(t.decision_hash), r.account_id, false
    from reports as r
   cross join lateral (
     select k.decision_hash from orderlatch_data.trade_decisions as k where k.decision_id = r.decision_id
     offset 0
   ) as t
  union
  -- the request itself, where there is no decision
  select orderlatch_data.request_lock_key(r.request_id), r.account_id, false
    from reports as r
   where r.known and r.decision_id is null
  union
  -- decisions whose proof waits for the read that a page belongs to
  select o.lock_key, r.account_id, false
    from reports as r
    join orderlatch_data.doubts as d on d.read_id = r.read_id
    join orderlatch_data.open_decisions as o on o.decision_id = d.decision_id
  union
  -- decisions whose orders are shown, also those that are being recorded at this moment
  select w.lock_key, r.account_id, w.is_lost
    from reports as r
   cross join lateral orderlatch_data.keys_of_orders(
     r.account_id, orderlatch_data.orders_in(r.document)
   ) as w
   where r.kind in ('list_orders', 'get_order')
  union
  -- decisions whose order is on its way, and may be the one that fills are shown of before it
  select o.lock_key, r.account_id, false
    from reports as r
    join orderlatch_data.open_decisions as o
      on o.account_id = r.account_id and o.status in ('submitting', 'in_doubt')
   where r.kind = 'list_fills' and orderlatch_data.has_fill_of_unknown_order(r.account_id, r.document)
  union
  -- the decision of an order in the answer to a request that a failover has lost
  select orderlatch_data.decision_lock_key(h.decision_hash), null, false
    from reports as r
   cross join lateral (select orderlatch_data.read_decision_hash(r.document) as decision_hash) as h
   where not r.known and orderlatch_data.is_order(r.document) and h.decision_hash is not null
$$;
revoke all on function orderlatch_data.keys_of_answers(orderlatch_data.broker_responses[]) from public;
comment on function orderlatch_data.keys_of_answers(orderlatch_data.broker_responses[]) is
  'Keys for lock_decisions, before a batch of answers is recorded. is_lost: an order is shown whose '
  'decision nobody knows, or not yet.';
