-- Records one answer and draws its consequence.
-- Locks: none; the caller holds what lock_for_answers holds. Raises: OL301 login_not_bound.
create or replace function orderlatch_data.record_report(p_report orderlatch_data.broker_responses)
returns text
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_request orderlatch_data.broker_requests;
  v_account orderlatch_data.accounts;
  v_answer record;
  v_recorded text;
  v_response orderlatch_data.broker_responses;
begin
  select q.* into v_request
    from orderlatch_data.broker_requests as q
   where q.request_id = p_report.request_id;
  if v_request.request_id is null then
    return orderlatch_data.record_unknown(p_report.status, p_report.body);
  end if;
  select a.* into strict v_account
    from orderlatch_data.accounts as a
   where a.account_id = v_request.account_id;
  perform orderlatch_data.require_carrier(v_account);
  select r.* into strict v_answer
    from orderlatch_data.read_answer(
           v_request.kind, orderlatch_data.expected_id(v_request), p_report.sent, p_report.status,
           p_report.body
         ) as r;

  select s.meaning into v_recorded
    from orderlatch_data.broker_responses as s
   where s.request_id = p_report.request_id;
  if v_recorded is not null then
    -- said before; but a fact is welcome however late
    if v_answer.meaning = 'order_exists'
      and v_recorded not in ('order_exists', 'order_mismatch', 'replacement_seen')
    then
      return orderlatch_data.record_order(v_request.decision_id, v_answer.document, p_report.request_id);
    end if;
    return v_recorded;
  end if;
  v_response := orderlatch_data.reported_response(p_report, v_answer.meaning);
  v_response.code := v_answer.code;
  v_response.message := v_answer.message;
  delete from orderlatch_data.open_requests as o where o.request_id = p_report.request_id;
  -- the hash of each event that follows covers this answer, whose meaning is known only after them
  insert into orderlatch_data.answers_at_hand (request_id, call_digest)
  values (p_report.request_id, orderlatch_data.call_digest(v_request, v_response));
  v_response.meaning := orderlatch_data.apply_answer(
    v_account, v_request, p_report.status, p_report.headers, p_report.error, v_answer.meaning, v_answer.code,
    v_answer.message, v_answer.document
  );
  delete from orderlatch_data.answers_at_hand as h where h.request_id = p_report.request_id;
  if orderlatch_data.is_mirrored(v_request, v_response.meaning) then
    v_response.body := null;
  end if;
  v_response.recorded_at := orderlatch_data.clock();
  perform orderlatch_data.save_response(v_response);
  return v_response.meaning;
end
$$;
revoke all on function orderlatch_data.record_report(orderlatch_data.broker_responses) from public;
comment on function orderlatch_data.record_report(orderlatch_data.broker_responses) is
  'Records one answer in broker_responses, its body cut at 64 KiB, and does what it means. The body of a '
  'list that went into the mirror is not kept. Returns the meaning; for an answer that was recorded '
  'before, the meaning it had then. p_report: as read_report has it.';

-- A report as the row of broker_responses that it becomes; what it means for its decision is not known yet.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.reported_response(
  p_report orderlatch_data.broker_responses,
  p_meaning text
)
returns orderlatch_data.broker_responses
language plpgsql
immutable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_response orderlatch_data.broker_responses := p_report;
begin
  v_response.broker_request_id := p_report.headers ->> 'x-request-id';
  v_response.meaning := p_meaning;
  v_response.headers := case
    when p_report.status between 200 and 299 and p_meaning <> 'in_doubt' then null
    else p_report.headers - 'x-request-id'
  end;
  v_response.body := substr(p_report.body, 1, 65536);
  v_response.body_octets := coalesce(octet_length(p_report.body), 0);
  return v_response;
end
$$;
revoke all on function orderlatch_data.reported_response(orderlatch_data.broker_responses, text) from public;
comment on function orderlatch_data.reported_response(orderlatch_data.broker_responses, text) is
  'Cuts the body at 64 KiB and takes the broker''s X-Request-ID out of the headers; of a success that leaves '
  'no doubt no others are kept. p_report: as read_report has it. p_meaning: as read_answer has it.';

-- Writes a row of broker_responses.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.save_response(p_response orderlatch_data.broker_responses)
returns void
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  insert into orderlatch_data.broker_responses (
    request_id, recorded_at, sent, status, meaning, code, message, broker_request_id, headers, body,
    body_octets, error, elapsed_ms
  )
  values (
    p_response.request_id, p_response.recorded_at, p_response.sent, p_response.status, p_response.meaning,
    p_response.code, p_response.message, p_response.broker_request_id, p_response.headers, p_response.body,
    p_response.body_octets, p_response.error, p_response.elapsed_ms
  );
end
$$;
revoke all on function orderlatch_data.save_response(orderlatch_data.broker_responses) from public;
comment on function orderlatch_data.save_response(orderlatch_data.broker_responses) is
  'Its filler is generated.';

-- Whether an answer's body lies in the mirror already, order by order and fill by fill.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.is_mirrored(
  p_request orderlatch_data.broker_requests,
  p_meaning text
)
returns boolean
language sql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select p_meaning in ('orders_listed', 'fills_listed', 'positions_listed', 'order_shown')
     and not exists (
       select 1
         from orderlatch_data.broker_reads as r
        where r.read_id = p_request.read_id and r.purpose = 'proof'
     )
$$;
revoke all on function orderlatch_data.is_mirrored(orderlatch_data.broker_requests, text) from public;
comment on function orderlatch_data.is_mirrored(orderlatch_data.broker_requests, text) is
  'Whether the body of an understood list need not be kept: read every minute, lists would fill the disk. '
  'What a proof of absence rests on is kept.';

-- The id that an answer about one order must show.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.expected_id(p_request orderlatch_data.broker_requests)
returns text
language sql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select coalesce(
    p_request.broker_order_id,
    (
      select encode(t.decision_hash, 'hex')
        from orderlatch_data.trade_decisions as t
       where t.decision_id = p_request.decision_id
    )
  )
$$;
revoke all on function orderlatch_data.expected_id(orderlatch_data.broker_requests) from public;
comment on function orderlatch_data.expected_id(orderlatch_data.broker_requests) is
  'The client_order_id of a request''s decision, or the broker''s id of its order; null where it has '
  'neither.';
