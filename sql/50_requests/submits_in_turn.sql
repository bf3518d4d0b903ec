-- The decisions of accounts that may be submitted now, as far as there is room.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.submits_in_turn(
  p_agenda orderlatch_data.account_agenda[],
  p_how_many integer[],
  p_now timestamptz,
  out decision_ids bigint[],
  out lock_keys integer[],
  out send_until timestamptz[]
)
returns record
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_room record;
  v_turn record;
  v_until timestamptz;
  v_may integer;
begin
  decision_ids := '{}';
  lock_keys := '{}';
  send_until := '{}';
  -- a loop of small questions: most accounts need only the first few of them answered
  for v_room in
    select r.account_id, r.approved_from, r.how_many, r.environment, r.max_in_doubt, r.some_halted,
           r.backs_off_until, r.in_doubt, r.under_way, r.may_wait
      from orderlatch_data.submit_rooms(p_agenda, p_how_many) as r
  loop
    continue when v_room.backs_off_until > p_now;
    v_until := null;
    if v_room.environment = 'live' then
      v_until := orderlatch_data.granted_live_until(v_room.account_id, p_now);
      continue when v_until is null;
    end if;
    if v_room.some_halted then
      continue when orderlatch_data.is_halted(v_room.account_id, null, null);
    end if;
    if v_room.may_wait then
      continue when orderlatch_data.waits_for_reads(v_room.account_id);
    end if;
    v_may := v_room.max_in_doubt - cardinality(v_room.under_way);
    if v_room.in_doubt <> '{}' then
      v_may := v_may - orderlatch_data.unknown_doubts(v_room.account_id);
    end if;
    v_may := least(v_room.how_many, v_may);
    continue when v_may <= 0;
    v_turn := orderlatch_data.decisions_in_turn(
      v_room.account_id, v_room.approved_from, p_now, v_may, v_room.under_way, v_room.in_doubt,
      v_room.some_halted
    );
    decision_ids := decision_ids || v_turn.decision_ids;
    lock_keys := lock_keys || v_turn.lock_keys;
    send_until := send_until || array_fill(v_until, array[cardinality(v_turn.decision_ids)]);
  end loop;
end
$$;
revoke all on function orderlatch_data.submits_in_turn(
  orderlatch_data.account_agenda[], integer[], timestamptz
) from public;
comment on function orderlatch_data.submits_in_turn(
  orderlatch_data.account_agenda[], integer[], timestamptz
) is
  'Of each account as many as p_how_many says; none under a halt of the account, before it is reconciled, '
  'without a live grant, while submits back off, or at the account''s max_in_doubt. send_until: end of the '
  'live grant, or null. p_agenda: as of grant_submits.';

-- What says how many submits accounts may be granted.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.submit_rooms(
  p_agenda orderlatch_data.account_agenda[],
  p_how_many integer[]
)
returns table (
  account_id integer, approved_from bigint, how_many integer, environment text, max_in_doubt integer,
  some_halted boolean, backs_off_until timestamptz, in_doubt bigint[], under_way bigint[], may_wait boolean
)
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
  select g.account_id, g.approved_from, g.how_many, a.environment, a.max_in_doubt::integer,
         exists (
           select 1
             from orderlatch_data.halts as h
            where h.lifted_at is null and (h.account_id is null or h.account_id = g.account_id)
         ),
         (
           select b.next_try_at
             from orderlatch_data.kind_backoffs as b
            where b.account_id = g.account_id and b.kind = 'submit_order'
         ),
         array(select d.decision_id from orderlatch_data.doubts as d where d.account_id = g.account_id),
         array(
           select r.decision_id
             from orderlatch_data.open_requests as r
                  -- as in calls_under_way
            where (r.account_id, r.answer_by) <= (g.account_id, 'infinity')
              and (r.account_id, r.answer_by) >= (g.account_id, g.answers_from)
              and r.kind = 'submit_order'
         ),
         -- no wait is left where a complete read began after all that is waited for
         (
           (
             select r.covered_at
               from orderlatch_data.broker_reads as r
              where r.account_id = g.account_id and r.purpose = 'orders' and r.purpose <> 'proof'
           ) >= all (array_remove((
             select orderlatch_data.reads_from(
                      k.changed_from, a.send_within + a.call_timeout + a.answer_grace, k.why, k.reads_from,
                      s.reconcile_after
                    )
               from orderlatch_data.clusters as k
              order by k.cluster_no desc
              limit 1
           ), null))
         ) is not true
    from unnest(p_agenda, p_how_many)
         as g(account_id, due_at, tidy_at, visited_at, turn_no, approved_from, answers_from, how_many)
   cross join lateral (
     -- by their keys: for a join the planner may read those of all accounts
     select c.environment, c.max_in_doubt, c.send_within, c.call_timeout, c.answer_grace
       from orderlatch_data.accounts as c
      where c.account_id = g.account_id
     offset 0
   ) as a
   cross join lateral (
     select t.reconcile_after from orderlatch_data.account_states as t where t.account_id = g.account_id
     offset 0
   ) as s
   where g.how_many > 0;
end
$$;
revoke all on function orderlatch_data.submit_rooms(orderlatch_data.account_agenda[], integer[]) from public;
comment on function orderlatch_data.submit_rooms(orderlatch_data.account_agenda[], integer[]) is
  'Of accounts that want any. some_halted: a halt of any scope stands over a part of the account. in_doubt: '
  'decisions that may be in doubt, under_way: whose submits are. may_wait: false where waits_for_reads is.';

-- Until when an account may submit real orders.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.granted_live_until(p_account_id integer, p_now timestamptz)
returns timestamptz
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    select max(g.granted_until)
      from orderlatch_data.live_grants as g
     where g.account_id = p_account_id and g.granted_until >= p_now + interval '1 millisecond'
  );
end
$$;
revoke all on function orderlatch_data.granted_live_until(integer, timestamptz) from public;
comment on function orderlatch_data.granted_live_until(integer, timestamptz) is
  'End of the longest live grant that lasts a millisecond more at least; null without one.';

-- How many doubts of an account may have come to an order that nobody knows of.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.unknown_doubts(p_account_id integer)
returns integer
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    select count(*)::integer
      from orderlatch_data.doubts as d
     cross join lateral (
       select 1 from orderlatch_data.open_decisions as k
        where k.decision_id = d.decision_id and k.status = 'in_doubt'
       offset 0
     ) as o
      join orderlatch_data.account_states as s on s.account_id = d.account_id
     where d.account_id = p_account_id
       and (s.last_read_at is null or d.in_doubt_at >= s.last_read_at)
  );
end
$$;
revoke all on function orderlatch_data.unknown_doubts(integer) from public;
comment on function orderlatch_data.unknown_doubts(integer) is
  'A doubt older than a good read does not count. A submit on its way may come back in doubt, so it counts '
  'too, but elsewhere.';
