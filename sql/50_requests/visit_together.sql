-- Visits at once the accounts of a queue that can be granted nothing but submits; to others it does nothing.
-- Locks: granting, gate (shared), decisions: all try. Raises: none.
create or replace function orderlatch_data.visit_together(
  p_worker_id integer,
  p_queue integer[],
  p_shares integer[],
  p_how_many integer,
  p_at_most integer
)
returns table (
  account_id integer,
  granted orderlatch_data.granted_request[],
  is_cut boolean,
  is_visited boolean,
  others_may_go boolean
)
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_begun_at constant timestamptz := orderlatch_data.clock();
  v_now timestamptz;
  v_held integer[];
  v_sure_of integer[];
  v_woken integer[];
  v_ids integer[];
  v_asked integer[];
  v_allowed integer[];
  v_waiting boolean[];
begin
  select array_agg(h.account_id), array_agg(h.sure_of) into v_held, v_sure_of
    from orderlatch_data.hold_for_submits(
           p_worker_id, p_queue, p_shares, p_how_many, p_at_most, v_begun_at
         ) as h;
  -- before anything is read: what is woken for after this stays for the next visit
  v_woken := orderlatch_data.take_wakes(v_held);
  v_now := orderlatch_data.clock();
  -- a statement of its own: halts are read when the gate is held
  select array_agg(s.account_id order by b.place), array_agg(b.sure_of order by b.place),
         array_agg(least(b.sure_of, s.submits) order by b.place), array_agg(s.others_wait order by b.place)
    into v_ids, v_asked, v_allowed, v_waiting
    from unnest(v_held, v_sure_of) with ordinality as b(account_id, sure_of, place)
    join orderlatch_data.only_submits_go(v_held, p_worker_id, v_now, v_woken) as s
      on s.account_id = b.account_id;
  if v_woken is not null then
    insert into orderlatch_data.account_wakes (account_id)
    select distinct w.account_id from unnest(v_woken) as w(account_id)
     where w.account_id <> all (coalesce(v_ids, '{}'));
  end if;
  if not coalesce(v_ids, '{}') @> v_held then
    return query
    select h.account_id, '{}'::orderlatch_data.granted_request[], false, false, true
      from unnest(v_held) as h(account_id)
     where h.account_id <> all (coalesce(v_ids, '{}'));
  end if;
  if v_ids is not null then
    return query
    select e.account_id, e.granted, e.is_cut, true, e.others_may_go
      from orderlatch_data.end_visits(
             v_ids, v_asked, v_allowed, v_waiting,
             array(select g from orderlatch_data.grant_submits(p_worker_id, v_ids, v_allowed) as g),
             v_begun_at, v_now, v_woken
           ) as e;
  end if;
end
$$;
revoke all on function orderlatch_data.visit_together(integer, integer[], integer[], integer, integer)
  from public;
comment on function orderlatch_data.visit_together(integer, integer[], integer[], integer, integer) is
  'Does for all these accounts what visit_account does for each, and returns those that it holds. '
  'is_visited: false where more than submits may go, and nothing was done. is_cut: there may be more to '
  'grant, as its share was used up. others_may_go: a visit of its own must follow, as it was not visited, or '
  'submits left tokens that something else waits for. Which accounts those are: see begin_visits, '
  'hold_for_submits and only_submits_go; what woke the others is left for their own visit. The caller has '
  'entered the gate of all accounts, and no worker is gone.';

-- Pays for what was granted to accounts, and notes when each is to be visited again.
-- Locks: none; the caller holds the accounts for granting, and their rows of the agenda. Raises: none.
create or replace function orderlatch_data.end_visits(
  p_account_ids integer[],
  p_asked integer[],
  p_allowed integer[],
  p_others_wait boolean[],
  p_calls orderlatch_data.granted_request[],
  p_begun_at timestamptz,
  p_now timestamptz,
  p_woken integer[]
)
returns table (
  account_id integer, granted orderlatch_data.granted_request[], is_cut boolean, others_may_go boolean
)
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_granted integer[];
begin
  v_granted := array(
    select count(c.account)::integer
      from unnest(p_account_ids) with ordinality as v(account_id, place)
     cross join lateral (
       select k.account from orderlatch_data.accounts as k where k.account_id = v.account_id
       offset 0
     ) as a
      left join unnest(p_calls) as c on c.account = a.account
     group by v.place
     order by v.place
  );
  if 0 < any (v_granted) then
    perform orderlatch_data.spend_tokens(
      p_account_ids, v_granted, array_fill(0, array[cardinality(p_account_ids)]), p_now
    );
  end if;
  -- one whose others may go is due at once, in case this claim does not get to it any more
  perform orderlatch_data.schedule_visits(p_account_ids, v_granted, array(
    select case when v.others_wait and v.granted < v.allowed then v.granted else v.asked end
      from unnest(v_granted, p_asked, p_allowed, p_others_wait) with ordinality
           as v(granted, asked, allowed, others_wait, place)
     order by v.place
  ), p_calls, p_begun_at, true, p_woken);
  return query
  select v.account_id,
         coalesce(array_agg(p_calls[c.place] order by c.place) filter (where c.place is not null), '{}'),
         v.granted = v.asked, v.others_wait and v.granted < v.allowed
    from unnest(p_account_ids, v_granted, p_asked, p_allowed, p_others_wait)
         as v(account_id, granted, asked, allowed, others_wait)
   cross join lateral (
     select k.account from orderlatch_data.accounts as k where k.account_id = v.account_id
     offset 0
   ) as a
    left join generate_subscripts(p_calls, 1) as c(place) on (p_calls[c.place]).account = a.account
   group by v.account_id, v.granted, v.asked, v.allowed, v.others_wait;
end
$$;
revoke all on function orderlatch_data.end_visits(
  integer[], integer[], integer[], boolean[], orderlatch_data.granted_request[], timestamptz, timestamptz,
  integer[]
) from public;
comment on function orderlatch_data.end_visits(
  integer[], integer[], integer[], boolean[], orderlatch_data.granted_request[], timestamptz, timestamptz,
  integer[]
) is
  'p_asked: calls that each account might have got of its share, p_allowed: and of its budget. '
  'p_others_wait: whether less urgent calls wait for a token. p_calls: what was granted, paid as of p_now. '
  'p_woken: as of schedule_visits.';
