-- Writes how decisions ended, and removes what only open ones have.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.settle_decisions(
  p_decision_ids bigint[],
  p_event_ids bigint[],
  p_statuses text[],
  p_settled_at timestamptz
)
returns bigint[]
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_new integer;
begin
  insert into orderlatch_data.decision_outcomes (decision_id, status, event_id, clean, settled_at)
  select i.decision_id, i.status, i.event_id,
         (select o.clean from orderlatch_data.open_decisions as o where o.decision_id = i.decision_id),
         p_settled_at
    from unnest(p_decision_ids, p_event_ids, p_statuses) as i(decision_id, event_id, status)
  on conflict on constraint decision_outcomes_pkey do nothing;
  get diagnostics v_new = row_count;
  -- some had settled before, and were opened again
  if v_new < cardinality(p_decision_ids) then
    update orderlatch_data.decision_outcomes as s
       set status = i.status, event_id = i.event_id, settled_at = p_settled_at
      from unnest(p_decision_ids, p_event_ids, p_statuses) as i(decision_id, event_id, status)
     where s.decision_id = i.decision_id and s.event_id <> i.event_id;
  end if;
  -- what has its order keeps its signal
  if 'submitted' <> any (p_statuses) then
    perform orderlatch_data.free_signals(p_decision_ids);
  end if;
  with undoubted as (
    delete from orderlatch_data.doubts as d where d.decision_id = any (p_decision_ids)
  )
  delete from orderlatch_data.open_decisions as o where o.decision_id = any (p_decision_ids);
  return p_decision_ids;
end
$$;
revoke all on function orderlatch_data.settle_decisions(bigint[], bigint[], text[], timestamptz) from public;
comment on function orderlatch_data.settle_decisions(bigint[], bigint[], text[], timestamptz) is
  'p_event_ids and p_statuses: of the last move of each, which was made at p_settled_at. The signal of each '
  'is free again where no order can appear any more; doubts and open rows go. Returns p_decision_ids.';
