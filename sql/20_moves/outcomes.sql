-- Holds every outcome to the newest event of its decision, so that none changes without a move.
-- Locks: none. Raises: OL903 books_disagree.
create or replace function orderlatch_data.check_outcomes()
returns trigger
language plpgsql
volatile
parallel unsafe
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform 1
     from kept as k
    where (
      select bool_and(e.event_id <= k.event_id)
             and bool_or(e.event_id = k.event_id and e.to_status = k.status)
        from orderlatch_data.decision_events as e
       where e.decision_id = k.decision_id
    ) is not true;
  if found then
    raise exception using
      errcode = 'OL903',
      message = 'books_disagree: the outcome of a decision is what its newest event says',
      hint = 'Move the decision in open_decisions; the journal then writes its outcome.';
  end if;
  return null;
end
$$;
revoke all on function orderlatch_data.check_outcomes() from public;
comment on function orderlatch_data.check_outcomes() is
  'Trigger after inserts into and updates of decision_outcomes: OL903 books_disagree unless each names the '
  'newest event of its decision and the status that this event led to.';

-- Transition tables take a trigger for each event.
drop trigger if exists newest_event on orderlatch_data.decision_outcomes;
create trigger newest_event after insert on orderlatch_data.decision_outcomes
  referencing new table as kept
  for each statement execute function orderlatch_data.check_outcomes();
comment on trigger newest_event on orderlatch_data.decision_outcomes is
  'An outcome is what its newest event says.';

drop trigger if exists still_newest_event on orderlatch_data.decision_outcomes;
create trigger still_newest_event after update on orderlatch_data.decision_outcomes
  referencing new table as kept
  for each statement execute function orderlatch_data.check_outcomes();
comment on trigger still_newest_event on orderlatch_data.decision_outcomes is
  'An outcome changes only with a newer event.';

drop trigger if exists never_removed on orderlatch_data.decision_outcomes;
create trigger never_removed before delete or truncate on orderlatch_data.decision_outcomes
  for each statement execute function orderlatch_data.refuse_change();
comment on trigger never_removed on orderlatch_data.decision_outcomes is 'Refuses delete and truncate.';
