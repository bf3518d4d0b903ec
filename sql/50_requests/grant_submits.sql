-- Grants submits: each decision moves to submitting in the transaction that grants its call.
-- Locks: decisions (try). Raises: none.
create or replace function orderlatch_data.grant_submits(
  p_worker_id integer,
  p_agenda orderlatch_data.account_agenda[],
  p_how_many integer[],
  out granted orderlatch_data.granted_request[],
  out account_ids integer[],
  out answer_by timestamptz[]
)
returns record
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_now timestamptz := orderlatch_data.clock();
  v_turn record;
  v_held bigint[] := '{}'::bigint[];
  v_until timestamptz[] := '{}'::timestamptz[];
  v_calls orderlatch_data.wanted_call[];
  v_granted record;
begin
  granted := '{}';
  account_ids := '{}';
  if (0 < any (p_how_many)) is not true then
    return;
  end if;
  v_turn := orderlatch_data.submits_in_turn(p_agenda, p_how_many, v_now);
  for v_place in 1 .. cardinality(v_turn.decision_ids) loop
    if orderlatch_data.try_lock_decision(v_turn.lock_keys[v_place]) then
      v_held := v_held || v_turn.decision_ids[v_place];
      v_until := v_until || v_turn.send_until[v_place];
    end if;
  end loop;
  if v_held = '{}' then
    return;
  end if;
  -- read anew: whoever moved one of them before has ended, so what was written of it then is older than this
  v_now := orderlatch_data.clock();
  v_calls := orderlatch_data.begin_submits(p_worker_id, v_held, v_until, v_now);
  if v_calls is not null then
    v_granted := orderlatch_data.grant_requests(p_worker_id, v_calls, v_now);
    granted := v_granted.granted;
    account_ids := v_granted.account_ids;
    answer_by := v_granted.answer_by;
  end if;
end
$$;
revoke all on function orderlatch_data.grant_submits(
  integer, orderlatch_data.account_agenda[], integer[]
) from public;
comment on function orderlatch_data.grant_submits(integer, orderlatch_data.account_agenda[], integer[]) is
  'Grants submit_order for decisions whose turn it is, to each account as many as p_how_many says, within '
  'submits_in_turn. p_agenda: rows of the agenda, with marks that may be gone by. No call may begin after '
  'the decision lapses or the live grant ends. A decision that another session holds is left for the next '
  'claim. Results as of grant_requests.';

-- Moves decisions to submitting, and says which calls that makes.
-- Locks: none; the caller holds the decisions. Raises: none.
create or replace function orderlatch_data.begin_submits(
  p_worker_id integer,
  p_decision_ids bigint[],
  p_send_until timestamptz[],
  p_now timestamptz
)
returns orderlatch_data.wanted_call[]
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_calls orderlatch_data.wanted_call[];
begin
  -- a statement of its own, so that it sees what the last holder of each lock has committed;
  -- a grant lasts a millisecond at least, so what ends sooner is not granted
  with moved as (
    update orderlatch_data.open_decisions as o
       set status = 'submitting', submits = o.submits + 1,
           holder_request_id = orderlatch_data.new_request_id(), lookup_request_id = null,
           move_reason = 'claimed by worker ' || p_worker_id, move_request_id = null, move_evidence = null
     where o.decision_id = any (p_decision_ids)
       and o.status = 'approved'
       and o.wish is null
       -- in other words than those of an index: the rows are found by their keys
       and o.lookup_first is not true
       and o.next_try_at <= p_now
       and o.lapse_at >= p_now + interval '1 millisecond'
       and (
         p_send_until[array_position(p_decision_ids, o.decision_id)] >= p_now + interval '1 millisecond'
       ) is not false
    returning o.decision_id, o.account_id, o.holder_request_id, o.lock_key, o.approval_no,
              least(o.lapse_at, p_send_until[array_position(p_decision_ids, o.decision_id)]) as send_until,
              (
                select orderlatch_data.order_body(t)
                  from orderlatch_data.trade_decisions as t
                 where t.decision_id = o.decision_id
              ) as body
  )
  select array_agg(
           (
             m.account_id, 'submit_order', m.holder_request_id, m.decision_id, null, null, m.lock_key,
             '/v2/orders', null, m.body, m.send_until
           )::orderlatch_data.wanted_call order by m.account_id, m.approval_no
         )
    into v_calls
    from moved as m;
  return v_calls;
end
$$;
revoke all on function orderlatch_data.begin_submits(integer, bigint[], timestamptz[], timestamptz)
  from public;
comment on function orderlatch_data.begin_submits(integer, bigint[], timestamptz[], timestamptz) is
  'Of p_decision_ids those whose turn it still is, in the order of approval; null: none. p_send_until: end '
  'of the live grant of each, or null.';
