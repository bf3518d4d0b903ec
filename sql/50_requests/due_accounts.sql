-- The accounts for which a worker has anything to do, the one that was not visited for longest first.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.due_accounts(
  p_worker_id integer,
  p_accounts text[],
  p_gone integer[],
  p_at_most integer,
  p_from timestamptz default '-infinity'
)
returns table (account_id integer)
language sql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  with due as (
    select w.account_id, false as for_anyone from orderlatch_data.account_wakes as w
    union all
    select r.account_id, true
      from orderlatch_data.requests_in_time(p_from) as r
     where cardinality(p_gone) > 0 and r.worker_id = any (p_gone)
    union all
    select i.account_id, true from orderlatch_data.identities_due(p_worker_id) as i
  )
  select g.account_id
    from orderlatch_data.worker_accounts as c
    join orderlatch_data.agenda_of(array(
           select m.account_id from orderlatch_data.worker_accounts as m where m.worker_id = p_worker_id
         )) as g on g.account_id = c.account_id
   cross join (select orderlatch_data.clock() as now_at) as n
    left join (
      select e.account_id, bool_or(e.for_anyone) as for_anyone from due as e group by e.account_id
    ) as d on d.account_id = c.account_id
   where c.worker_id = p_worker_id
     and (
       g.tidy_at <= n.now_at
       or g.visited_at > n.now_at
       or d.for_anyone
       or (c.verified_at is not null and (g.due_at <= n.now_at or d.account_id is not null))
     )
     and (
       p_accounts is null
       or exists (
         select 1
           from orderlatch_data.accounts as a
          where a.account_id = c.account_id and a.account = any (p_accounts)
       )
     )
   order by g.turn_no, g.account_id
   limit p_at_most
$$;
revoke all on function orderlatch_data.due_accounts(integer, text[], integer[], integer, timestamptz)
  from public;
comment on function orderlatch_data.due_accounts(integer, text[], integer[], integer, timestamptz) is
  'At most p_at_most of the accounts that the worker registered (p_accounts: only these; null: all): due by '
  'the agenda or woken, holding requests of the workers p_gone, or not verified for this worker and to be '
  'asked. For an account that it is not verified for a worker may only ask, and note what is lost or lapsed. '
  'p_from: as of requests_in_time.';

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
  p_how_many integer,
  p_from timestamptz
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
      from orderlatch_data.due_accounts(p_worker_id, p_accounts, p_gone, 500, p_from)
           with ordinality as d(account_id, place)
  ), held as (
    select r.account_id, count(*) as calls
      from orderlatch_data.requests_in_time(p_from) as r
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
revoke all on function orderlatch_data.accounts_in_turn(integer, text[], integer[], integer, timestamptz)
  from public;
comment on function orderlatch_data.accounts_in_turn(integer, text[], integer[], integer, timestamptz) is
  'At most 500 due accounts, the one that was not visited for longest first. share: how many calls more each '
  'may be granted while others wait, so that none holds more of the slots (free ones and calls on their way) '
  'than an equal part; may be negative. Of more than 50 only those count that the claim gets to.';
