-- Asks who the account is, once at a time for each life of a worker, until it is verified.
-- Locks: none; the caller holds the account for granting. Raises: none.
create or replace function orderlatch_data.grant_identity_check(
  p_account orderlatch_data.accounts,
  p_worker_id integer
)
returns setof orderlatch_data.granted_request
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  if orderlatch_data.is_backing_off(p_account.account_id, 'get_account', orderlatch_data.clock())
    or exists (
      select 1
        from orderlatch_data.open_requests as r
       where r.account_id = p_account.account_id and r.worker_id = p_worker_id and r.kind = 'get_account'
    )
  then
    return;
  end if;
  return query
  select g.*
    from orderlatch_data.grant_requests(p_worker_id, array[(
           p_account.account_id, 'get_account', orderlatch_data.new_request_id(), null, null, null, null,
           '/v2/account', null, null, null
         )::orderlatch_data.wanted_call]) as r
   cross join unnest(r.granted) as g;
end
$$;
revoke all on function orderlatch_data.grant_identity_check(orderlatch_data.accounts, integer) from public;
comment on function orderlatch_data.grant_identity_check(orderlatch_data.accounts, integer) is
  'Grants get_account, unless it is on its way for this life of a worker or backing off.';

-- Looks up orders whose fate is not known, the longest due first.
-- Locks: decisions (try). Raises: none.
create or replace function orderlatch_data.grant_lookups(
  p_account orderlatch_data.accounts,
  p_worker_id integer,
  p_how_many integer
)
returns setof orderlatch_data.granted_request
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_now constant timestamptz := orderlatch_data.clock();
  v_held bigint[];
begin
  if orderlatch_data.is_backing_off(p_account.account_id, 'find_order', v_now) then
    return;
  end if;
  v_held := array(
    select d.decision_id
      from (
        -- the limit keeps the planner from trying the locks of decisions that no doubt joins
        select u.decision_id, o.lock_key
          from orderlatch_data.doubts as u
          join orderlatch_data.open_decisions as o on o.decision_id = u.decision_id
         where u.account_id = p_account.account_id and u.next_lookup_at <= v_now
         order by u.next_lookup_at, u.decision_id
         limit p_how_many
      ) as d
     where orderlatch_data.try_lock_decision(d.lock_key)
  );

  -- a statement of its own, so that it sees what the last holder of each lock has committed
  return query
  with due as materialized (
    select u.decision_id, t.decision_hash, orderlatch_data.new_request_id() as request_id
      from orderlatch_data.doubts as u
      join orderlatch_data.trade_decisions as t on t.decision_id = u.decision_id
     where u.decision_id = any (v_held) and u.next_lookup_at <= v_now
     order by u.next_lookup_at, u.decision_id
  ), counted as (
    update orderlatch_data.doubts as u
       set lookups = least(u.lookups + 1, 30000), next_lookup_at = null
      from due as d
     where u.decision_id = d.decision_id
  ), held as (
    update orderlatch_data.open_decisions as o
       set lookup_request_id = d.request_id
      from due as d
     where o.decision_id = d.decision_id
  )
  select g.*
    from orderlatch_data.grant_requests(p_worker_id, array(
           select (
                    p_account.account_id, 'find_order', d.request_id, d.decision_id, null, null,
                    orderlatch_data.decision_lock_key(d.decision_hash), '/v2/orders:by_client_order_id',
                    jsonb_build_object('client_order_id', encode(d.decision_hash, 'hex')), null, null
                  )::orderlatch_data.wanted_call
             from due as d
         )) as r
   cross join unnest(r.granted) as g;
end
$$;
revoke all on function orderlatch_data.grant_lookups(orderlatch_data.accounts, integer, integer) from public;
comment on function orderlatch_data.grant_lookups(orderlatch_data.accounts, integer, integer) is
  'Grants find_order for decisions that are due for a lookup. A decision that another session holds is '
  'left for the next claim.';

-- Reads the broker's orders, page by page, where a proof of absence waits for it.
-- Locks: none; the caller holds the account for granting. Raises: none.
create or replace function orderlatch_data.grant_pages(
  p_account orderlatch_data.accounts,
  p_worker_id integer,
  p_how_many integer
)
returns setof orderlatch_data.granted_request
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_now timestamptz;
begin
  perform orderlatch_data.begin_reads(p_account);
  v_now := orderlatch_data.clock();  -- what has just begun is due
  if orderlatch_data.is_backing_off(p_account.account_id, 'list_orders', v_now) then
    return;
  end if;
  return query
  with due as materialized (
    select r.read_id, orderlatch_data.new_request_id() as request_id, orderlatch_data.page_query(r) as query
      from orderlatch_data.broker_reads as r
     where r.account_id = p_account.account_id
       and r.purpose = 'proof'
       and r.completed_at is null
       and r.request_id is null
       and r.next_page_at <= v_now
       and exists (select 1 from orderlatch_data.doubts as d where d.read_id = r.read_id)
     order by r.next_page_at, r.read_id
     limit p_how_many
       for update of r skip locked
  ), held as (
    update orderlatch_data.broker_reads as r
       set request_id = d.request_id, began_at = coalesce(r.began_at, v_now)
      from due as d
     where r.read_id = d.read_id
  )
  select g.*
    from orderlatch_data.grant_requests(p_worker_id, array(
           select (
                    p_account.account_id, 'list_orders', d.request_id, null, d.read_id, null, null,
                    '/v2/orders', d.query, null, null
                  )::orderlatch_data.wanted_call
             from due as d
         )) as r
   cross join unnest(r.granted) as g;
end
$$;
revoke all on function orderlatch_data.grant_pages(orderlatch_data.accounts, integer, integer) from public;
comment on function orderlatch_data.grant_pages(orderlatch_data.accounts, integer, integer) is
  'Grants list_orders: the next page of each read of orders that has none on its way and that a doubt '
  'still waits for.';
