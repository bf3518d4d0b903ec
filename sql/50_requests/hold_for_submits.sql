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
  v_left integer := p_how_many;
  v_may integer;
  v_begun integer[] := '{}'::integer[];
  v_shares integer[] := '{}'::integer[];
  v_held integer[] := '{}'::integer[];
  v_at integer;
begin
  -- a loop, because each account is a lock of its own, and the next one gets what those leave that are held
  for v_place in 1 .. cardinality(p_queue) loop
    exit when v_left = 0 or cardinality(v_begun) = p_at_most;
    v_may := least(p_shares[v_place], v_left);
    continue when v_may <= 0 or not orderlatch_data.try_begin_visit(p_queue[v_place]);
    v_begun := v_begun || p_queue[v_place];
    v_shares := v_shares || v_may;
    v_left := v_left - v_may;
  end loop;
  -- until the commit: whoever wakes an account meanwhile leaves a row in account_wakes instead
  for v_place in 1 .. cardinality(v_begun) loop
    if v_begun[v_place] <> all (p_alone)
      and pg_try_advisory_xact_lock(orderlatch_data.lock_class('agenda'), v_begun[v_place])
    then
      v_held := v_held || v_place;
    end if;
  end loop;
  account_ids := '{}';
  sure_of := '{}';
  foreach v_at in array v_held loop
    continue when not orderlatch_data.try_enter_gate(v_begun[v_at]);
    account_ids := account_ids || v_begun[v_at];
    sure_of := sure_of || v_shares[v_at];
  end loop;
end
$$;
revoke all on function orderlatch_data.hold_for_submits(integer[], integer[], integer, integer, integer[])
  from public;
comment on function orderlatch_data.hold_for_submits(integer[], integer[], integer, integer, integer[]) is
  'account_ids: of the first p_at_most accounts that no other session holds and whose shares, one after the '
  'other, fit into p_how_many, all but those of p_alone, those whose agenda another session is writing, and '
  'those that a halt is being set for; sure_of: how much of its share fits.';
