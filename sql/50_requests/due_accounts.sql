-- Workers that hold requests and whose lives have ended.
-- Locks: worker (try, shared). Raises: none.
create or replace function orderlatch_data.gone_workers()
returns integer[]
language sql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select array(
    select h.worker_id
      from (
        select distinct r.worker_id from orderlatch_data.requests_in_time() as r
      ) as h
       -- just after the server started nobody has had time to connect again
     where pg_postmaster_start_time() + interval '10 seconds' <= orderlatch_data.clock()
       and orderlatch_data.worker_is_gone(h.worker_id)
  )
$$;
revoke all on function orderlatch_data.gone_workers() from public;
comment on function orderlatch_data.gone_workers() is
  'Lives of workers that have requests which may still be answered, and do not hold their lock any more.';

-- The open requests that may still be answered in time.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.requests_in_time()
returns table (worker_id integer, account_id integer)
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_now constant timestamptz := orderlatch_data.clock();
begin
  return query
  select r.worker_id, r.account_id from orderlatch_data.open_requests as r where r.answer_by > v_now;
end
$$;
revoke all on function orderlatch_data.requests_in_time() from public;
comment on function orderlatch_data.requests_in_time() is
  'Whose calls are under way. What is past its answer_by is lost, whoever holds it.';

-- The accounts for which a worker has anything to do, the one that was not visited for longest first.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.due_accounts(
  p_worker_id integer,
  p_accounts text[],
  p_gone integer[],
  p_at_most integer
)
returns table (account_id integer)
language sql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  with due as (
    select g.account_id, g.tidy_at <= n.now_at or g.visited_at > n.now_at as for_anyone
      from orderlatch_data.account_agenda as g
     cross join (select orderlatch_data.clock() as now_at) as n
     where g.due_at <= n.now_at or g.tidy_at <= n.now_at or g.visited_at > n.now_at
    union all
    select w.account_id, false from orderlatch_data.account_wakes as w
    union all
    select r.account_id, true
      from orderlatch_data.requests_in_time() as r
     where cardinality(p_gone) > 0 and r.worker_id = any (p_gone)
    union all
    select i.account_id, true from orderlatch_data.identities_due(p_worker_id) as i
  )
  select g.account_id
    from (select d.account_id, bool_or(d.for_anyone) as for_anyone from due as d group by d.account_id) as d
    join orderlatch_data.worker_accounts as c
      on c.account_id = d.account_id
     and c.worker_id = p_worker_id
     and (c.verified_at is not null or d.for_anyone)
    join orderlatch_data.account_agenda as g on g.account_id = d.account_id
   where p_accounts is null
      or exists (
        select 1
          from orderlatch_data.accounts as a
         where a.account_id = d.account_id and a.account = any (p_accounts)
      )
   order by g.turn_no, g.account_id
   limit p_at_most
$$;
revoke all on function orderlatch_data.due_accounts(integer, text[], integer[], integer) from public;
comment on function orderlatch_data.due_accounts(integer, text[], integer[], integer) is
  'At most p_at_most of the accounts that the worker registered (p_accounts: only these; null: all): due by '
  'the agenda or woken, holding requests of the workers p_gone, or not verified for this worker and to be '
  'asked. For an account that it is not verified for a worker may only ask, and note what is lost or lapsed.';

-- The accounts that a worker has to ask who they are.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.identities_due(p_worker_id integer)
returns table (account_id integer)
language sql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select c.account_id
    from orderlatch_data.worker_accounts as c
   where c.worker_id = p_worker_id
     and c.verified_at is null
     and not orderlatch_data.is_paused(c.account_id)
     and not orderlatch_data.is_backing_off(c.account_id, 'get_account', orderlatch_data.clock())
     and not exists (
       select 1
         from orderlatch_data.open_requests as r
        where r.worker_id = p_worker_id and r.account_id = c.account_id and r.kind = 'get_account'
     )
$$;
revoke all on function orderlatch_data.identities_due(integer) from public;
comment on function orderlatch_data.identities_due(integer) is
  'Accounts that this life of a worker is not verified for, unless the question is on its way, backing off '
  'or paused.';

-- The accounts that a claim visits, in this order, each with its share of the worker's slots.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.accounts_in_turn(
  p_worker_id integer,
  p_accounts text[],
  p_gone integer[],
  p_how_many integer
)
returns table (place bigint, account_id integer, share integer)
language sql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  with due as materialized (
    -- shares are those of the accounts that this claim gets to: it visits at most 50
    select d.account_id, d.place, least(count(*) over (), 50) as places
      from orderlatch_data.due_accounts(p_worker_id, p_accounts, p_gone, 500)
           with ordinality as d(account_id, place)
  ), held as (
    select r.account_id, count(*) as calls
      from orderlatch_data.requests_in_time() as r
     where r.worker_id = p_worker_id
     group by r.account_id
  ), slots as (
    select p_how_many + coalesce(sum(h.calls), 0)::bigint as slots from held as h
  )
  select d.place, d.account_id,
         (
           s.slots / d.places + case when d.place <= s.slots % d.places then 1 else 0 end
             - coalesce(h.calls, 0)
         )::integer
    from due as d
   cross join slots as s
    left join held as h on h.account_id = d.account_id
$$;
revoke all on function orderlatch_data.accounts_in_turn(integer, text[], integer[], integer) from public;
comment on function orderlatch_data.accounts_in_turn(integer, text[], integer[], integer) is
  'At most 500 due accounts, the one that was not visited for longest first. share: how many calls more each '
  'may be granted while others wait, so that none holds more of the slots (free ones and calls on their way) '
  'than an equal part; may be negative. Of more than 50 only those count that the claim gets to.';
