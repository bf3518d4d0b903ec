-- Writes requests: for each the intent, and the claim of the worker that gets it.
-- Locks: none; the caller holds the accounts for granting. Raises: none.
create or replace function orderlatch_data.grant_requests(
  p_worker_id integer,
  p_calls orderlatch_data.wanted_call[],
  p_claimed_at timestamptz default null,
  out granted orderlatch_data.granted_request[],
  out account_ids integer[],
  out answer_by timestamptz[]
)
returns record
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_now constant timestamptz := coalesce(p_claimed_at, orderlatch_data.clock());
begin
  granted := '{}';
  account_ids := '{}';
  if cardinality(p_calls) = 0 then
    return;
  end if;
  with called as materialized (
    select w.request_id, w.account_id, w.kind, w.decision_id, w.read_id, w.broker_order_id, w.lock_key,
           w.path, w.query, w.body, w.ordinality, a.account, a.timeout_ms,
           v_now + a.send_within + a.call_timeout + a.answer_grace as answer_by,
           greatest(
             1, floor(1000 * extract(epoch from least(v_now + a.send_within, w.send_until) - v_now))::integer
           ) as send_within_ms,
           case w.kind
             when 'submit_order' then 'POST' when 'cancel_order' then 'DELETE' else 'GET'
           end as method
      from unnest(p_calls) with ordinality as w
     cross join lateral (
       select k.account, k.send_within, k.call_timeout, k.answer_grace,
              (1000 * extract(epoch from k.call_timeout))::integer as timeout_ms
         from orderlatch_data.accounts as k
        where k.account_id = w.account_id
       offset 0
     ) as a
  ), intended as (
    insert into orderlatch_data.broker_requests (
      request_id, account_id, worker_id, kind, decision_id, read_id, broker_order_id, method, path, query,
      body, claimed_at, send_within_ms, timeout_ms, answer_by
    )
    select c.request_id, c.account_id, p_worker_id, c.kind, c.decision_id, c.read_id, c.broker_order_id,
           c.method, c.path, c.query, c.body, v_now, c.send_within_ms, c.timeout_ms, c.answer_by
      from called as c
  ), opened as (
    insert into orderlatch_data.open_requests
      (request_id, account_id, worker_id, kind, decision_id, lock_key, answer_by)
    select c.request_id, c.account_id, p_worker_id, c.kind, c.decision_id,
           coalesce(c.lock_key, orderlatch_data.request_lock_key(c.request_id)), c.answer_by
      from called as c
  )
  select array_agg(
           (
             c.request_id, c.account, c.kind, c.method, c.path, c.query, c.body, c.send_within_ms,
             c.timeout_ms
           )::orderlatch_data.granted_request order by c.ordinality
         ),
         array_agg(c.account_id order by c.ordinality), array_agg(c.answer_by order by c.ordinality)
    into granted, account_ids, answer_by
    from called as c;
end
$$;
revoke all on function orderlatch_data.grant_requests(integer, orderlatch_data.wanted_call[], timestamptz)
  from public;
comment on function orderlatch_data.grant_requests(integer, orderlatch_data.wanted_call[], timestamptz) is
  'Writes broker_requests and open_requests for each call. p_claimed_at: null for now; earlier where the '
  'claim has moved something already. Returns, in the same order, what the worker gets, of which account '
  'each is, and when it is to be answered.';

-- Key of the advisory lock that guards the answer of a request without a decision.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.request_lock_key(p_request_id uuid)
returns integer
language plpgsql
immutable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return ('x' || right(p_request_id::text, 8))::bit(32)::integer;
end
$$;
revoke all on function orderlatch_data.request_lock_key(uuid) from public;
comment on function orderlatch_data.request_lock_key(uuid) is
  'The last four bytes of the request_id, which are random, as the key of a lock of class decision.';

-- Whether a kind of request of an account is backing off.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.is_backing_off(
  p_account_id integer,
  p_kind text,
  p_now timestamptz
)
returns boolean
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return exists (
    select 1
      from orderlatch_data.kind_backoffs as b
     where b.account_id = p_account_id and b.kind = p_kind and b.next_try_at > p_now
  );
end
$$;
revoke all on function orderlatch_data.is_backing_off(integer, text, timestamptz) from public;
comment on function orderlatch_data.is_backing_off(integer, text, timestamptz) is
  'Whether requests of this kind failed for the account and have to wait.';
