-- What is in doubt, the oldest first.
create or replace view orderlatch.terse_in_doubt as
  select orderlatch_data.terse_text(d.account, 10) as account,
         orderlatch_data.terse_text(d.symbol, 8) as symbol, d.action,
         orderlatch_data.terse_age(orderlatch_data.clock() - d.age) as age, d.lookups as looks,
         orderlatch_data.terse_text(d.proof, 38) as proof, left(d.decision_hash, 12) as decision
    from orderlatch.in_doubt as d;
revoke all on orderlatch.terse_in_doubt from public;
grant select on orderlatch.terse_in_doubt to orderlatch_operator, orderlatch_auditor;
comment on view orderlatch.terse_in_doubt is
  'in_doubt in 100 columns.';

-- Calls on their way, the oldest first.
create or replace view orderlatch.terse_in_flight as
  select orderlatch_data.terse_text(f.account, 12) as account, f.kind,
         orderlatch_data.terse_text(f.symbol, 8) as symbol,
         orderlatch_data.terse_text(f.worker_name, 20) as worker,
         orderlatch_data.terse_age(f.claimed_at) as age,
         orderlatch_data.terse_time(f.answer_by) as answer_by, left(f.decision_hash, 12) as decision
    from orderlatch.in_flight as f;
revoke all on orderlatch.terse_in_flight from public;
grant select on orderlatch.terse_in_flight to orderlatch_operator, orderlatch_auditor;
comment on view orderlatch.terse_in_flight is
  'in_flight in 100 columns.';

-- Decisions that wait, in the order in which they are sent.
create or replace view orderlatch.terse_waiting as
  select orderlatch_data.terse_text(w.account, 10) as account,
         orderlatch_data.terse_text(w.symbol, 8) as symbol,
         orderlatch_data.terse_text(w.strategy_id, 12) as strategy, w.status,
         orderlatch_data.terse_text(w.waits_for, 30) as waits_for,
         orderlatch_data.terse_time(w.lapse_at) as lapses, left(w.decision_hash, 12) as decision
    from orderlatch.waiting as w;
revoke all on orderlatch.terse_waiting from public;
grant select on orderlatch.terse_waiting to orderlatch_operator, orderlatch_auditor;
comment on view orderlatch.terse_waiting is
  'waiting in 100 columns.';

-- What stands still and should not.
create or replace view orderlatch.terse_stuck as
  select s.what, orderlatch_data.terse_text(s.detail, 82) as detail from orderlatch.stuck as s;
revoke all on orderlatch.terse_stuck from public;
grant select on orderlatch.terse_stuck to orderlatch_operator, orderlatch_auditor;
comment on view orderlatch.terse_stuck is
  'stuck in 100 columns.';

-- Halts that stand.
create or replace view orderlatch.terse_halts as
  select h.halt_id as id,
         orderlatch_data.terse_text(h.account, 15) as account,
         orderlatch_data.terse_text(h.strategy_id, 10) as strategy,
         orderlatch_data.terse_text(h.symbol, 8) as symbol,
         orderlatch_data.terse_text(h.reason, 28) as reason,
         orderlatch_data.terse_age(h.halted_at) as since,
         orderlatch_data.terse_text(h.halted_by, 10) as by_whom
    from orderlatch.standing_halts as h;
revoke all on orderlatch.terse_halts from public;
grant select on orderlatch.terse_halts to orderlatch_operator, orderlatch_auditor;
comment on view orderlatch.terse_halts is
  'standing_halts in 100 columns.';

-- Incidents that nobody has closed.
create or replace view orderlatch.terse_incidents as
  select i.incident_id as id, orderlatch_data.terse_text(i.account, 12) as account, i.incident,
         orderlatch_data.terse_text(i.subject, 20) as subject,
         orderlatch_data.terse_age(i.opened_at) as open_for, left(i.decision_hash, 12) as decision
    from orderlatch.open_incidents as i;
revoke all on orderlatch.terse_incidents from public;
grant select on orderlatch.terse_incidents to orderlatch_operator, orderlatch_auditor;
comment on view orderlatch.terse_incidents is
  'open_incidents in 100 columns.';

-- What each account may still call in this minute.
create or replace view orderlatch.terse_budgets as
  select orderlatch_data.terse_text(b.account, 14) as account, b.rate_limit as a_minute,
         b.spent_last_minute as spent, b.may_call_now as may_call, b.may_submit_now as may_submit,
         orderlatch_data.terse_time(b.next_submit_at) as next,
         orderlatch_data.terse_time(b.paused_until) as paused, b.broker_remaining as broker
    from orderlatch.budgets as b;
revoke all on orderlatch.terse_budgets from public;
grant select on orderlatch.terse_budgets to orderlatch_operator, orderlatch_auditor;
comment on view orderlatch.terse_budgets is
  'budgets in 100 columns.';
