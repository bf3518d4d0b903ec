-- Writes one request: the intent, and the claim of the worker that gets it.
-- Locks: none; the caller holds the account for granting. Raises: none.
create or replace function orderlatch_data.grant_request(
  p_account orderlatch_data.accounts,
  p_worker_id integer,
  p_kind text,
  p_request_id uuid,
  p_decision_id bigint,
  p_read_id bigint,
  p_lock_key integer,
  p_path text,
  p_query jsonb,
  p_body text,
  p_send_until timestamptz,
  p_broker_order_id text default null
)
returns orderlatch_data.granted_request
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_now constant timestamptz := orderlatch_data.clock();
  v_send_within_ms constant integer := greatest(
    1, floor(1000 * extract(epoch from least(v_now + p_account.send_within, p_send_until) - v_now))::integer
  );
  v_timeout_ms constant integer := (1000 * extract(epoch from p_account.call_timeout))::integer;
  v_answer_by constant timestamptz :=
    v_now + p_account.send_within + p_account.call_timeout + p_account.answer_grace;
  v_method constant text :=
    case p_kind when 'submit_order' then 'POST' when 'cancel_order' then 'DELETE' else 'GET' end;
begin
  insert into orderlatch_data.broker_requests (
    request_id, account_id, worker_id, kind, decision_id, read_id, broker_order_id, method, path, query, body,
    claimed_at, send_within_ms, timeout_ms, answer_by
  )
  values (
    p_request_id, p_account.account_id, p_worker_id, p_kind, p_decision_id, p_read_id, p_broker_order_id,
    v_method, p_path, p_query, p_body, v_now, v_send_within_ms, v_timeout_ms, v_answer_by
  );
  insert into orderlatch_data.open_requests
    (request_id, account_id, worker_id, kind, decision_id, lock_key, answer_by)
  values (
    p_request_id, p_account.account_id, p_worker_id, p_kind, p_decision_id,
    coalesce(p_lock_key, orderlatch_data.request_lock_key(p_request_id)), v_answer_by
  );
  return (
    p_request_id, p_account.account, p_kind, v_method, p_path, p_query, p_body, v_send_within_ms, v_timeout_ms
  )::orderlatch_data.granted_request;
end
$$;
revoke all on function orderlatch_data.grant_request(
  orderlatch_data.accounts, integer, text, uuid, bigint, bigint, integer, text, jsonb, text, timestamptz, text
) from public;
comment on function orderlatch_data.grant_request(
  orderlatch_data.accounts, integer, text, uuid, bigint, bigint, integer, text, jsonb, text, timestamptz, text
) is
  'Writes broker_requests and open_requests for one call and returns what the worker gets. p_lock_key: of '
  'its decision, or null. p_send_until: the call may not begin later, whatever send_within allows; null: '
  'no such end. p_broker_order_id: the order that get_order or cancel_order is about.';

-- Key of the advisory lock that guards the answer of a request without a decision.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.request_lock_key(p_request_id uuid)
returns integer
language sql
immutable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select ('x' || left(p_request_id::text, 8))::bit(32)::integer
$$;
revoke all on function orderlatch_data.request_lock_key(uuid) from public;
comment on function orderlatch_data.request_lock_key(uuid) is
  'The first four bytes of the request_id, as the key of a lock of class decision.';

-- Whether a kind of request of an account is backing off.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.is_backing_off(
  p_account_id integer,
  p_kind text,
  p_now timestamptz
)
returns boolean
language sql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select exists (
    select 1
      from orderlatch_data.kind_backoffs as b
     where b.account_id = p_account_id and b.kind = p_kind and b.next_try_at > p_now
  )
$$;
revoke all on function orderlatch_data.is_backing_off(integer, text, timestamptz) from public;
comment on function orderlatch_data.is_backing_off(integer, text, timestamptz) is
  'Whether requests of this kind failed for the account and have to wait.';
