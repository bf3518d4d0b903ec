-- The hash of an event: over all that it says, the event before it, and what is behind it.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.event_hash(
  p_previous bytea,
  p_from_status text,
  p_to_status text,
  p_moved_at timestamptz,
  p_moved_by text,
  p_reason text,
  p_request_id uuid,
  p_evidence jsonb,
  p_terms bytea,
  p_verdict bytea,
  p_call bytea
)
returns bytea
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  -- times and bytes as hexadecimal text, so that no setting of a session can change a hash; of values such as
  -- these json writes, letter by letter, what jsonb would write, and builds nothing
  return sha256(convert_to(json_build_array(
    encode(p_previous, 'hex'), p_from_status, p_to_status, encode(timestamptz_send(p_moved_at), 'hex'),
    p_moved_by, p_reason, p_request_id, p_evidence, encode(p_terms, 'hex'), encode(p_verdict, 'hex'),
    encode(p_call, 'hex')
  )::text, 'UTF8'));
end
$$;
revoke all on function orderlatch_data.event_hash(
  bytea, text, text, timestamptz, text, text, uuid, jsonb, bytea, bytea, bytea
) from public;
comment on function orderlatch_data.event_hash(
  bytea, text, text, timestamptz, text, text, uuid, jsonb, bytea, bytea, bytea
) is
  'sha256 of the UTF-8 bytes of a JSON array of the arguments. p_previous: hash of the event before; of the '
  'first event the decision_hash. p_terms, p_verdict, p_call: digests of the decision (first event), of the '
  'verdict (a move by risk), of the request and its answer (a move that names a request); else null.';

-- Digest of what a decision says besides its intent, which its hash covers.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.terms_digest(p_decision orderlatch_data.trade_decisions)
returns bytea
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return sha256(convert_to(json_build_array(
    p_decision.decision_id, p_decision.account_id, p_decision.hash_version, p_decision.rationale,
    p_decision.reference_price, encode(timestamptz_send(p_decision.valid_until), 'hex'), p_decision.metadata,
    encode(timestamptz_send(p_decision.recorded_at), 'hex'), p_decision.recorded_by
  )::text, 'UTF8'));
end
$$;
revoke all on function orderlatch_data.terms_digest(orderlatch_data.trade_decisions) from public;
comment on function orderlatch_data.terms_digest(orderlatch_data.trade_decisions) is
  'Covers rationale, reference_price, valid_until, metadata, and who recorded it when.';

-- Whether a move is one that risk makes: a verdict is behind it.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.is_judgment(p_from_status text, p_to_status text)
returns boolean
language plpgsql
immutable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return p_from_status in ('planned', 'approved') and p_to_status in ('approved', 'rejected');
end
$$;
revoke all on function orderlatch_data.is_judgment(text, text) from public;
comment on function orderlatch_data.is_judgment(text, text) is
  'The moves planned to approved, planned to rejected and approved to rejected: the nth of a decision was '
  'made by its nth verdict. journal_moves spells it out, rather than call this for every move.';

-- Digest of a request and of its answer, as far as that was at hand.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.call_digest(
  p_request orderlatch_data.broker_requests,
  p_answer orderlatch_data.broker_responses
)
returns bytea
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_keeps_body boolean := true;
begin
  -- asked only where it matters: a query would be most of what this costs, twice in each life
  if p_request.decision_id is null then
    -- the body of any list but that of a proof is kept order by order, in the mirror
    v_keeps_body := exists (
      select 1 from orderlatch_data.broker_reads as r
       where r.read_id = p_request.read_id and r.purpose = 'proof'
    );
  end if;
  return sha256(convert_to(json_build_array(
    p_request.request_id, p_request.account_id, p_request.worker_id, p_request.kind, p_request.decision_id,
    p_request.read_id, p_request.broker_order_id, p_request.method, p_request.path, p_request.query,
    p_request.body, encode(timestamptz_send(p_request.claimed_at), 'hex'), p_request.send_within_ms,
    p_request.timeout_ms, encode(timestamptz_send(p_request.answer_by), 'hex'),
    p_answer.request_id, p_answer.sent, p_answer.status, p_answer.broker_request_id, p_answer.headers,
    case when v_keeps_body then encode(sha256(p_answer.body), 'hex') end, p_answer.body_octets,
    p_answer.error, p_answer.elapsed_ms
  )::text, 'UTF8'));
end
$$;
revoke all on function orderlatch_data.call_digest(
  orderlatch_data.broker_requests, orderlatch_data.broker_responses
) from public;
comment on function orderlatch_data.call_digest(
  orderlatch_data.broker_requests, orderlatch_data.broker_responses
) is
  'Covers the request as it was granted and what the worker reported, not what that was taken to mean, and '
  'when: the move says that. p_answer: null when none was at hand.';

-- Digest of a request and of the answer that is known of it.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.digest_of_call(p_request_id uuid)
returns bytea
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_digest bytea;
begin
  select coalesce(
           (select h.call_digest from orderlatch_data.answers_at_hand as h where h.request_id = p_request_id),
           orderlatch_data.call_digest(
             q, (select r from orderlatch_data.broker_responses as r where r.request_id = p_request_id)
           )
         ) into v_digest
    from orderlatch_data.broker_requests as q where q.request_id = p_request_id;
  return v_digest;
end
$$;
revoke all on function orderlatch_data.digest_of_call(uuid) from public;
comment on function orderlatch_data.digest_of_call(uuid) is
  'call_digest of the request with its answer, if it is recorded or being recorded (answers_at_hand); null '
  'for an unknown request.';
