-- Records one answer and draws its consequence.
-- Locks: none; the caller holds what lock_for_answers holds. Raises: OL301 login_not_bound.
create or replace function orderlatch_data.record_report(
  p_request_id uuid,
  p_sent text,
  p_status integer,
  p_headers jsonb,
  p_body bytea,
  p_error text,
  p_elapsed_ms integer
)
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
  v_meaning text;
begin
  select q.* into v_request from orderlatch_data.broker_requests as q where q.request_id = p_request_id;
  if v_request.request_id is null then
    return orderlatch_data.record_unknown(p_status, p_body);
  end if;
  select a.* into strict v_account
    from orderlatch_data.accounts as a
   where a.account_id = v_request.account_id;
  perform orderlatch_data.require_carrier(v_account);
  select r.* into strict v_answer
    from orderlatch_data.read_answer(
           v_request.kind,
           (
             select encode(t.decision_hash, 'hex')
               from orderlatch_data.trade_decisions as t
              where t.decision_id = v_request.decision_id
           ),
           p_sent, p_status, p_body
         ) as r;

  select s.meaning into v_recorded
    from orderlatch_data.broker_responses as s
   where s.request_id = p_request_id;
  if v_recorded is not null then
    -- said before; but a fact is welcome however late
    if v_answer.meaning = 'order_exists' and v_recorded not in ('order_exists', 'order_mismatch') then
      return orderlatch_data.record_order(v_request.decision_id, v_answer.document, p_request_id);
    end if;
    return v_recorded;
  end if;

  delete from orderlatch_data.open_requests as o where o.request_id = p_request_id;
  v_meaning := orderlatch_data.apply_answer(
    v_account, v_request, p_status, p_headers, p_error, v_answer.meaning, v_answer.code, v_answer.message,
    v_answer.document
  );
  insert into orderlatch_data.broker_responses (
    request_id, recorded_at, sent, status, meaning, code, message, broker_request_id, headers,
    body, body_octets, error, elapsed_ms
  )
  values (
    p_request_id, orderlatch_data.clock(), p_sent, p_status, v_meaning, v_answer.code, v_answer.message,
    p_headers ->> 'x-request-id', p_headers - 'x-request-id',
    substr(p_body, 1, 65536), coalesce(octet_length(p_body), 0), p_error, p_elapsed_ms
  );
  return v_meaning;
end
$$;
revoke all on function orderlatch_data.record_report(uuid, text, integer, jsonb, bytea, text, integer)
  from public;
comment on function orderlatch_data.record_report(uuid, text, integer, jsonb, bytea, text, integer) is
  'Records one answer in broker_responses, its body cut at 64 KiB, and does what it means. Returns the '
  'meaning; for an answer that was recorded before, the meaning it had then. Arguments as in '
  'record_responses, p_body decoded.';

-- Does what an answer means, for its kind of request.
-- Locks: none; the caller holds what lock_for_answers holds. Raises: none.
create or replace function orderlatch_data.apply_answer(
  p_account orderlatch_data.accounts,
  p_request orderlatch_data.broker_requests,
  p_status integer,
  p_headers jsonb,
  p_error text,
  p_meaning text,
  p_code bigint,
  p_message text,
  p_document jsonb
)
returns text
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_meaning text := p_meaning;
begin
  -- from keys that are not proved to be the account's only facts count: their silence proves nothing
  if p_request.kind <> 'get_account'
    and p_meaning <> 'order_exists'
    and not orderlatch_data.is_verified(p_request.worker_id, p_request.account_id)
  then
    v_meaning := 'in_doubt';
  end if;
  -- whether the account that is named is the right one, apply_identity finds out
  if p_meaning <> 'account_named' then
    perform orderlatch_data.note_health(p_account, p_request, v_meaning, p_headers);
  end if;

  return case p_request.kind
    when 'submit_order' then orderlatch_data.apply_submit(
      p_account, p_request, v_meaning,
      jsonb_strip_nulls(
        jsonb_build_object('status', p_status, 'code', p_code, 'message', p_message, 'error', p_error)
      ),
      p_document, p_headers
    )
    when 'find_order' then orderlatch_data.apply_lookup(p_account, p_request, v_meaning, p_document)
    when 'list_orders' then orderlatch_data.apply_page(p_account, p_request, v_meaning, p_document)
    when 'get_account' then orderlatch_data.apply_identity(p_account, p_request, v_meaning, p_document)
  end;
end
$$;
revoke all on function orderlatch_data.apply_answer(
  orderlatch_data.accounts, orderlatch_data.broker_requests, integer, jsonb, text, text, bigint, text, jsonb
) from public;
comment on function orderlatch_data.apply_answer(
  orderlatch_data.accounts, orderlatch_data.broker_requests, integer, jsonb, text, text, bigint, text, jsonb
) is
  'Hands an answer to the function of its kind of request, after noting what it says of the broker''s '
  'health. From a life of a worker that is not verified for the account a negative answer is in doubt. '
  'Returns the meaning in the light of what is known.';
