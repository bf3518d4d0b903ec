-- Journals the birth of decisions. A settled decision may be opened again only as what it settled to.
-- Locks: following (try). Raises: OL903 books_disagree; 23503 when the move is not in legal_moves.
create or replace function orderlatch_data.journal_births()
returns trigger
language plpgsql
volatile
parallel unsafe
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_now constant timestamptz := orderlatch_data.clock();
  v_reopened bigint[];
  v_is_changed boolean;
begin
  select array_agg(b.decision_id), bool_or(b.status <> o.status) into v_reopened, v_is_changed
    from born as b -- by its key: for a join the planner may read all that has ever settled
   cross join lateral (
     select s.status from orderlatch_data.decision_outcomes as s where s.decision_id = b.decision_id offset 0
   ) as o;
  if v_is_changed then
    raise exception using
      errcode = 'OL903',
      message = 'books_disagree: a settled decision can be opened again only in the status it settled to';
  end if;
  if v_reopened is not null then
    perform orderlatch_data.retake_signals(v_reopened);
  end if;
  -- what was judged as it was recorded comes in as approved, with its verdict: its birth, and that move
  insert into orderlatch_data.decision_events
    (decision_id, from_status, to_status, moved_at, moved_by, reason, request_id, evidence, event_hash)
  select b.decision_id, m.from_status, m.to_status, v_now, session_user, m.reason, m.request_id,
         m.evidence, m.event_hash
    from born as b
   cross join lateral (
     select k as row,
            case when b.status = 'approved'
              then orderlatch_data.newest_verdict_digest(k.decision_id, b.status) end
       from orderlatch_data.trade_decisions as k where k.decision_id = b.decision_id offset 0
   ) as d(row, verdict)
   cross join lateral (
     select w.*, orderlatch_data.event_hash(
              (d.row).decision_hash, 'none', w.to_status, v_now, session_user, w.reason, w.request_id,
              w.evidence, orderlatch_data.terms_digest(d.row), null, null
            ) as event_hash
       from (
         select b.status, b.move_reason, b.move_request_id, b.move_evidence where d.verdict is null
         union all
         select 'planned', 'proposed by ' || (d.row).strategy_id, null, null where d.verdict is not null
       ) as w(to_status, reason, request_id, evidence)
     offset 0
   ) as f
   cross join lateral (
     select 1 as step, 'none' as from_status, f.*
     union all
     select 2, 'planned', b.status, b.move_reason, b.move_request_id, b.move_evidence,
            orderlatch_data.event_hash(
              f.event_hash, 'planned', b.status, v_now, session_user, b.move_reason, b.move_request_id,
              b.move_evidence, null, d.verdict, null
            ) where d.verdict is not null
   ) as m
   where b.decision_id <> all (coalesce(v_reopened, '{}'))
   order by m.step, b.decision_id;
  -- those who follow events are woken once the transaction commits
  if orderlatch_data.somebody_follows() then
    perform pg_notify('orderlatch_events', a.account)
       from orderlatch_data.accounts as a
      where a.account_id = any (array(select b.account_id from born as b));
  end if;
  return null;
end
$$;
revoke all on function orderlatch_data.journal_births() from public;
comment on function orderlatch_data.journal_births() is
  'Trigger after inserts into open_decisions: writes the event none to planned, and of what comes in as '
  'approved, where the newest verdict says so, the event planned to approved too. Any other first status '
  'has no edge in legal_moves (23503).';

drop trigger if exists journal_births on orderlatch_data.open_decisions;
create trigger journal_births after insert on orderlatch_data.open_decisions
  referencing new table as born
  for each statement execute function orderlatch_data.journal_births();
comment on trigger journal_births on orderlatch_data.open_decisions is
  'Writes the first event of each decision.';
