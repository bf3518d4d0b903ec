-- Puts a decision in doubt; a lookup is due at once.
-- Locks: none; the caller holds the decision. Raises: none.
create or replace function orderlatch_data.enter_doubt(
  p_decision_id bigint,
  p_request_id uuid,
  p_cause text,
  p_lost boolean default false,
  p_duplicate boolean default false,
  p_refusal jsonb default null,
  p_mismatched boolean default false
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
  insert into orderlatch_data.doubts as d (
    decision_id, account_id, request_id, cause, in_doubt_at, believe_after, was_clean, lost, duplicate,
    mismatched, refusal, next_lookup_at
  )
  select o.decision_id, o.account_id, p_request_id, p_cause, v_now,
         -- what was answered after answer_by went on until now
         greatest(r.answer_by, case when not p_lost then v_now end) + a.absence_quiet,
         o.clean, p_lost, p_duplicate, p_mismatched, p_refusal, case when not p_mismatched then v_now end
    from orderlatch_data.open_decisions as o
    join orderlatch_data.accounts as a on a.account_id = o.account_id
    left join orderlatch_data.broker_requests as r on r.request_id = p_request_id
   where o.decision_id = p_decision_id
  on conflict on constraint doubts_pkey do update
    set request_id = excluded.request_id,
        cause = excluded.cause,
        in_doubt_at = excluded.in_doubt_at,
        believe_after = greatest(d.believe_after, excluded.believe_after),
        was_clean = excluded.was_clean,
        lost = excluded.lost,
        duplicate = d.duplicate or excluded.duplicate,
        mismatched = d.mismatched or excluded.mismatched,
        refusal = coalesce(excluded.refusal, d.refusal),
        lookups = 0,
        next_lookup_at = excluded.next_lookup_at,
        first_absent_at = null,
        second_absent_at = null,
        read_id = null;
  update orderlatch_data.open_decisions as o
     set status = 'in_doubt',
         clean = false,
         lookup_first = false,
         lookup_request_id = null,
         move_reason = p_cause,
         move_request_id = p_request_id,
         move_evidence = p_refusal
   where o.decision_id = p_decision_id;
end
$$;
revoke all on function orderlatch_data.enter_doubt(bigint, uuid, text, boolean, boolean, jsonb, boolean)
  from public;
comment on function orderlatch_data.enter_doubt(bigint, uuid, text, boolean, boolean, jsonb, boolean) is
  'Moves a decision to in_doubt and begins the search for its order; proof that was gathered before counts '
  'no more. p_request_id: the doubtful submit. p_cause: why, for its event. p_lost: its worker never '
  'answered. p_duplicate: the broker said the id is taken. p_refusal: a refusal to remember. p_mismatched: '
  'an order with other terms was found; only an operator ends this doubt.';

-- Says when to look for an order again.
-- Locks: none; the caller holds the decision. Raises: none.
create or replace function orderlatch_data.schedule_lookup(
  p_account orderlatch_data.accounts,
  p_decision_id bigint
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
  v_doubt orderlatch_data.doubts;
begin
  update orderlatch_data.doubts as d
     set next_lookup_at = v_now + case
           when orderlatch_data.is_crowded(p_account) then p_account.crowd_lookup_wait
           else least(
             p_account.lookup_max_wait,
             p_account.lookup_first_wait * 2 ^ least(greatest(d.lookups - 1, 0), 20)
           )
         end
   where d.decision_id = p_decision_id and not d.mismatched
  returning d.* into v_doubt;
  if v_doubt.duplicate and v_now >= v_doubt.in_doubt_at + p_account.duplicate_alarm_after then
    perform orderlatch_data.open_incident(
      'duplicate_without_order', p_account.account_id, p_decision_id, v_doubt.request_id,
      jsonb_build_object('in_doubt_at', v_doubt.in_doubt_at, 'lookups', v_doubt.lookups)
    );
  end if;
end
$$;
revoke all on function orderlatch_data.schedule_lookup(orderlatch_data.accounts, bigint) from public;
comment on function orderlatch_data.schedule_lookup(orderlatch_data.accounts, bigint) is
  'Sets the next lookup of an order in doubt: lookup_first_wait after the first, doubled each time up to '
  'lookup_max_wait, or crowd_lookup_wait in a crowd. Opens duplicate_without_order when a duplicate answer '
  'stays without its order.';
