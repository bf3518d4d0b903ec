-- Holds for a visit the accounts of a queue that are sure of slots, and that nobody else holds.
-- Locks: granting, agenda, gate (shared): all try. Raises: none.
create or replace function orderlatch_data.hold_for_submits(
  p_worker_id integer,
  p_queue integer[],
  p_shares integer[],
  p_how_many integer,
  p_at_most integer,
  p_now timestamptz
)
returns table (account_id integer, sure_of integer)
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_begun integer[];
  v_sure_of integer[];
  v_held integer[];
begin
  select array_agg(b.account_id), array_agg(b.sure_of) into v_begun, v_sure_of
    from orderlatch_data.begin_visits(p_queue, p_shares, p_how_many, p_at_most) as b;
  v_held := array(
    select v.account_id
      from (
        select g.account_id
          from orderlatch_data.agenda_of(v_begun) as g
         where g.visited_at <= p_now
           and exists (
             select 1
               from orderlatch_data.worker_accounts as c
              where c.worker_id = p_worker_id and c.account_id = g.account_id and c.verified_at is not null
           )
        offset 0
      ) as v
           -- until the commit: whoever wakes an account meanwhile leaves a row in account_wakes instead
     where orderlatch_data.try_lock_account('agenda', v.account_id)
  );
  return query
  select b.account_id, b.sure_of
    from unnest(v_begun, v_sure_of) as b(account_id, sure_of)
   where b.account_id = any (v_held) and orderlatch_data.try_enter_gate(b.account_id);
end
$$;
revoke all on function orderlatch_data.hold_for_submits(
  integer, integer[], integer[], integer, integer, timestamptz
) from public;
comment on function orderlatch_data.hold_for_submits(
  integer, integer[], integer[], integer, integer, timestamptz
) is
  'begin_visits, but for accounts whose agenda another session is writing, that a halt is being set for, for '
  'which the worker is not verified, and whose last visit lies ahead of p_now, as the clock was set back.';
