-- When an account next has something to do that is not to be done yet.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.next_due_at(p_account orderlatch_data.accounts)
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
      select min(o.next_try_at)
        from orderlatch_data.open_decisions as o
       where o.account_id = p_account.account_id and o.status = 'approved' and o.next_try_at > v_now
    ),
    (
      select o.lapse_at
        from orderlatch_data.open_decisions as o
       where o.account_id = p_account.account_id and o.lapse_at > v_now
       order by o.lapse_at
       limit 1
    ),
    (
      select d.next_lookup_at
        from orderlatch_data.doubts as d
       where d.account_id = p_account.account_id and d.next_lookup_at > v_now
       order by d.next_lookup_at
       limit 1
    ),
    orderlatch_data.next_read_at(p_account.account_id),
    (
      select min(q.answer_by)
        from orderlatch_data.open_requests as q
       where q.account_id = p_account.account_id and q.answer_by > v_now
    ),
    (
      select min(b.next_try_at)
        from orderlatch_data.kind_backoffs as b
       where b.account_id = p_account.account_id and b.next_try_at > v_now
    ),
    (
      select s.paused_until
        from orderlatch_data.account_states as s
       where s.account_id = p_account.account_id and s.paused_until > v_now
    )
  );
end
$$;
revoke all on function orderlatch_data.next_due_at(orderlatch_data.accounts) from public;
comment on function orderlatch_data.next_due_at(orderlatch_data.accounts) is
  'The nearest moment at which a back-off, a pause, a decision, a lookup, a read or a request of the '
  'account comes due; null when there is none. What is due already does not count: see is_held_up.';

-- When an account next has something to read or to cancel at the broker.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.next_read_at(p_account_id integer)
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
      select min(r.next_page_at)
        from orderlatch_data.broker_reads as r
       where r.account_id = p_account_id
         and (r.completed_at is null or r.purpose <> 'proof')
         and r.request_id is null
         and r.next_page_at > v_now
    ),
    (
      select min(w.due_at)
        from orderlatch_data.read_wishes as w
       where w.account_id = p_account_id and w.due_at > v_now
    ),
    (
      select min(c.next_try_at)
        from orderlatch_data.order_checks as c
       where c.account_id = p_account_id and c.next_try_at > v_now
    ),
    (
      select min(c.next_try_at)
        from orderlatch_data.order_cancels as c
       where c.account_id = p_account_id and c.ended_at is null and c.next_try_at > v_now
    )
  );
end
$$;
revoke all on function orderlatch_data.next_read_at(integer) from public;
comment on function orderlatch_data.next_read_at(integer) is
  'The nearest moment at which a page, a standing read, a single order or a cancel of the account comes due; '
  'null when there is none.';

-- Whether something of an account is due that a claim would have done but for a lock of another session.
-- Locks: none; the caller holds the account for granting and was granted nothing. Raises: none.
create or replace function orderlatch_data.is_held_up(p_account orderlatch_data.accounts, p_worker_id integer)
returns boolean
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_now constant timestamptz := orderlatch_data.clock();
begin
  if exists (
    select 1
      from orderlatch_data.open_requests as r
     where r.account_id = p_account.account_id and r.answer_by <= v_now
  ) or exists (
    select 1
      from orderlatch_data.open_decisions as o
     where o.account_id = p_account.account_id
       and o.lapse_at <= v_now
       and o.status in ('planned', 'approved')
       and not o.lookup_first
       and not orderlatch_data.calls_may_be_unknown(o.account_id)
  ) then
    return true;
  end if;
  if orderlatch_data.is_paused(p_account.account_id)
    or not orderlatch_data.is_verified(p_worker_id, p_account.account_id)
  then
    return false;
  end if;
  return exists (
      select 1
        from orderlatch_data.doubts as d
       where d.account_id = p_account.account_id
         and d.next_lookup_at <= v_now
         and not orderlatch_data.is_backing_off(p_account.account_id, 'find_order', v_now)
    )
    or (
      (select r.room from orderlatch_data.submit_room(p_account, v_now) as r) > 0
      and exists (select 1 from orderlatch_data.decisions_in_turn(p_account.account_id, v_now, 1))
    );
end
$$;
revoke all on function orderlatch_data.is_held_up(orderlatch_data.accounts, integer) from public;
comment on function orderlatch_data.is_held_up(orderlatch_data.accounts, integer) is
  'Whether a lost request, a stale decision, a lookup or a submit is due although the claim that just ran '
  'granted nothing: another session held its decision, or it fell due meanwhile. Worth asking again at '
  'once.';
