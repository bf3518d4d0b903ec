-- Draws the consequence of a submit's answer.
-- Locks: none; the caller holds the decision, and after no success the account for answering. Raises: none.
create or replace function orderlatch_data.apply_submit(
  p_account orderlatch_data.accounts,
  p_request orderlatch_data.broker_requests,
  p_meaning text,
  p_answer jsonb,
  p_document jsonb,
  p_headers jsonb
)
returns text
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_fact text;
  v_open orderlatch_data.open_decisions;
  v_doubt orderlatch_data.doubts;
  v_clean boolean;
  -- a page that says 401 is somebody's between, who may have passed the order on
  v_effect constant text :=
    case when p_meaning = 'unauthorized' and not p_answer ? 'message' then 'in_doubt' else p_meaning end;
begin
  if p_meaning = 'order_exists' then
    v_fact := orderlatch_data.record_order(p_request.decision_id, p_document, p_request.request_id);
    if v_fact <> 'replacement_seen' then return v_fact; end if;
  end if;
  select o.* into v_open from orderlatch_data.open_decisions as o where o.decision_id = p_request.decision_id;
  select d.* into v_doubt from orderlatch_data.doubts as d where d.decision_id = p_request.decision_id;
  -- a lost request keeps the decision: its own late answer may end the doubt that its silence caused
  if v_open.holder_request_id is distinct from p_request.request_id
    or v_open.status not in ('submitting', 'in_doubt')
    or (v_open.status = 'in_doubt' and (v_doubt.mismatched or not v_doubt.lost))
  then return coalesce(v_fact, 'stale');
  end if;
  v_clean := case v_open.status when 'submitting' then v_open.clean else v_doubt.was_clean end;
  case v_effect
    when 'refused' then
      if v_clean then
        update orderlatch_data.open_decisions as o set clean = true where o.decision_id = v_open.decision_id;
        perform orderlatch_data.move_decision(
          v_open.decision_id, 'refused', 'refused: ' || (p_answer ->> 'message'), p_request.request_id,
          p_answer
        );
        return 'refused';
      end if;
      perform orderlatch_data.doubt_submit(
        p_account, v_open, p_request, 'refused while not clean', p_refusal => p_answer
      );
      return 'refused_unclean';
    when 'not_sent', 'unauthorized' then
      perform orderlatch_data.return_unsent(
        p_account, v_open, p_request, v_clean, case p_meaning when 'not_sent'
          then coalesce(p_answer ->> 'error', 'not sent') else 'the broker does not accept the key' end
      );
    when 'throttled' then
      perform orderlatch_data.return_throttled(p_account, v_open, p_request, p_headers);
    when 'duplicate', 'order_exists' then -- of an order that replaced one, which is still to be found
      perform orderlatch_data.doubt_submit(
        p_account, v_open, p_request, 'the broker says the id is taken', p_duplicate => true
      );
    else
      perform orderlatch_data.doubt_submit(
        p_account, v_open, p_request, coalesce(p_answer ->> 'error', 'answer proves nothing')
      );
  end case;
  return coalesce(v_fact, p_meaning);
end
$$;
revoke all on function orderlatch_data.apply_submit(
  orderlatch_data.accounts, orderlatch_data.broker_requests, text, jsonb, jsonb, jsonb
) from public;
comment on function orderlatch_data.apply_submit(
  orderlatch_data.accounts, orderlatch_data.broker_requests, text, jsonb, jsonb, jsonb
) is
  'What a submit''s answer does to its decision; see the table of meanings in docs/protocol.md. p_meaning: '
  'as read_answer says. p_answer: status, code, message and error. Returns the meaning in the light of the '
  'decision: refused may become refused_unclean, any negative answer stale when the request does not hold '
  'the decision any more, and an order that replaces one is replacement_seen: then the decision is in doubt.';
