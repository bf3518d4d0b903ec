-- The accounts of which it is to be looked up when they are to be tidied up next.
-- Locks: none; the caller holds their rows of the agenda. Raises: none.
create or replace function orderlatch_data.untidy_accounts(
  p_account_ids integer[],
  p_woken integer[],
  p_now timestamptz
)
returns integer[]
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return array(
    select g.account_id
      from orderlatch_data.agenda_of(p_account_ids) as g
       -- put off for so long where another session held it, or there was more than one visit does
     where g.tidy_at <= p_now + interval '20 milliseconds' or g.account_id = any (p_woken)
  );
end
$$;
revoke all on function orderlatch_data.untidy_accounts(integer[], integer[], timestamptz) from public;
comment on function orderlatch_data.untidy_accounts(integer[], integer[], timestamptz) is
  'Those whose tidy_at has come, and those woken by a row of account_wakes, which does not say for what. Of '
  'the others tidy_at holds, but for what a visit itself grants.';

-- Where the living rows of accounts begin at the end of a visit.
-- Locks: none; the caller holds the accounts for granting, and their rows of the agenda. Raises: none.
create or replace function orderlatch_data.living_from(p_account_ids integer[], p_soonest timestamptz)
returns table (
  account_id integer, approved_from bigint, answers_from timestamptz, tidy_at timestamptz, version tid
)
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
  select g.account_id,
         (
           select o.approval_no
             from orderlatch_data.open_decisions as o
            where o.account_id = g.account_id and o.approval_no >= g.approved_from
            order by o.approval_no
            limit 1
         ),
         (
           select r.answer_by
             from orderlatch_data.open_requests as r
                  -- as in calls_under_way
            where (r.account_id, r.answer_by) <= (g.account_id, 'infinity')
              -- what this visit granted may be before the mark, if a setting or the clock has changed
              and (r.account_id, r.answer_by) >= (g.account_id, least(g.answers_from, p_soonest))
            order by r.account_id, r.answer_by
            limit 1
         ),
         g.tidy_at, g.version
    from orderlatch_data.agenda_of(p_account_ids) as g;
end
$$;
revoke all on function orderlatch_data.living_from(integer[], timestamptz) from public;
comment on function orderlatch_data.living_from(integer[], timestamptz) is
  'The lowest approval_no of an open decision and the earliest answer_by of an open request, from the marks '
  'on; null where there is none. p_soonest: the earliest answer_by of what was granted; null: nothing was. '
  'With tidy_at and version of agenda_of.';

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
  return v_woken;
end
$$;
revoke all on function orderlatch_data.take_wakes(integer[]) from public;
comment on function orderlatch_data.take_wakes(integer[]) is
  'Removes their rows of account_wakes and returns whose they were; null: there were none. Such a row may be '
  'that of a visit which did not get the row of the agenda, and granted requests that are to be answered '
  'before the mark, as a setting was changed: so the mark goes with it, and the end of this visit writes it '
  'anew.';
