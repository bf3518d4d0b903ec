-- Writes how decisions ended, and removes what only open ones have.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.settle_decisions(
  p_decision_ids bigint[],
  p_event_ids bigint[]
)
returns void
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  insert into orderlatch_data.decision_outcomes as s (decision_id, status, event_id, clean, settled_at)
  select e.decision_id, e.to_status, e.event_id, o.clean, e.moved_at
    from unnest(p_decision_ids, p_event_ids) as i(decision_id, event_id)
   -- by their keys: a join may read all rows that there are, dead ones too
   cross join lateral (
     select k.clean from orderlatch_data.open_decisions as k where k.decision_id = i.decision_id
     offset 0
   ) as o
   cross join lateral (
     select k.decision_id, k.to_status, k.event_id, k.moved_at
       from orderlatch_data.decision_events as k
      where k.event_id = i.event_id
     offset 0
   ) as e
  on conflict on constraint decision_outcomes_pkey do update
    set status = excluded.status, event_id = excluded.event_id, settled_at = excluded.settled_at;
  perform orderlatch_data.free_signals(p_decision_ids);
  delete from orderlatch_data.doubts as d where d.decision_id = any (p_decision_ids);
  delete from orderlatch_data.open_decisions as o where o.decision_id = any (p_decision_ids);
end
$$;
revoke all on function orderlatch_data.settle_decisions(bigint[], bigint[]) from public;
comment on function orderlatch_data.settle_decisions(bigint[], bigint[]) is
  'p_event_ids: the event of the last move of each. The signal of each is free again where no order can '
  'appear any more; doubts and open rows go.';
