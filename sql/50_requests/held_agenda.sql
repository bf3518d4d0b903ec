-- The agenda of accounts that are held, and where their living rows begin.
-- Locks: none; the caller holds the accounts for granting, and their rows of the agenda. Raises: none.
create or replace function orderlatch_data.held_agenda(p_account_ids integer[], p_worker_id integer)
returns table (
  agenda orderlatch_data.account_agenda,
  version tid,
  is_verified boolean,
  paused_until timestamptz
)
language plpgsql
stable
parallel safe
rows 20
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
  select (
           g.account_id, g.due_at, g.tidy_at, g.visited_at, g.turn_no,
           (
             select o.approval_no
               from orderlatch_data.open_decisions as o
              where o.account_id = g.account_id and o.approval_no >= g.approved_from
              order by o.approval_no
              limit 1
           ),
           coalesce((
             select r.answer_by
               from orderlatch_data.open_requests as r
                    -- as in calls_under_way
              where (r.account_id, r.answer_by) <= (g.account_id, 'infinity')
                and (r.account_id, r.answer_by) >= (g.account_id, case
                  when exists (
                    select 1 from orderlatch_data.account_wakes as w where w.account_id = g.account_id
                  ) then '-infinity'
                  else g.answers_from
                end)
              order by r.account_id, r.answer_by
              limit 1
           ), 'infinity')
         )::orderlatch_data.account_agenda,
         g.version, c.verified_at is not null, s.paused_until
    from unnest(p_account_ids) as a(account_id)
   cross join lateral (
     -- as in agenda_of
     select k.*, k.ctid as version from orderlatch_data.account_agenda as k
      where k.account_id <= a.account_id
      order by k.account_id desc
      limit 1
   ) as g
    join orderlatch_data.worker_accounts as c on c.worker_id = p_worker_id and c.account_id = g.account_id
    join orderlatch_data.account_states as s on s.account_id = g.account_id
   where g.account_id = a.account_id;
end
$$;
revoke all on function orderlatch_data.held_agenda(integer[], integer) from public;
comment on function orderlatch_data.held_agenda(integer[], integer) is
  'agenda: its row, with both marks moved up to where the living begin now: the lowest approval_no of an '
  'open decision (null where there is none), and the earliest answer_by of an open request (none: '
  'infinity). version: where the row is. is_verified: whether the worker is. paused_until: by a 429.';

-- Whether it is to be looked up when an account is to be tidied up next.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.is_untidy(p_tidy_at timestamptz, p_now timestamptz)
returns boolean
language plpgsql
immutable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  -- put off for so long where another session held it, or there was more than one visit does
  return p_tidy_at <= p_now + interval '20 milliseconds';
end
$$;
revoke all on function orderlatch_data.is_untidy(timestamptz, timestamptz) from public;
comment on function orderlatch_data.is_untidy(timestamptz, timestamptz) is
  'Whether tidy_at of its row of the agenda has come. Else that holds, but for what a visit itself grants; '
  'not so of an account that a row of account_wakes woke, which does not say for what.';

-- By when the first of some calls is to be answered.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.soonest_answer(p_calls orderlatch_data.granted_request[])
returns timestamptz
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    select min(r.answer_by)
      from unnest(p_calls) as c
     cross join lateral (
       -- by their keys: for the least of a table the planner goes through it by time
       select o.answer_by from orderlatch_data.open_requests as o where o.request_id = c.request_id
       offset 0
     ) as r
  );
end
$$;
revoke all on function orderlatch_data.soonest_answer(orderlatch_data.granted_request[]) from public;
comment on function orderlatch_data.soonest_answer(orderlatch_data.granted_request[]) is
  'The earliest answer_by of those that are open; null where none is.';

-- Takes what accounts were woken by.
-- Locks: none; the caller holds the accounts for granting, and their rows of the agenda. Raises: none.
create or replace function orderlatch_data.take_wakes(p_account_ids integer[])
returns integer[]
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_woken integer[];
begin
  with woken as (
    delete from orderlatch_data.account_wakes as w
     where w.account_id = any (p_account_ids)
    returning w.account_id
  )
  select array_agg(w.account_id) into v_woken from woken as w;
  if v_woken is not null then
    update orderlatch_data.account_agenda as g
       set answers_from = '-infinity'
     where g.account_id = any (v_woken);
  end if;
  return coalesce(v_woken, '{}');
end
$$;
revoke all on function orderlatch_data.take_wakes(integer[]) from public;
comment on function orderlatch_data.take_wakes(integer[]) is
  'Removes their rows of account_wakes and returns whose they were. Such a row may be '
  'that of a visit which did not get the row of the agenda, and granted requests that are to be answered '
  'before the mark, as a setting was changed: so the mark goes with it, and the end of this visit writes it '
  'anew.';
