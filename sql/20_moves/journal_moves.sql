-- Journals every change of status, has the foreign key judge it, and settles what has reached its end.
-- Locks: following (try). Raises: 23503 when the move is not in legal_moves.
create or replace function orderlatch_data.journal_moves()
returns trigger
language plpgsql
volatile
parallel unsafe
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_now constant timestamptz := orderlatch_data.clock();
  v_event record;
  v_settled bigint[];
  v_ends bigint[];
  v_statuses text[];
begin
  for v_event in
    insert into orderlatch_data.decision_events as e
      (decision_id, from_status, to_status, moved_at, moved_by, reason, request_id, evidence, event_hash)
    select n.decision_id, o.status, n.status, v_now, session_user, n.move_reason, n.move_request_id,
           n.move_evidence,
           orderlatch_data.event_hash(
             coalesce((
               select e.event_hash
                 from (
                   select v.event_hash, v.event_id
                     from orderlatch_data.decision_events as v where v.decision_id = n.decision_id offset 0
                 ) as e
                order by e.event_id desc limit 1
             ), ''),
             o.status, n.status, v_now, session_user, n.move_reason, n.move_request_id, n.move_evidence, null,
             -- functions, as a move has one of the two or none: what is joined is set up for every move
             case
               when o.status in ('planned', 'approved') and n.status in ('approved', 'rejected')
                 then orderlatch_data.newest_verdict_digest(n.decision_id)
             end,
             case when n.move_request_id is not null
               then orderlatch_data.digest_of_call(n.move_request_id)
             end
           )
      from after_move as n
      join before_move as o on o.decision_id = n.decision_id and o.status <> n.status
    returning e.decision_id, e.event_id, e.to_status
  loop
    if orderlatch_data.is_final(v_event.to_status) then
      v_settled := v_settled || v_event.decision_id;
      v_ends := v_ends || v_event.event_id;
      v_statuses := v_statuses || v_event.to_status;
    end if;
  end loop;
  if not found then
    return null;
  end if;
  -- as at a birth
  if orderlatch_data.somebody_follows() then
    perform pg_notify('orderlatch_events', a.account)
       from orderlatch_data.accounts as a
      where a.account_id = any (array(select n.account_id from after_move as n));
  end if;
  if v_settled is not null then
    v_settled := orderlatch_data.settle_decisions(v_settled, v_ends, v_statuses, v_now);
  end if;
  return null;
end
$$;
revoke all on function orderlatch_data.journal_moves() from public;
comment on function orderlatch_data.journal_moves() is
  'Trigger after updates of open_decisions: one event for each change of status, judged by its foreign key '
  'to legal_moves (23503). A final status also gets its outcome, and the open row goes.';

drop trigger if exists journal_moves on orderlatch_data.open_decisions;
create trigger journal_moves after update on orderlatch_data.open_decisions
  referencing old table as before_move new table as after_move
  for each statement execute function orderlatch_data.journal_moves();
comment on trigger journal_moves on orderlatch_data.open_decisions is
  'Writes an event for each move and settles final ones.';

-- Refuses to remove the open row of a decision that has not settled.
-- Locks: none. Raises: OL902 open_row_not_final.
create or replace function orderlatch_data.refuse_early_end()
returns trigger
language plpgsql
volatile
parallel unsafe
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform 1
     from ended as e
    where e.status is distinct from (
      select o.status from orderlatch_data.decision_outcomes as o where o.decision_id = e.decision_id
    );
  if found then
    raise exception using
      errcode = 'OL902',
      message = 'open_row_not_final: an open decision can be deleted only in a final status',
      hint = 'Update its status; the journal then removes the row.';
  end if;
  return null;
end
$$;
revoke all on function orderlatch_data.refuse_early_end() from public;
comment on function orderlatch_data.refuse_early_end() is
  'Trigger after deletes from open_decisions: OL902 open_row_not_final unless each row has an outcome of '
  'the same status.';

drop trigger if exists refuse_early_end on orderlatch_data.open_decisions;
create trigger refuse_early_end after delete on orderlatch_data.open_decisions
  referencing old table as ended
  for each statement execute function orderlatch_data.refuse_early_end();
comment on trigger refuse_early_end on orderlatch_data.open_decisions is
  'No decision leaves without its outcome.';

drop trigger if exists never_reassigned on orderlatch_data.open_decisions;
create trigger never_reassigned
  before update of decision_id, account_id, symbol, strategy_id on orderlatch_data.open_decisions
  for each statement execute function orderlatch_data.refuse_change();
comment on trigger never_reassigned on orderlatch_data.open_decisions is
  'Refuses to hand a row to another decision: the journal would not know whose move it is.';

drop trigger if exists never_truncated on orderlatch_data.open_decisions;
create trigger never_truncated before truncate on orderlatch_data.open_decisions
  for each statement execute function orderlatch_data.refuse_change();
comment on trigger never_truncated on orderlatch_data.open_decisions is 'Refuses truncate.';
