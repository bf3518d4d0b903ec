-- Counts an answer that the order is not there, if it counts.
-- Locks: none; the caller holds the decision. Raises: none.
create or replace function orderlatch_data.count_absence(
  p_account orderlatch_data.accounts,
  p_decision_id bigint,
  p_claimed_at timestamptz
)
returns void
language sql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  -- a lookup was sent after it was claimed: comparing claims keeps the waits on the safe side
  update orderlatch_data.doubts as d
     set first_absent_at = coalesce(d.first_absent_at, orderlatch_data.clock()),
         second_absent_at = case
           when p_claimed_at >= d.first_absent_at + p_account.absence_spacing
             then orderlatch_data.clock()
         end
   where d.decision_id = p_decision_id
     and not d.duplicate
     and not d.mismatched
     and d.second_absent_at is null
     and p_claimed_at >= d.believe_after
$$;
revoke all on function orderlatch_data.count_absence(orderlatch_data.accounts, bigint, timestamptz)
  from public;
comment on function orderlatch_data.count_absence(orderlatch_data.accounts, bigint, timestamptz) is
  'Notes the broker''s word that an order is not there: the first counts from believe_after on, the second '
  'absence_spacing after the first. After a duplicate answer none counts. p_claimed_at: when the lookup was '
  'granted.';

-- Ends the doubt of a decision whose order is proved not to exist.
-- Locks: none; the caller holds the decision. Raises: none.
create or replace function orderlatch_data.conclude_absence(
  p_account orderlatch_data.accounts,
  p_decision_id bigint,
  p_basis text,
  p_request_id uuid,
  p_evidence jsonb
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
  v_open orderlatch_data.open_decisions;
  v_doubt orderlatch_data.doubts;
  v_strategy_id text;
  v_status text;
  v_why text;
begin
  select o.* into strict v_open from orderlatch_data.open_decisions as o where o.decision_id = p_decision_id;
  select d.* into strict v_doubt from orderlatch_data.doubts as d where d.decision_id = p_decision_id;
  select t.strategy_id into strict v_strategy_id
    from orderlatch_data.trade_decisions as t
   where t.decision_id = p_decision_id;

  select c.status, c.why into v_status, v_why
    from (
      values
        (1, 'refused', 'refused before: ' || coalesce(v_doubt.refusal ->> 'message', ''),
         v_doubt.refusal is not null),
        (2, 'withdrawn', coalesce(v_open.wish, ''), v_open.wish is not null),
        (3, 'lapsed', 'it was never approved', v_open.approval_no is null),
        (4, 'lapsed', 'the account does not send again', p_account.on_absent = 'lapse'),
        (5, 'lapsed', 'a halt stands',
         orderlatch_data.is_halted(v_open.account_id, v_strategy_id, v_open.symbol)),
        (6, 'lapsed', 'not valid any more', v_open.lapse_at <= v_now),
        (7, 'lapsed', format('%s submits behind it', v_open.submits),
         v_open.submits >= p_account.max_submits),
        (8, 'lapsed', 'its worker never answered, and the broker does not remember ids',
         v_doubt.lost and not p_account.broker_remembers_ids),
        (9, 'approved', 'to be sent again', true)
    ) as c(place, status, why, applies)
   where c.applies
   order by c.place
   limit 1;

  update orderlatch_data.open_decisions as o
     set status = v_status,
         next_try_at = v_now,
         holder_request_id = null,
         lookup_request_id = null,
         move_reason = p_basis || ': ' || v_why,
         move_request_id = p_request_id,
         -- kept for an order that appears all the same, whatever it ends as
         move_evidence = case
           when v_open.wish_cancels
             then coalesce(p_evidence, '{}') || jsonb_build_object('cancel', true, 'wish', v_open.wish)
           else p_evidence
         end
   where o.decision_id = p_decision_id;
  delete from orderlatch_data.doubts as d where d.decision_id = p_decision_id;
end
$$;
revoke all on function orderlatch_data.conclude_absence(orderlatch_data.accounts, bigint, text, uuid, jsonb)
  from public;
comment on function orderlatch_data.conclude_absence(orderlatch_data.accounts, bigint, text, uuid, jsonb) is
  'What follows proved absence, the first that applies: refused when a refusal is remembered; withdrawn '
  'when it is wished; lapsed when it was never approved, the account does not send again, a halt stands, it '
  'is too late, max_submits are behind it, or its submit was lost at a broker that forgets ids; else '
  'approved, to be sent with the same client_order_id. p_basis and p_evidence: what the proof rests on.';
