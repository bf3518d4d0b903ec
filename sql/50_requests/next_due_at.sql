-- When an account next has something to do that is not to be done yet.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.next_due_at(
  p_account_id integer,
  p_after timestamptz,
  p_with_due boolean
)
returns timestamptz
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_from constant timestamptz := case
    when p_with_due then '-infinity'::timestamptz else p_after + interval '1 microsecond'
  end;
  v_waits_from constant timestamptz := case when p_with_due then '-infinity' else 'infinity' end::timestamptz;
  v_due_at timestamptz;
begin
  select min(w.due_at) into v_due_at
    from (
      (
        select o.next_try_at
          from orderlatch_data.open_decisions as o
         where o.account_id = p_account_id and o.tries > 0 and o.next_try_at > p_after
         order by o.next_try_at
         limit 1
      )
      union all
      select b.next_try_at from orderlatch_data.kind_backoffs as b
       where b.account_id = p_account_id and b.next_try_at > p_after
      union all
      select case when d.second_absent_at >= v_waits_from then '-infinity' else d.next_lookup_at end
        from orderlatch_data.doubts as d
       where d.account_id = p_account_id
         and (d.next_lookup_at >= v_from or d.second_absent_at >= v_waits_from)
      union all
      -- each has an index of its own
      select r.next_page_at from orderlatch_data.broker_reads as r
       where r.account_id = p_account_id
         and r.purpose <> 'proof' and r.request_id is null
         and r.next_page_at >= v_from
      union all
      select r.next_page_at from orderlatch_data.broker_reads as r
       where r.account_id = p_account_id
         and r.purpose = 'proof' and r.completed_at is null and r.request_id is null
         and r.next_page_at >= v_from
      union all
      select w.due_at from orderlatch_data.read_wishes as w
       where w.account_id = p_account_id and w.due_at >= v_from
      union all
      select c.next_try_at from orderlatch_data.order_checks as c
       where c.account_id = p_account_id and c.next_try_at >= v_from
      union all
      select c.next_try_at from orderlatch_data.order_cancels as c
       where c.account_id = p_account_id and c.ended_at is null and c.next_try_at >= v_from
      union all
      select '-infinity' from orderlatch_data.halts as h
       where h.lifted_at is null
         and h.cancel_open
         and h.halted_at >= v_waits_from
         and (h.account_id is null or h.account_id = p_account_id)
      offset 0 -- else it is planned as if one of them had many rows, each sorted
    ) as w(due_at);
  return v_due_at;
end
$$;
revoke all on function orderlatch_data.next_due_at(integer, timestamptz, boolean) from public;
comment on function orderlatch_data.next_due_at(integer, timestamptz, boolean) is
  'The nearest moment after p_after at which a back-off, a lookup, a page, a standing read, a single order '
  'or a cancel of the account comes due; null when there is none. What was due at p_after already does '
  'not count (see is_held_up) unless p_with_due; then it is past where any kind of call but a submit may be '
  'due, and -infinity where a proof waits, or a halt stands that cancels.';

-- When the next request of an account is lost, or its next decision lapses or is withdrawn.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.next_tidy_at(p_account_id integer)
returns timestamptz
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_now constant timestamptz := orderlatch_data.clock();
begin
  return least(
    (
      select case
               when o.lapse_at > v_now or not orderlatch_data.calls_may_be_unknown(o.account_id)
                 then o.lapse_at
             end
        from orderlatch_data.open_decisions as o
       where o.account_id = p_account_id
         and o.status in ('planned', 'approved')
         and not o.lookup_first
       order by o.lapse_at
       limit 1
    ),
    (
      select '-infinity'::timestamptz
        from orderlatch_data.open_decisions as o
       where o.account_id = p_account_id
         and o.wish is not null
         and o.status in ('planned', 'approved')
         and not o.lookup_first
         and not orderlatch_data.calls_may_be_unknown(o.account_id)
       limit 1
    ),
    (select min(c.answer_by) from orderlatch_data.calls_under_way(p_account_id) as c)
  );
end
$$;
revoke all on function orderlatch_data.next_tidy_at(integer) from public;
comment on function orderlatch_data.next_tidy_at(integer) is
  'May be past: then another session holds what should be lost, lapse or be withdrawn. Null when nothing is '
  'open. While calls of another cluster may be unknown, nothing lapses and nothing is withdrawn.';

-- Whether a lookup or a submit is due that a claim would have granted but for a lock of another session.
-- Locks: none; the caller holds the account for granting and was granted nothing. Raises: none.
create or replace function orderlatch_data.is_held_up(p_account_id integer, p_submits integer)
returns boolean
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_now constant timestamptz := orderlatch_data.clock();
begin
  return (
      orderlatch_data.is_lookup_due(p_account_id, v_now)
      and not orderlatch_data.is_backing_off(p_account_id, 'find_order', v_now)
    )
    or (p_submits > 0 and orderlatch_data.is_submit_due(p_account_id));
end
$$;
revoke all on function orderlatch_data.is_held_up(integer, integer) from public;
comment on function orderlatch_data.is_held_up(integer, integer) is
  'Whether a lookup or a submit is due although the claim that just ran granted nothing: another session '
  'holds its decision, a halt is being set, or it fell due meanwhile. Worth asking again at once. p_submits: '
  'how many submits the budget allows now.';

-- Whether a submit could be granted, as far as gates, decisions and doubts go.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.is_submit_due(p_account_id integer)
returns boolean
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_turn record;
begin
  if not orderlatch_data.has_approved(p_account_id) then
    return false;
  end if;
  v_turn := orderlatch_data.submits_in_turn(
    array[orderlatch_data.agenda_row(p_account_id)], '{1}', orderlatch_data.clock()
  );
  return v_turn.decision_ids <> '{}';
end
$$;
revoke all on function orderlatch_data.is_submit_due(integer) from public;
comment on function orderlatch_data.is_submit_due(integer) is
  'Whether there is room for a submit and a decision whose turn it is; of the rate budget it says nothing.';

-- Whether a decision of an account is approved, for whatever it waits.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.has_approved(p_account_id integer)
returns boolean
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  -- in this order, as its index is the only one that knows where the living begin
  return coalesce((
    select true
      from orderlatch_data.open_decisions as o
     where o.account_id = p_account_id
       and o.approval_no >= orderlatch_data.approved_from(p_account_id)
       and o.status = 'approved'
     order by o.approval_no
     limit 1
  ), false);
end
$$;
revoke all on function orderlatch_data.has_approved(integer) from public;
comment on function orderlatch_data.has_approved(integer) is
  'Whether a submit may be granted, as far as decisions go.';
