-- Draws the consequence of a lookup's answer.
-- Locks: none; the caller holds the decision and the account for answering. Raises: none.
create or replace function orderlatch_data.apply_lookup(
  p_account orderlatch_data.accounts,
  p_request orderlatch_data.broker_requests,
  p_meaning text,
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
  v_open orderlatch_data.open_decisions;
begin
  if p_meaning = 'order_exists' then
    v_meaning := orderlatch_data.record_order(p_request.decision_id, p_document, p_request.request_id);
    -- what hangs on it, and what was to be done with it
    perform orderlatch_data.take_orders(
      p_account.account_id, jsonb_build_array(p_document), p_request.request_id,
      orderlatch_data.is_verified(p_request.worker_id, p_account.account_id)
    );
    if v_meaning <> 'replacement_seen' then
      return v_meaning;
    end if;
  end if;
  select o.* into v_open from orderlatch_data.open_decisions as o where o.decision_id = p_request.decision_id;
  if v_open.lookup_request_id is distinct from p_request.request_id then
    return 'stale';
  end if;

  if p_meaning = 'absent' and v_open.lookup_first then
    update orderlatch_data.open_decisions as o
       set lookup_first = false, lookup_request_id = null
     where o.decision_id = v_open.decision_id;
    delete from orderlatch_data.doubts as d where d.decision_id = v_open.decision_id;
    perform orderlatch_data.grant_wish(v_open.decision_id, p_request.request_id);
    return v_meaning;
  end if;

  update orderlatch_data.open_decisions as o
     set lookup_request_id = null
   where o.decision_id = v_open.decision_id;
  if p_meaning = 'absent' and v_open.status = 'in_doubt' then
    perform orderlatch_data.count_absence(p_account, v_open.decision_id, p_request.claimed_at);
  end if;
  perform orderlatch_data.schedule_lookup(p_account, v_open.decision_id);
  return v_meaning;
end
$$;
revoke all on function orderlatch_data.apply_lookup(
  orderlatch_data.accounts, orderlatch_data.broker_requests, text, jsonb
) from public;
comment on function orderlatch_data.apply_lookup(
  orderlatch_data.accounts, orderlatch_data.broker_requests, text, jsonb
) is
  'What a find_order''s answer does: a found order is recorded; the broker''s word that it is not there is '
  'counted, or frees a throttled decision; anything else proves nothing. Returns the meaning, or stale '
  'when a newer lookup has taken its place.';
