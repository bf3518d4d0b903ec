-- Moves calls whose matter ended before a moment into the archive, at most p_calls of them.
-- Locks: none that anybody waits for; decisions (try). Raises: OL102, OL131, OL132, OL301.
create or replace function orderlatch.archive_before(
  p_before timestamptz,
  p_reason text,
  p_account text default null,
  p_calls integer default 1000
)
returns table (archived integer, through_at timestamptz, more boolean)
language plpgsql
volatile
parallel unsafe
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_account_id integer;
  v_old uuid[];
  v_held uuid[];
begin
  perform orderlatch_data.require_read_committed();
  perform orderlatch_data.require_text('p_reason', p_reason, 500);
  if p_account is not null then
    v_account_id := (orderlatch_data.find_account(p_account)).account_id;
  end if;
  perform orderlatch_data.require_right('archiving', v_account_id, null);
  if coalesce(p_before > orderlatch_data.clock() - interval '7 days', true)
    or coalesce(p_calls not between 1 and 10000, true)
  then
    raise exception using
      errcode = 'OL131',
      message = 'argument_invalid: p_before must be at least 7 days ago, and p_calls from 1 to 10000',
      detail = format('p_before=%s p_calls=%s', p_before, p_calls),
      hint = 'What is younger may still be asked for by those who trade.';
  end if;
  v_old := orderlatch_data.old_calls(p_before, v_account_id, p_calls);
  v_held := orderlatch_data.hold_calls(v_old);
  if cardinality(v_held) > 0 then
    perform orderlatch_data.move_calls(
      v_held, orderlatch_data.note_archiving(v_account_id, p_before, p_reason)
    );
  end if;
  archived := cardinality(v_held);
  select max(c.claimed_at) into through_at
    from orderlatch_data.archived_calls as c
   where c.request_id = any (v_held);
  more := cardinality(v_old) = p_calls and archived > 0;
  return next;
end
$$;
revoke all on function orderlatch.archive_before(timestamptz, text, text, integer) from public;
grant execute on function orderlatch.archive_before(timestamptz, text, text, integer) to orderlatch_operator;
comment on function orderlatch.archive_before(timestamptz, text, text, integer) is
  'One step of archiving: moves at most p_calls calls (1 to 10000) that were granted before p_before, at '
  'least 7 days ago, with their answers and losses, the oldest first. What they are about must have ended by '
  'then: nothing of a decision that is open, or has an order that is open at the broker. p_reason: why, 1 to '
  '500 characters; an act. p_account: null is every account, for members of orderlatch_owner. archived: how '
  'many were moved; through_at: when the newest of them was granted; more: call again. Whoever explains or '
  'verifies reads them as before. Raises OL102 account_unknown, OL131 argument_invalid, OL132 '
  'isolation_unsupported, OL301 login_not_bound.';

-- The oldest calls before a moment of which all that they are about had ended by then.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.old_calls(
  p_before timestamptz,
  p_account_id integer,
  p_calls integer
)
returns uuid[]
language sql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select array(
    select o.request_id
      from orderlatch_data.accounts as a
     cross join lateral (
       select q.request_id, q.claimed_at
         from orderlatch_data.broker_requests as q
        where q.account_id = a.account_id
          and q.claimed_at < p_before
          and orderlatch_data.call_has_ended(q, p_before)
        order by q.claimed_at
        limit p_calls
     ) as o
     where p_account_id is null or a.account_id = p_account_id
     order by o.claimed_at, o.request_id
     limit p_calls
  )
$$;
revoke all on function orderlatch_data.old_calls(timestamptz, integer, integer) from public;
comment on function orderlatch_data.old_calls(timestamptz, integer, integer) is
  'Their request_ids. Besides those it reads only older ones that must stay: of what is still open.';

-- Whether a call, the decision and the order that it is about had all ended before a moment.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.call_has_ended(
  p_request orderlatch_data.broker_requests,
  p_before timestamptz
)
returns boolean
language sql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select coalesce(
      (
        select r.recorded_at
          from orderlatch_data.broker_responses as r
         where r.request_id = p_request.request_id
      ),
      (select l.lost_at from orderlatch_data.lost_requests as l where l.request_id = p_request.request_id)
    ) < p_before
    and not exists (
      select 1 from orderlatch_data.open_requests as o where o.request_id = p_request.request_id
    )
    and (
      p_request.decision_id is null
      or exists (
        select 1
          from orderlatch_data.decision_outcomes as s
         where s.decision_id = p_request.decision_id and s.settled_at < p_before
      )
    )
    and not exists (
      select 1 from orderlatch_data.open_decisions as o where o.decision_id = p_request.decision_id
    )
    and not exists (
      select 1
        from orderlatch_data.broker_orders as b
       where b.decision_id = p_request.decision_id and b.is_open
    )
    and not exists (
      select 1
        from orderlatch_data.broker_orders as b
       where b.account_id = p_request.account_id
         and b.broker_order_id = p_request.broker_order_id
         and b.is_open
    )
    -- a page of a proof that is not complete
    and not exists (select 1 from orderlatch_data.doubts as d where d.read_id = p_request.read_id)
$$;
revoke all on function orderlatch_data.call_has_ended(orderlatch_data.broker_requests, timestamptz)
  from public;
comment on function orderlatch_data.call_has_ended(orderlatch_data.broker_requests, timestamptz) is
  'Answered or lost, its decision settled, no order of it open at the broker. One row decides by its keys.';
