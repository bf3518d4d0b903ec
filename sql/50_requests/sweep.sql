-- Gives up requests that nobody will answer, and says what that leaves in doubt.
-- Locks: decisions (try). Raises: none.
create or replace function orderlatch_data.sweep_lost_requests(
  p_account orderlatch_data.accounts,
  p_gone integer[]
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
  v_lost record;
begin
  -- a loop, because a loss means something else for each kind
  for v_lost in
    select r.request_id, r.lock_key, r.answer_by
      from orderlatch_data.open_requests as r
     where r.account_id = p_account.account_id
       and (r.answer_by <= v_now or r.worker_id = any (p_gone))
     order by r.answer_by, r.request_id
     limit 100
  loop
    if orderlatch_data.try_lock_decision(v_lost.lock_key) then
      perform orderlatch_data.lose_request(
        p_account, v_lost.request_id,
        case when v_lost.answer_by <= v_now then 'no_answer_in_time' else 'worker_gone' end
      );
    end if;
  end loop;
end
$$;
revoke all on function orderlatch_data.sweep_lost_requests(orderlatch_data.accounts, integer[]) from public;
comment on function orderlatch_data.sweep_lost_requests(orderlatch_data.accounts, integer[]) is
  'Loses every request of the account that is unanswered past its answer_by, or whose worker''s life has '
  'ended (p_gone). A request whose answer is being recorded at this moment is left alone. At most 100 in one '
  'call.';

-- Gives up one request. A submit leaves its decision in doubt: the call may be made, or frozen half made.
-- Locks: none; the caller holds the decision, or the request's own lock. Raises: none.
create or replace function orderlatch_data.lose_request(
  p_account orderlatch_data.accounts,
  p_request_id uuid,
  p_cause text
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
  v_open orderlatch_data.open_requests;
begin
  -- another claim, or the answer itself, may have been faster
  delete from orderlatch_data.open_requests as r where r.request_id = p_request_id returning r.* into v_open;
  if v_open.request_id is null then
    return;
  end if;
  insert into orderlatch_data.lost_requests (request_id, lost_at, cause)
  values (p_request_id, v_now, p_cause);

  case v_open.kind
    when 'submit_order' then
      perform orderlatch_data.enter_doubt(
                v_open.decision_id, p_request_id, 'lost: ' || p_cause, p_lost => true
              )
        from orderlatch_data.open_decisions as o
       where o.decision_id = v_open.decision_id
         and o.status = 'submitting'
         and o.holder_request_id = p_request_id;
      -- in doubt by then, as an order with other terms was shown: what may be on the wire counts all the same
      update orderlatch_data.doubts as d
         set request_id = p_request_id, lost = true
        from orderlatch_data.open_decisions as o
       where d.decision_id = v_open.decision_id
         and d.mismatched
         and not d.lost
         and o.decision_id = d.decision_id
         and o.holder_request_id = p_request_id;
    when 'find_order' then
      perform orderlatch_data.schedule_lookup(p_account, v_open.decision_id)
         from orderlatch_data.open_decisions as o
        where o.decision_id = v_open.decision_id and o.lookup_request_id = p_request_id;
    when 'list_orders', 'list_fills', 'list_positions' then
      update orderlatch_data.broker_reads as r
         set request_id = null, next_page_at = v_now
       where r.request_id = p_request_id;
    when 'get_order', 'cancel_order' then
      null; -- what is not on its way any more is due: no row that an answer may hold is waited for
    when 'get_account' then
      null; -- the next claim of a worker that is not verified asks again
  end case;
end
$$;
revoke all on function orderlatch_data.lose_request(orderlatch_data.accounts, uuid, text) from public;
comment on function orderlatch_data.lose_request(orderlatch_data.accounts, uuid, text) is
  'Records that a request is lost and what follows: a submit leaves its decision in doubt, anything else '
  'is asked again. p_cause: no_answer_in_time or worker_gone.';

-- Lapses decisions that were not sent in time.
-- Locks: decisions (try). Raises: none.
create or replace function orderlatch_data.lapse_stale_decisions(p_account orderlatch_data.accounts)
returns void
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_now constant timestamptz := orderlatch_data.clock();
  v_held bigint[];
begin
  v_held := array(
    select s.decision_id
      from (
        select o.decision_id, o.lock_key
          from orderlatch_data.open_decisions as o
         where o.account_id = p_account.account_id
           and o.lapse_at <= v_now
           and o.status in ('planned', 'approved')
           and not o.lookup_first
           -- withdrawn, at the latest by the next visit
           and o.wish is null
         order by o.lapse_at, o.decision_id
         limit 100
      ) as s
     where orderlatch_data.try_lock_decision(s.lock_key)
  );
  if cardinality(v_held) = 0 then
    return;
  end if;
  -- a statement of its own, so that it sees what the last holder of each lock has committed
  update orderlatch_data.open_decisions as o
     set status = 'lapsed', move_reason = 'not sent in time', move_request_id = null, move_evidence = null
   where o.decision_id = any (v_held)
     and o.lapse_at <= v_now
     and o.status in ('planned', 'approved')
     and not o.lookup_first
     and o.wish is null;
end
$$;
revoke all on function orderlatch_data.lapse_stale_decisions(orderlatch_data.accounts) from public;
comment on function orderlatch_data.lapse_stale_decisions(orderlatch_data.accounts) is
  'Moves decisions that are planned or approved past their lapse_at to lapsed; one that was throttled is '
  'looked up first, and one that is wished away withdrawn. At most 100 in one call.';
