-- Visits at once the accounts of a queue for which nothing is due but submits; to others it does nothing.
-- Locks: granting, gate (shared), decisions: all try. Raises: none.
create or replace function orderlatch_data.visit_together(
  p_worker_id integer,
  p_queue integer[],
  p_shares integer[],
  p_how_many integer
)
returns table (account_id integer, granted orderlatch_data.granted_request[], is_cut boolean)
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_begun_at constant timestamptz := orderlatch_data.clock();
  v_now timestamptz;
  v_begun integer[];
  v_sure_of integer[];
  v_held integer[];
  v_woken integer[];
  v_ids integer[];
  v_asked integer[];
  v_allowed integer[];
  v_calls orderlatch_data.granted_request[];
  v_granted integer[];
begin
  select array_agg(b.account_id), array_agg(b.sure_of) into v_begun, v_sure_of
    from orderlatch_data.begin_visits(p_queue, p_shares, p_how_many) as b;
  v_held := orderlatch_data.hold_for_submits(p_worker_id, v_begun, v_begun_at);
  -- before anything is read: what is woken for after this stays for the next visit
  with woken as (
    delete from orderlatch_data.account_wakes as w where w.account_id = any (v_held) returning w.account_id
  )
  select array_agg(w.account_id) into v_woken from woken as w;
  v_now := orderlatch_data.clock();
  -- a statement of its own: halts are read when the gate is held
  select array_agg(s.account_id order by b.place), array_agg(b.sure_of order by b.place),
         array_agg(least(b.sure_of, s.submits) order by b.place)
    into v_ids, v_asked, v_allowed
    from unnest(v_begun, v_sure_of) with ordinality as b(account_id, sure_of, place)
    join orderlatch_data.only_submits_due(v_held, p_worker_id, v_now) as s on s.account_id = b.account_id;
  insert into orderlatch_data.account_wakes (account_id)
  select distinct w.account_id
    from unnest(v_woken) as w(account_id)
   where w.account_id <> all (coalesce(v_ids, '{}'));
  if v_ids is null then
    return;
  end if;

  v_calls := array(select g from orderlatch_data.grant_submits(p_worker_id, v_ids, v_allowed) as g);
  v_granted := array(
    select count(c.account)::integer
      from unnest(v_ids) with ordinality as v(account_id, place)
      join orderlatch_data.accounts as a on a.account_id = v.account_id
      left join unnest(v_calls) as c on c.account = a.account
     group by v.place
     order by v.place
  );
  perform orderlatch_data.spend_tokens(v_ids, v_granted, array_fill(0, array[cardinality(v_ids)]), v_now);
  perform orderlatch_data.schedule_visits(v_ids, v_granted, v_asked, v_begun_at, true);
  return query
  select v.account_id, array_agg(v_calls[c.place] order by c.place) filter (where c.place is not null),
         v.granted = v.asked
    from unnest(v_ids, v_granted, v_asked) as v(account_id, granted, asked)
    join orderlatch_data.accounts as a on a.account_id = v.account_id
    left join generate_subscripts(v_calls, 1) as c(place) on (v_calls[c.place]).account = a.account
   group by v.account_id, v.granted, v.asked;
end
$$;
revoke all on function orderlatch_data.visit_together(integer, integer[], integer[], integer) from public;
comment on function orderlatch_data.visit_together(integer, integer[], integer[], integer) is
  'Does for all these accounts what visit_account does for each, and returns those that it visited. is_cut: '
  'granted as much as its share, so there may be more. Which accounts those are: see begin_visits, '
  'hold_for_submits and only_submits_due; what woke the others is left for their own visit. The caller has '
  'entered the gate of all accounts, and no worker is gone.';

-- Holds for a visit the agenda and the gate of those of some accounts that nobody else holds.
-- Locks: gate (try, shared); the caller holds the accounts for granting. Raises: none.
create or replace function orderlatch_data.hold_for_submits(
  p_worker_id integer,
  p_account_ids integer[],
  p_now timestamptz
)
returns integer[]
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_held integer[];
begin
  -- held until the commit: whoever wakes an account meanwhile leaves a row in account_wakes instead
  v_held := array(
    select g.account_id
      from orderlatch_data.account_agenda as g
     where g.account_id = any (p_account_ids)
       and g.visited_at <= p_now
       and exists (
         select 1
           from orderlatch_data.worker_accounts as c
          where c.worker_id = p_worker_id and c.account_id = g.account_id and c.verified_at is not null
       )
     order by g.account_id
       for no key update skip locked
  );
  return array(
    select h.account_id
      from unnest(v_held) as h(account_id)
     where orderlatch_data.try_enter_gate(h.account_id)
  );
end
$$;
revoke all on function orderlatch_data.hold_for_submits(integer, integer[], timestamptz) from public;
comment on function orderlatch_data.hold_for_submits(integer, integer[], timestamptz) is
  'Leaves out accounts whose agenda another session is writing, that a halt is being set for, for which the '
  'worker is not verified, and whose last visit lies ahead of p_now, as the clock was set back.';

-- The accounts for which there is nothing to do but submits, and how many submits each may be granted.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.only_submits_due(
  p_account_ids integer[],
  p_worker_id integer,
  p_now timestamptz
)
returns table (account_id integer, submits integer)
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
  select b.account_id, case when k.account_id is null then 0 else b.submits end
    from orderlatch_data.budgets_at(p_account_ids, p_now) as b
    join orderlatch_data.next_tidy_at(p_account_ids) as t on t.account_id = b.account_id
    left join (
      select d.account_id, bool_and(d.kind = 'submit_order') as only_submits
        from orderlatch_data.kinds_due(p_account_ids, p_worker_id) as d
       group by d.account_id
    ) as k on k.account_id = b.account_id
   where coalesce(t.tidy_at > p_now, true) and coalesce(k.only_submits, true);
end
$$;
revoke all on function orderlatch_data.only_submits_due(integer[], integer, timestamptz) from public;
comment on function orderlatch_data.only_submits_due(integer[], integer, timestamptz) is
  'An account that has something to tidy up, or for which any other kind of call is due, is none of them. '
  'submits: as far as its budget goes.';
