-- The accounts for which a worker has anything to do, the one that was not visited for longest first.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.due_accounts(
  p_worker_id integer,
  p_only_ids integer[],
  p_for_anyone integer[],
  out account_ids integer[],
  out alone integer[],
  out woken integer[],
  out some_unverified boolean,
  out answers_from timestamptz
)
returns record
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_now constant timestamptz := orderlatch_data.clock();
begin
  select (
           array_agg(c.account_id order by g.turn_no, c.account_id) filter (
             where (p_only_ids is null or c.account_id = any (p_only_ids))
               and (
                 g.tidy_at <= v_now
                 or g.visited_at > v_now
                 or c.account_id = any (p_for_anyone)
                 or (c.verified_at is not null and (g.due_at <= v_now or c.account_id = any (g.woken)))
               )
           )
         )[:500],
         array_agg(c.account_id) filter (where c.verified_at is null or g.visited_at > v_now),
         array_agg(c.account_id) filter (where c.account_id = any (g.woken)),
         bool_or(c.verified_at is null),
         -- see calls_under_way
         min(case when g.woken = '{}' then g.answers_from else '-infinity' end)
    into account_ids, alone, woken, some_unverified, answers_from
    from orderlatch_data.worker_accounts as c
   cross join lateral (
     -- as in agenda_of; what is woken is read once
     select k.account_id, k.due_at, k.tidy_at, k.visited_at, k.turn_no, k.answers_from,
            array(select w.account_id from orderlatch_data.account_wakes as w) as woken
       from orderlatch_data.account_agenda as k
      where k.account_id <= c.account_id
      order by k.account_id desc
      limit 1
   ) as g
   where c.worker_id = p_worker_id and g.account_id = c.account_id;
  account_ids := coalesce(account_ids, '{}');
  alone := coalesce(alone, '{}');
  woken := coalesce(woken, '{}');
end
$$;
revoke all on function orderlatch_data.due_accounts(integer, integer[], integer[]) from public;
comment on function orderlatch_data.due_accounts(integer, integer[], integer[]) is
  'account_ids: at most 500 of the accounts that the worker registered (p_only_ids: only these; null: all) '
  'that are due by the agenda or woken, or named in p_for_anyone. An account that is not verified for the '
  'worker is due only to be asked, and to note what is lost or lapsed. alone: accounts that must be visited '
  'by themselves, as they are not verified for the worker, or their last visit lies ahead, because the clock '
  'was set back. woken: those that a row of account_wakes makes due. some_unverified: whether any is not '
  'verified. answers_from: no open request of any of its accounts is to be answered earlier, whichever '
  'worker made it; null: it has none.';

-- The accounts that a worker has to ask who they are.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.identities_due(p_worker_id integer)
returns integer[]
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_now constant timestamptz := orderlatch_data.clock();
begin
  return array(
    select c.account_id
      from orderlatch_data.worker_accounts as c
     where c.worker_id = p_worker_id
       and c.verified_at is null
       and not orderlatch_data.is_paused(c.account_id)
       and not orderlatch_data.is_backing_off(c.account_id, 'get_account', v_now)
       and not exists (
         select 1
           from orderlatch_data.open_requests as r
          where r.worker_id = p_worker_id and r.account_id = c.account_id and r.kind = 'get_account'
       )
  );
end
$$;
revoke all on function orderlatch_data.identities_due(integer) from public;
comment on function orderlatch_data.identities_due(integer) is
  'Accounts that this life of a worker is not verified for, unless the question is on its way, backing off '
  'or paused.';

-- Deals the slots of a worker out to the accounts of a queue.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.deal_slots(
  p_queue integer[],
  p_how_many integer,
  p_held_ids integer[],
  p_held_calls integer[]
)
returns integer[]
language plpgsql
immutable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  -- shares are those of the accounts that a claim gets to: it visits at most 50
  v_places constant integer := greatest(1, least(cardinality(p_queue), 50));
  v_slots integer := p_how_many;
  v_calls integer;
  v_place integer;
  v_shares integer[];
begin
  foreach v_calls in array p_held_calls loop
    v_slots := v_slots + v_calls;
  end loop;
  v_shares := (
    array_fill(v_slots / v_places + 1, array[v_slots % v_places])
    || array_fill(v_slots / v_places, array[cardinality(p_queue)])
  )[:cardinality(p_queue)];
  for v_held in 1 .. cardinality(p_held_ids) loop
    v_place := array_position(p_queue, p_held_ids[v_held]);
    continue when v_place is null;
    v_shares[v_place] := v_shares[v_place] - p_held_calls[v_held];
  end loop;
  return v_shares;
end
$$;
revoke all on function orderlatch_data.deal_slots(integer[], integer, integer[], integer[]) from public;
comment on function orderlatch_data.deal_slots(integer[], integer, integer[], integer[]) is
  'How many calls more each account of p_queue may be granted while others wait, so that none holds more of '
  'the slots (p_how_many free ones and p_held_calls on their way, of the accounts p_held_ids) than an equal '
  'part; may be negative. Of more than 50 only those count that the claim gets to.';
