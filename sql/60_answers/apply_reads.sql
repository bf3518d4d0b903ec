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
  v_open orderlatch_data.open_decisions;
begin
  if p_meaning = 'order_exists' then
    return orderlatch_data.record_order(p_request.decision_id, p_document, p_request.request_id);
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
    return p_meaning;
  end if;

  update orderlatch_data.open_decisions as o
     set lookup_request_id = null
   where o.decision_id = v_open.decision_id;
  if p_meaning = 'absent' and v_open.status = 'in_doubt' then
    perform orderlatch_data.count_absence(p_account, v_open.decision_id, p_request.claimed_at);
  end if;
  perform orderlatch_data.schedule_lookup(p_account, v_open.decision_id);
  return p_meaning;
end
$$;
revoke all on function orderlatch_data.apply_lookup(
  orderlatch_data.accounts, orderlatch_data.broker_requests, text, jsonb
) from public;
comment on function orderlatch_data.apply_lookup(
  orderlatch_data.accounts, orderlatch_data.broker_requests, text, jsonb
) is
  'What a find_order''s answer does: a found order is recorded; the broker''s word that it is not there is '
  'counted, or frees a throttled decision; anything else proves nothing. Returns the meaning, or stale when '
  'a newer lookup has taken its place.';

-- Draws the consequence of a page of orders.
-- Locks: none; the caller holds the account for answering and the decisions concerned. Raises: none.
create or replace function orderlatch_data.apply_page(
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
  v_now constant timestamptz := orderlatch_data.clock();
  v_read orderlatch_data.order_reads;
  v_last timestamptz;
begin
  if orderlatch_data.is_order_list(p_document) then
    -- facts are welcome whoever asked
    perform orderlatch_data.record_order(o.decision_id, o.document, p_request.request_id)
      from orderlatch_data.own_orders(p_account.account_id, p_document) as o
     where o.decision_id is not null;
  end if;
  select r.* into v_read
    from orderlatch_data.order_reads as r
   where r.read_id = p_request.read_id and r.request_id = p_request.request_id;
  if v_read.read_id is null then
    return 'stale';
  end if;
  if p_meaning <> 'orders_listed' then
    update orderlatch_data.order_reads as r
       set request_id = null, next_page_at = v_now + p_account.backoff_first
     where r.read_id = v_read.read_id;
    return p_meaning;
  end if;

  -- bounds are exclusive and many orders may bear one time, so the next page begins just before the last
  -- order of this one
  select max(orderlatch_data.read_broker_time(e.document -> 'submitted_at')) - interval '1 microsecond'
    into v_last
    from jsonb_array_elements(p_document) as e(document);
  update orderlatch_data.order_reads as r
     set request_id = null,
         pages = r.pages + 1,
         after_at = greatest(r.after_at, v_last),
         completed_at = case when jsonb_array_length(p_document) < 500 then v_now end,
         next_page_at = v_now
   where r.read_id = v_read.read_id;
  if jsonb_array_length(p_document) < 500 then
    perform orderlatch_data.conclude_read(p_account, v_read.read_id, p_request.request_id);
  elsif v_last <= v_read.after_at then
    update orderlatch_data.order_reads as r
       set next_page_at = v_now + p_account.backoff_max
     where r.read_id = v_read.read_id;
    perform orderlatch_data.open_incident(
      'order_read_stuck', p_account.account_id, null, p_request.request_id,
      jsonb_build_object('after', v_read.after_at)
    );
  end if;
  return p_meaning;
end
$$;
revoke all on function orderlatch_data.apply_page(
  orderlatch_data.accounts, orderlatch_data.broker_requests, text, jsonb
) from public;
comment on function orderlatch_data.apply_page(
  orderlatch_data.accounts, orderlatch_data.broker_requests, text, jsonb
) is
  'What a page of list_orders does: orders of ours are recorded, the cursor moves on, and a page that is '
  'not full completes the read and with it the proofs that wait for it. A failed page is asked again. A '
  'page full of orders of one microsecond cannot be passed: incident order_read_stuck. Returns the meaning, '
  'or stale when the page is not the one on its way.';
