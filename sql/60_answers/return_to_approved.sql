-- Returns a decision whose submit provably did not reach the broker; it waits a little longer each time.
-- Locks: none; the caller holds the decision. Raises: none.
create or replace function orderlatch_data.return_unsent(
  p_account orderlatch_data.accounts,
  p_open orderlatch_data.open_decisions,
  p_request orderlatch_data.broker_requests,
  p_clean boolean,
  p_reason text
)
returns void
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  update orderlatch_data.open_decisions as o
     set status = 'approved',
         clean = p_clean,
         submits = o.submits - 1,
         tries = least(o.tries + 1, 1000),
         next_try_at = orderlatch_data.clock()
           + least(p_account.backoff_max, p_account.backoff_first * 2 ^ least(o.tries, 20)),
         holder_request_id = null,
         lookup_request_id = null,
         move_reason = p_reason,
         move_request_id = p_request.request_id,
         move_evidence = null
   where o.decision_id = p_open.decision_id;
  delete from orderlatch_data.doubts as d where d.decision_id = p_open.decision_id;
  perform orderlatch_data.grant_wish(p_open.decision_id, p_request.request_id);
end
$$;
revoke all on function orderlatch_data.return_unsent(
  orderlatch_data.accounts, orderlatch_data.open_decisions, orderlatch_data.broker_requests, boolean, text
) from public;
comment on function orderlatch_data.return_unsent(
  orderlatch_data.accounts, orderlatch_data.open_decisions, orderlatch_data.broker_requests, boolean, text
) is
  'Moves a decision back to approved with a back-off; the submit does not count. p_clean: whether it was '
  'clean before this submit. A wish to withdraw is granted.';

-- Returns a decision whose submit met the broker's rate limit; one lookup comes before anything else.
-- Locks: none; the caller holds the decision and the account for answering. Raises: none.
create or replace function orderlatch_data.return_throttled(
  p_account orderlatch_data.accounts,
  p_open orderlatch_data.open_decisions,
  p_request orderlatch_data.broker_requests,
  p_headers jsonb
)
returns void
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_now constant timestamptz := orderlatch_data.clock();
  v_until constant timestamptz := orderlatch_data.pause_account(p_account, p_headers);
begin
  -- what was known of a doubt that this request's silence had caused is of no use any more
  delete from orderlatch_data.doubts as d where d.decision_id = p_open.decision_id;
  insert into orderlatch_data.doubts
    (decision_id, account_id, request_id, cause, in_doubt_at, believe_after, was_clean, next_lookup_at)
  values (
    p_open.decision_id, p_open.account_id, p_request.request_id, 'throttled', v_now, v_now, false, v_until
  );
  update orderlatch_data.open_decisions as o
     set status = 'approved',
         clean = false,
         lookup_first = true,
         next_try_at = v_now,
         holder_request_id = null,
         lookup_request_id = null,
         move_reason = 'throttled by the broker',
         move_request_id = p_request.request_id,
         move_evidence = null
   where o.decision_id = p_open.decision_id;
end
$$;
revoke all on function orderlatch_data.return_throttled(
  orderlatch_data.accounts, orderlatch_data.open_decisions, orderlatch_data.broker_requests, jsonb
) from public;
comment on function orderlatch_data.return_throttled(
  orderlatch_data.accounts, orderlatch_data.open_decisions, orderlatch_data.broker_requests, jsonb
) is
  'Moves a decision back to approved, no longer clean, and pauses the account until the limit resets. '
  'Before the decision is submitted, lapses or is withdrawn, one lookup must say that its order is not '
  'there.';

-- Leaves a submit in doubt, or changes what is known of a doubt that its silence had caused.
-- Locks: none; the caller holds the decision. Raises: none.
create or replace function orderlatch_data.doubt_submit(
  p_account orderlatch_data.accounts,
  p_open orderlatch_data.open_decisions,
  p_request orderlatch_data.broker_requests,
  p_cause text,
  p_duplicate boolean default false,
  p_refusal jsonb default null
)
returns void
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_now constant timestamptz := orderlatch_data.clock();
begin
  if p_open.status = 'submitting' then
    perform orderlatch_data.enter_doubt(
      p_open.decision_id, p_request.request_id, p_cause, p_duplicate => p_duplicate, p_refusal => p_refusal
    );
  else
    -- its worker has answered after all, so the call is not frozen half made; but it may have arrived just
    -- now, so that nothing that was looked up before proves that it did not
    update orderlatch_data.doubts as d
       set lost = false,
           duplicate = d.duplicate or p_duplicate,
           refusal = coalesce(p_refusal, d.refusal),
           believe_after = greatest(d.believe_after, v_now + p_account.absence_quiet),
           next_lookup_at = least(d.next_lookup_at, v_now),
           first_absent_at = null,
           second_absent_at = null,
           read_id = null
     where d.decision_id = p_open.decision_id;
  end if;
end
$$;
revoke all on function orderlatch_data.doubt_submit(
  orderlatch_data.accounts, orderlatch_data.open_decisions, orderlatch_data.broker_requests, text, boolean,
  jsonb
) from public;
comment on function orderlatch_data.doubt_submit(
  orderlatch_data.accounts, orderlatch_data.open_decisions, orderlatch_data.broker_requests, text, boolean,
  jsonb
) is
  'Moves a submitting decision to in_doubt; for one that is in doubt already because this request was lost, '
  'notes what its late answer adds and begins the proof of absence anew.';
