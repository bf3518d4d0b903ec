-- What operators decide is recorded as acts: a trigger for each table and deed, as transition tables ask for.

drop trigger if exists acts_of_insert on orderlatch_data.halts;
create trigger acts_of_insert after insert on orderlatch_data.halts
  referencing new table as touched
  for each statement execute function orderlatch_data.record_acts();
comment on trigger acts_of_insert on orderlatch_data.halts is 'Writes an act for each halt.';

drop trigger if exists acts_of_update on orderlatch_data.halts;
create trigger acts_of_update after update on orderlatch_data.halts
  referencing new table as touched
  for each statement execute function orderlatch_data.record_acts();
comment on trigger acts_of_update on orderlatch_data.halts is 'Writes an act for each lift.';

drop trigger if exists acts_of_insert on orderlatch_data.live_grants;
create trigger acts_of_insert after insert on orderlatch_data.live_grants
  referencing new table as touched
  for each statement execute function orderlatch_data.record_acts();
comment on trigger acts_of_insert on orderlatch_data.live_grants is 'Writes an act for each grant.';

drop trigger if exists acts_of_update on orderlatch_data.live_grants;
create trigger acts_of_update after update on orderlatch_data.live_grants
  referencing new table as touched
  for each statement execute function orderlatch_data.record_acts();
comment on trigger acts_of_update on orderlatch_data.live_grants is 'Writes an act for each revocation.';

drop trigger if exists acts_of_insert on orderlatch_data.accounts;
create trigger acts_of_insert after insert on orderlatch_data.accounts
  referencing new table as touched
  for each statement execute function orderlatch_data.record_acts();
comment on trigger acts_of_insert on orderlatch_data.accounts is 'Writes an act for each new account.';

drop trigger if exists acts_of_update on orderlatch_data.accounts;
create trigger acts_of_update after update on orderlatch_data.accounts
  referencing new table as touched
  for each statement execute function orderlatch_data.record_acts();
comment on trigger acts_of_update on orderlatch_data.accounts is 'Writes an act for each changed setting.';

drop trigger if exists acts_of_insert on orderlatch_data.login_bindings;
create trigger acts_of_insert after insert on orderlatch_data.login_bindings
  referencing new table as touched
  for each statement execute function orderlatch_data.record_acts();
comment on trigger acts_of_insert on orderlatch_data.login_bindings is 'Writes an act for each binding.';

drop trigger if exists acts_of_delete on orderlatch_data.login_bindings;
create trigger acts_of_delete after delete on orderlatch_data.login_bindings
  referencing old table as touched
  for each statement execute function orderlatch_data.record_acts();
comment on trigger acts_of_delete on orderlatch_data.login_bindings is
  'Writes an act for each binding that ends.';

drop trigger if exists acts_of_insert on orderlatch_data.risk_limit_changes;
create trigger acts_of_insert after insert on orderlatch_data.risk_limit_changes
  referencing new table as touched
  for each statement execute function orderlatch_data.record_acts();
comment on trigger acts_of_insert on orderlatch_data.risk_limit_changes is
  'Writes an act for each version of a limit.';

drop trigger if exists acts_of_insert on orderlatch_data.sign_offs;
create trigger acts_of_insert after insert on orderlatch_data.sign_offs
  referencing new table as touched
  for each statement execute function orderlatch_data.record_acts();
comment on trigger acts_of_insert on orderlatch_data.sign_offs is 'Writes an act for each sign-off.';

drop trigger if exists acts_of_insert on orderlatch_data.position_adjustments;
create trigger acts_of_insert after insert on orderlatch_data.position_adjustments
  referencing new table as touched
  for each statement execute function orderlatch_data.record_acts();
comment on trigger acts_of_insert on orderlatch_data.position_adjustments is
  'Writes an act for each adjustment.';

drop trigger if exists acts_of_update on orderlatch_data.incidents;
create trigger acts_of_update after update on orderlatch_data.incidents
  referencing new table as touched
  for each statement execute function orderlatch_data.record_acts();
comment on trigger acts_of_update on orderlatch_data.incidents is
  'Writes an act for each incident that is closed.';

drop trigger if exists acts_of_insert on orderlatch_data.archivings;
create trigger acts_of_insert after insert on orderlatch_data.archivings
  referencing new table as touched
  for each statement execute function orderlatch_data.record_acts();
comment on trigger acts_of_insert on orderlatch_data.archivings is 'Writes an act for each order to archive.';
