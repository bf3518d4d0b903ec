-- Refuses a second row of an account in a table that has one of each.
-- Locks: none. Raises: OL903 books_disagree.
create or replace function orderlatch_data.refuse_second_row()
returns trigger
language plpgsql
volatile
parallel unsafe
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_rows constant bigint := case tg_table_name
    when 'account_agenda' then (
      select count(*) from orderlatch_data.account_agenda as t where t.account_id = new.account_id
    )
    when 'account_budgets' then (
      select count(*) from orderlatch_data.account_budgets as t where t.account_id = new.account_id
    )
    else (select count(*) from orderlatch_data.broker_limits as t where t.account_id = new.account_id)
  end;
begin
  if v_rows > 1 then
    raise exception using
      errcode = 'OL903',
      message = format('books_disagree: account %s has a row of %I', new.account_id, tg_table_name),
      hint = 'create_account makes it; functions change it.';
  end if;
  return null;
end
$$;
revoke all on function orderlatch_data.refuse_second_row() from public;
comment on function orderlatch_data.refuse_second_row() is
  'Trigger after inserts: OL903 books_disagree unless it is the only row of its account. A unique index '
  'would look, with every change that leaves its page, at each version that a long transaction keeps. Two '
  'sessions that insert at once do not see each other: only create_account inserts, an account of its own.';

-- Refuses to give a row to another account.
-- Locks: none. Raises: OL903 books_disagree.
create or replace function orderlatch_data.refuse_other_account()
returns trigger
language plpgsql
volatile
parallel unsafe
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  raise exception using
    errcode = 'OL903',
    message = format('books_disagree: a row of %I stays with its account', tg_table_name),
    hint = 'create_account makes one for each account.';
end
$$;
revoke all on function orderlatch_data.refuse_other_account() from public;
comment on function orderlatch_data.refuse_other_account() is
  'Trigger before updates that name account_id: OL903 books_disagree.';

drop trigger if exists one_row on orderlatch_data.account_agenda;
create trigger one_row after insert on orderlatch_data.account_agenda
  for each row execute function orderlatch_data.refuse_second_row();
comment on trigger one_row on orderlatch_data.account_agenda is 'One row for each account.';

drop trigger if exists same_account on orderlatch_data.account_agenda;
create trigger same_account before update of account_id on orderlatch_data.account_agenda
  for each statement execute function orderlatch_data.refuse_other_account();
comment on trigger same_account on orderlatch_data.account_agenda is 'A row stays with its account.';

drop trigger if exists one_row on orderlatch_data.account_budgets;
create trigger one_row after insert on orderlatch_data.account_budgets
  for each row execute function orderlatch_data.refuse_second_row();
comment on trigger one_row on orderlatch_data.account_budgets is 'One row for each account.';

drop trigger if exists same_account on orderlatch_data.account_budgets;
create trigger same_account before update of account_id on orderlatch_data.account_budgets
  for each statement execute function orderlatch_data.refuse_other_account();
comment on trigger same_account on orderlatch_data.account_budgets is 'A row stays with its account.';

drop trigger if exists one_row on orderlatch_data.broker_limits;
create trigger one_row after insert on orderlatch_data.broker_limits
  for each row execute function orderlatch_data.refuse_second_row();
comment on trigger one_row on orderlatch_data.broker_limits is 'One row for each account.';

drop trigger if exists same_account on orderlatch_data.broker_limits;
create trigger same_account before update of account_id on orderlatch_data.broker_limits
  for each statement execute function orderlatch_data.refuse_other_account();
comment on trigger same_account on orderlatch_data.broker_limits is 'A row stays with its account.';
