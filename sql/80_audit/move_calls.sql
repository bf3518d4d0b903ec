-- Holds calls that are to be archived, as far as nobody else does.
-- Locks: decisions (try). Raises: none.
create or replace function orderlatch_data.hold_calls(p_request_ids uuid[])
returns uuid[]
language sql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  -- skipped, not waited for: two who archive share the work
  with held as materialized (
    select q.request_id, q.decision_id
      from orderlatch_data.broker_requests as q
     where q.request_id = any (p_request_ids)
     order by q.request_id
       for update skip locked
  )
  select coalesce(array_agg(h.request_id), '{}')
    from held as h
   where exists (
       select 1 from orderlatch_data.broker_responses as r where r.request_id = h.request_id
     )
     -- an answer that comes at last, to a call given up long ago, holds this key while it is recorded
     or orderlatch_data.try_lock_decision(coalesce(
       (
         select orderlatch_data.decision_lock_key(t.decision_hash)
           from orderlatch_data.trade_decisions as t
          where t.decision_id = h.decision_id
       ),
       orderlatch_data.request_lock_key(h.request_id)
     ))
$$;
revoke all on function orderlatch_data.hold_calls(uuid[]) from public;
comment on function orderlatch_data.hold_calls(uuid[]) is
  'Those that are held now until the transaction ends: nobody records an answer to them meanwhile.';

-- Writes calls with their answers and losses into the archive and takes them out of the books.
-- Locks: none; the caller holds them. Raises: none.
create or replace function orderlatch_data.move_calls(p_request_ids uuid[], p_archiving_id bigint)
returns void
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  insert into orderlatch_data.archived_calls (
    request_id, account_id, worker_id, kind, decision_id, read_id, broker_order_id, method, path, query, body,
    claimed_at, send_within_ms, timeout_ms, answer_by, recorded_at, sent, status, meaning, code, message,
    broker_request_id, headers, answer_body, body_octets, error, elapsed_ms, lost_at, cause, archiving_id
  )
  select q.request_id, q.account_id, q.worker_id, q.kind, q.decision_id, q.read_id, q.broker_order_id,
         q.method, q.path, q.query, q.body, q.claimed_at, q.send_within_ms, q.timeout_ms, q.answer_by,
         r.recorded_at, r.sent, r.status, r.meaning, r.code, r.message, r.broker_request_id, r.headers,
         r.body, r.body_octets, r.error, r.elapsed_ms, l.lost_at, l.cause, p_archiving_id
    from orderlatch_data.broker_requests as q
    left join orderlatch_data.broker_responses as r on r.request_id = q.request_id
    left join orderlatch_data.lost_requests as l on l.request_id = q.request_id
   where q.request_id = any (p_request_ids)
   order by q.claimed_at, q.request_id;
  delete from orderlatch_data.broker_responses as r where r.request_id = any (p_request_ids);
  delete from orderlatch_data.lost_requests as l where l.request_id = any (p_request_ids);
  delete from orderlatch_data.broker_requests as q where q.request_id = any (p_request_ids);
end
$$;
revoke all on function orderlatch_data.move_calls(uuid[], bigint) from public;
comment on function orderlatch_data.move_calls(uuid[], bigint) is
  'Triggers of the three tables compare what leaves with what the archive has, column by column.';

-- The order to archive that a step belongs to: the same one as long as it says the same.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.note_archiving(
  p_account_id integer,
  p_before timestamptz,
  p_reason text
)
returns bigint
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_archiving_id bigint;
begin
  select max(g.archiving_id) into v_archiving_id
    from orderlatch_data.archivings as g
   where g.account_id is not distinct from p_account_id
     and g.before_at = p_before
     and g.reason = p_reason
     and g.ordered_by = session_user;
  if v_archiving_id is null then
    insert into orderlatch_data.archivings as g (account_id, before_at, reason, ordered_at, ordered_by)
    values (p_account_id, p_before, p_reason, orderlatch_data.clock(), session_user)
    returning g.archiving_id into strict v_archiving_id;
  end if;
  return v_archiving_id;
end
$$;
revoke all on function orderlatch_data.note_archiving(integer, timestamptz, text) from public;
comment on function orderlatch_data.note_archiving(integer, timestamptz, text) is
  'Its archiving_id; a new one is an act of the login.';
