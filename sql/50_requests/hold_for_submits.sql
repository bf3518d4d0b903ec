-- Holds for a visit the accounts of a queue that are sure of slots, and that nobody else holds.
-- Locks: granting, agenda, gate (shared): all try. Raises: none.
create or replace function orderlatch_data.hold_for_submits(
  p_queue integer[],
  p_shares integer[],
  p_how_many integer,
  p_at_most integer,
  p_alone integer[],
  out account_ids integer[],
  out sure_of integer[]
)
returns record
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_begun record;
  v_held integer[] := '{}'::integer[];
begin
  v_begun := orderlatch_data.begin_visits(p_queue, p_shares, p_how_many, p_at_most);
  -- until the commit: whoever wakes an account meanwhile leaves a row in account_wakes instead
  for v_place in 1 .. cardinality(v_begun.account_ids) loop
    if v_begun.account_ids[v_place] <> all (p_alone)
      and orderlatch_data.try_lock_account('agenda', v_begun.account_ids[v_place])
    then
      v_held := v_held || v_place;
    end if;
  end loop;
  account_ids := '{}';
  sure_of := '{}';
  for v_place in 1 .. cardinality(v_held) loop
    continue when not orderlatch_data.try_enter_gate(v_begun.account_ids[v_held[v_place]]);
    account_ids := account_ids || v_begun.account_ids[v_held[v_place]];
    sure_of := sure_of || v_begun.sure_of[v_held[v_place]];
  end loop;
end
$$;
revoke all on function orderlatch_data.hold_for_submits(integer[], integer[], integer, integer, integer[])
  from public;
comment on function orderlatch_data.hold_for_submits(integer[], integer[], integer, integer, integer[]) is
  'begin_visits, but for accounts of p_alone, those whose agenda another session is writing, and those that '
  'a halt is being set for.';
