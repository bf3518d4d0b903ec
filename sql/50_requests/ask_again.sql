-- When a worker that was granted all there was should ask again.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.next_visit_at(p_worker_id integer, p_only_ids integer[])
returns timestamptz
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_next_at timestamptz;
  v_some_unverified boolean;
begin
  select min(
           case when c.account_id = any (g.woken) then '-infinity' else least(g.due_at, g.tidy_at) end
         ) filter (where c.verified_at is not null),
         bool_or(c.verified_at is null)
    into v_next_at, v_some_unverified
    from orderlatch_data.worker_accounts as c
   cross join lateral (
     -- as in due_accounts
     select k.account_id, k.due_at, k.tidy_at,
            array(select w.account_id from orderlatch_data.account_wakes as w) as woken
       from orderlatch_data.account_agenda as k
      where k.account_id <= c.account_id
      order by k.account_id desc
      limit 1
   ) as g
   where c.worker_id = p_worker_id
     and (p_only_ids is null or c.account_id = any (p_only_ids))
     and g.account_id = c.account_id;
  if v_some_unverified then
    v_next_at := least(v_next_at, orderlatch_data.next_question_at(p_worker_id, p_only_ids));
  end if;
  return v_next_at;
end
$$;
revoke all on function orderlatch_data.next_visit_at(integer, integer[]) from public;
comment on function orderlatch_data.next_visit_at(integer, integer[]) is
  'The nearest moment at which an account of the worker comes due; infinity or null when none does. '
  'Arguments as of due_accounts.';

-- When a worker is next to ask an account who it is, or to tidy up one that it does not know.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.next_question_at(p_worker_id integer, p_only_ids integer[])
returns timestamptz
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    select min(least(
             g.tidy_at, coalesce(r.answer_by, greatest(b.next_try_at, s.paused_until), '-infinity')
           ))
      from orderlatch_data.worker_accounts as c
      join orderlatch_data.account_agenda as g on g.account_id = c.account_id
      left join orderlatch_data.account_states as s on s.account_id = c.account_id
      left join orderlatch_data.kind_backoffs as b
        on b.account_id = c.account_id and b.kind = 'get_account'
      left join orderlatch_data.open_requests as r
        on r.worker_id = c.worker_id and r.account_id = c.account_id and r.kind = 'get_account'
     where c.worker_id = p_worker_id
       and c.verified_at is null
       and (p_only_ids is null or c.account_id = any (p_only_ids))
  );
end
$$;
revoke all on function orderlatch_data.next_question_at(integer, integer[]) from public;
comment on function orderlatch_data.next_question_at(integer, integer[]) is
  'Of the accounts that are not verified for the worker; null when there are none. Arguments as of '
  'due_accounts.';

-- How long a worker that was granted all there was may rest.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.ask_again_in(
  p_worker_id integer,
  p_only_ids integer[],
  p_more boolean
)
returns integer
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_now constant timestamptz := orderlatch_data.clock();
  v_next_at timestamptz;
begin
  if p_more then
    return 1;
  end if;
  v_next_at := orderlatch_data.next_visit_at(p_worker_id, p_only_ids);
  return case
    when coalesce(v_next_at, 'infinity') = 'infinity' then null
    -- due already: another session holds the account, or a decision of it
    when v_next_at <= v_now then 20
    else ceil(1000 * extract(epoch from least(v_next_at - v_now, interval '1 minute')))::integer
  end;
end
$$;
revoke all on function orderlatch_data.ask_again_in(integer, integer[], boolean) from public;
comment on function orderlatch_data.ask_again_in(integer, integer[], boolean) is
  'Milliseconds, at most a minute, never too soon; null: nothing comes due by itself. p_more: whether there '
  'were more accounts than a claim visits. Other arguments as of due_accounts.';
