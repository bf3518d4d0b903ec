-- Grants cancels that somebody asked for and that the broker has not accepted yet.
-- Locks: decisions (try); the caller holds the account for granting. Raises: none.
create or replace function orderlatch_data.grant_cancels(
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
begin
  perform orderlatch_data.ask_due_cancels(p_account.account_id);
  if orderlatch_data.is_backing_off(p_account.account_id, 'cancel_order', v_now) then
    return;
  end if;
  return query
  with due as materialized (
    select c.broker_order_id, orderlatch_data.new_request_id() as request_id
      from orderlatch_data.order_cancels as c
     where c.account_id = p_account.account_id
       and c.ended_at is null
       and c.next_try_at <= v_now
       and not orderlatch_data.is_on_its_way(c.request_id)
     order by c.next_try_at, c.broker_order_id
     limit p_how_many
       for update of c skip locked
  ), held as (
    update orderlatch_data.order_cancels as c
       set request_id = d.request_id, tries = least(c.tries + 1, 30000)
      from due as d
     where c.account_id = p_account.account_id and c.broker_order_id = d.broker_order_id
  )
  select g.*
    from orderlatch_data.grant_requests(p_worker_id, array(
           select (
                    p_account.account_id, 'cancel_order', d.request_id, null, null, d.broker_order_id, null,
                    '/v2/orders/' || d.broker_order_id, null, null, null
                  )::orderlatch_data.wanted_call
             from due as d
         )) as r
   cross join unnest(r.granted) as g;
end
$$;
revoke all on function orderlatch_data.grant_cancels(orderlatch_data.accounts, integer, integer) from public;
comment on function orderlatch_data.grant_cancels(orderlatch_data.accounts, integer, integer) is
  'Grants cancel_order for the orders of order_cancels that are due, the longest due first.';

-- Grants reads of single orders that no list explains.
-- Locks: none; the caller holds the account for granting. Raises: none.
create or replace function orderlatch_data.grant_checks(
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
begin
  if orderlatch_data.is_backing_off(p_account.account_id, 'get_order', v_now) then
    return;
  end if;
  return query
  with due as materialized (
    select c.broker_order_id, orderlatch_data.new_request_id() as request_id
      from orderlatch_data.order_checks as c
     where c.account_id = p_account.account_id
       and c.next_try_at <= v_now
       and not orderlatch_data.is_on_its_way(c.request_id)
     order by c.next_try_at, c.broker_order_id
     limit p_how_many
       for update of c skip locked
  ), held as (
    update orderlatch_data.order_checks as c
       set request_id = d.request_id, tries = least(c.tries + 1, 30000)
      from due as d
     where c.account_id = p_account.account_id and c.broker_order_id = d.broker_order_id
  )
  select g.*
    from orderlatch_data.grant_requests(p_worker_id, array(
           select (
                    p_account.account_id, 'get_order', d.request_id, null, null, d.broker_order_id, null,
                    '/v2/orders/' || d.broker_order_id, '{"nested": "true"}', null, null
                  )::orderlatch_data.wanted_call
             from due as d
         )) as r
   cross join unnest(r.granted) as g;
end
$$;
revoke all on function orderlatch_data.grant_checks(orderlatch_data.accounts, integer, integer) from public;
comment on function orderlatch_data.grant_checks(orderlatch_data.accounts, integer, integer) is
  'Grants get_order for the orders of order_checks that are due, the longest due first.';

-- Whether a request is neither answered nor lost.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.is_on_its_way(p_request_id uuid)
returns boolean
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return exists (select 1 from orderlatch_data.open_requests as r where r.request_id = p_request_id);
end
$$;
revoke all on function orderlatch_data.is_on_its_way(uuid) from public;
comment on function orderlatch_data.is_on_its_way(uuid) is
  'Whether a request was granted and is neither answered nor lost; false for null.';
