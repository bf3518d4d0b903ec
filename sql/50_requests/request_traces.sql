-- Tells in which trace the decision that a call is about was proposed, for the log lines of a worker.
-- Locks: none. Raises: none.
create or replace function orderlatch.request_traces(p_request_ids uuid[])
returns table (request_id uuid, trace_id text, parent_id text)
language sql
stable
parallel safe
security definer
set search_path = pg_catalog, pg_temp
as $$
  select q.request_id, t.parts[1], t.parts[2]
    from unnest(p_request_ids) as r(request_id)
   cross join lateral (
     select k.request_id, k.account_id, k.decision_id, k.broker_order_id
       from orderlatch_data.broker_requests as k
      where k.request_id = r.request_id
     offset 0
   ) as q
   cross join lateral (
     select d.metadata
       from orderlatch_data.trade_decisions as d
      where d.decision_id = coalesce(q.decision_id, (
        select b.decision_id
          from orderlatch_data.broker_orders as b
         where b.account_id = q.account_id and b.broker_order_id = q.broker_order_id
      ))
     offset 0
   ) as d
   cross join lateral orderlatch_data.read_traceparent(d.metadata) as t(parts)
   where t.parts is not null
     and orderlatch_data.login_may_act(q.account_id, null)
$$;
revoke all on function orderlatch.request_traces(uuid[]) from public;
grant execute on function orderlatch.request_traces(uuid[]) to orderlatch_worker;
comment on function orderlatch.request_traces(uuid[]) is
  'For each call whose decision was first delivered with a W3C traceparent in its metadata: trace_id (32 '
  'hex digits) and parent_id (16). Nothing for any other call, nor for accounts that the login is not bound '
  'to.';

-- The trace and the parent span in a decision's metadata.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.read_traceparent(p_metadata jsonb)
returns text[]
language sql
immutable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  -- version 00 as W3C has it; of all zeros neither is one
  select regexp_match(
    p_metadata ->> 'traceparent', '^00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}$'
  )
$$;
revoke all on function orderlatch_data.read_traceparent(jsonb) from public;
comment on function orderlatch_data.read_traceparent(jsonb) is
  'trace_id and parent_id of the member traceparent, or null: one that is malformed is no reason to refuse '
  'a decision, and is read by nobody.';
