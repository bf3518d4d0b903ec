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
    when 'list_fills' then orderlatch_data.apply_fill_page(p_account, p_request, v_meaning, p_document)
    when 'list_positions' then
      orderlatch_data.apply_positions(p_account, p_request, v_meaning, p_document)
    when 'get_order' then orderlatch_data.apply_check(p_account, p_request, v_meaning, p_document)
    when 'cancel_order' then orderlatch_data.apply_cancel(p_account, p_request, v_meaning)
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
