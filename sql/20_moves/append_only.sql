-- Refuses every change of a table that is written once, for its owner too.
-- Locks: none. Raises: OL901 append_only.
create or replace function orderlatch_data.refuse_change()
returns trigger
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  raise exception using
    errcode = 'OL901',
    message = format('append_only: %s of %s is refused', lower(tg_op), tg_table_name),
    detail = 'Its rows record what was decided and what was said to the broker. They are written once.',
    hint = 'What has to be corrected is recorded beside it.';
end
$$;
revoke all on function orderlatch_data.refuse_change() from public;
comment on function orderlatch_data.refuse_change() is
  'Trigger of tables that are written once: OL901 append_only.';

drop trigger if exists written_once on orderlatch_data.trade_decisions;
create trigger written_once before update or delete or truncate on orderlatch_data.trade_decisions
  for each statement execute function orderlatch_data.refuse_change();
comment on trigger written_once on orderlatch_data.trade_decisions is 'Refuses update, delete and truncate.';

drop trigger if exists written_once on orderlatch_data.decision_events;
create trigger written_once before update or delete or truncate on orderlatch_data.decision_events
  for each statement execute function orderlatch_data.refuse_change();
comment on trigger written_once on orderlatch_data.decision_events is 'Refuses update, delete and truncate.';

drop trigger if exists written_once on orderlatch_data.broker_requests;
create trigger written_once before update or truncate on orderlatch_data.broker_requests
  for each statement execute function orderlatch_data.refuse_change();
comment on trigger written_once on orderlatch_data.broker_requests is 'Refuses update and truncate.';

drop trigger if exists written_once on orderlatch_data.broker_responses;
create trigger written_once before update or truncate on orderlatch_data.broker_responses
  for each statement execute function orderlatch_data.refuse_change();
comment on trigger written_once on orderlatch_data.broker_responses is 'Refuses update and truncate.';

drop trigger if exists written_once on orderlatch_data.lost_requests;
create trigger written_once before update or truncate on orderlatch_data.lost_requests
  for each statement execute function orderlatch_data.refuse_change();
comment on trigger written_once on orderlatch_data.lost_requests is 'Refuses update and truncate.';

drop trigger if exists written_once on orderlatch_data.risk_verdicts;
create trigger written_once before update or delete or truncate on orderlatch_data.risk_verdicts
  for each statement execute function orderlatch_data.refuse_change();
comment on trigger written_once on orderlatch_data.risk_verdicts is 'Refuses update, delete and truncate.';

drop trigger if exists written_once on orderlatch_data.chain_starts;
create trigger written_once before update or delete or truncate on orderlatch_data.chain_starts
  for each statement execute function orderlatch_data.refuse_change();
comment on trigger written_once on orderlatch_data.chain_starts is 'Refuses update, delete and truncate.';

drop trigger if exists written_once on orderlatch_data.operator_acts;
create trigger written_once before update or delete or truncate on orderlatch_data.operator_acts
  for each statement execute function orderlatch_data.refuse_change();
comment on trigger written_once on orderlatch_data.operator_acts is 'Refuses update, delete and truncate.';

drop trigger if exists written_once on orderlatch_data.event_seals;
create trigger written_once before update or delete or truncate on orderlatch_data.event_seals
  for each statement execute function orderlatch_data.refuse_change();
comment on trigger written_once on orderlatch_data.event_seals is 'Refuses update, delete and truncate.';

drop trigger if exists written_once on orderlatch_data.archivings;
create trigger written_once before update or delete or truncate on orderlatch_data.archivings
  for each statement execute function orderlatch_data.refuse_change();
comment on trigger written_once on orderlatch_data.archivings is 'Refuses update, delete and truncate.';

drop trigger if exists written_once on orderlatch_data.archived_calls;
create trigger written_once before update or delete or truncate on orderlatch_data.archived_calls
  for each statement execute function orderlatch_data.refuse_change();
comment on trigger written_once on orderlatch_data.archived_calls is 'Refuses update, delete and truncate.';
