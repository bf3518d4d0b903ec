-- Makes the accounts due whose rows were inserted or updated.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.wake_owners()
returns trigger
language plpgsql
volatile
parallel unsafe
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_account_ids integer[];
begin
  select array_agg(distinct c.account_id) into v_account_ids from changed as c;
  if v_account_ids is not null then
    v_account_ids := orderlatch_data.wake_accounts(
      v_account_ids,
      case
        when tg_argv[0] = 'calls' then array_fill('infinity'::timestamptz, array[cardinality(v_account_ids)])
      end
    );
  end if;
  return null;
end
$$;
revoke all on function orderlatch_data.wake_owners() from public;
comment on function orderlatch_data.wake_owners() is
  'Trigger of tables whose rows are work for claims. Its argument calls: of tables whose rows are calls to '
  'make, and change nothing of what is to be lost, lapse or be withdrawn.';

-- Makes the accounts due whose decisions changed so that a claim may have something to do.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.wake_deciders()
returns trigger
language plpgsql
volatile
parallel unsafe
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_each record;
  v_account_ids integer[];
  v_tidy_at timestamptz[];
  v_settled_ids integer[];
  v_nothing timestamptz[];
begin
  for v_each in
    select c.account_id, bool_or(not orderlatch_data.is_final(c.status)) as is_open,
           min(
             case
               when c.status not in ('planned', 'approved') or c.lookup_first then 'infinity'
               when c.wish is not null then '-infinity'
               else c.lapse_at
             end
           ) as tidy_at
      from changed as c
     where c.status <> 'submitting' -- the move that only claims make
     group by c.account_id
  loop
    if v_each.is_open then
      v_account_ids := v_account_ids || v_each.account_id;
      v_tidy_at := v_tidy_at || v_each.tidy_at;
    else
      v_settled_ids := v_settled_ids || v_each.account_id;
      v_nothing := v_nothing || v_each.tidy_at;
    end if;
  end loop;
  if v_account_ids is not null then
    v_account_ids := orderlatch_data.wake_accounts(v_account_ids, v_tidy_at);
  end if;
  if v_settled_ids is not null then
    v_settled_ids := orderlatch_data.wake_accounts(v_settled_ids, v_nothing, p_if_waiting => true);
  end if;
  return null;
end
$$;
revoke all on function orderlatch_data.wake_deciders() from public;
comment on function orderlatch_data.wake_deciders() is
  'Trigger of open_decisions: what is approved may be sent, and what has settled makes room for what waits. '
  'Where nothing waits, a visit would find nothing.';

drop trigger if exists wakes_on_insert on orderlatch_data.open_decisions;
create trigger wakes_on_insert after insert on orderlatch_data.open_decisions
  referencing new table as changed
  for each statement execute function orderlatch_data.wake_deciders();
comment on trigger wakes_on_insert on orderlatch_data.open_decisions is
  'Makes the account due: something to send, or room for the next of a symbol.';

drop trigger if exists wakes_on_update on orderlatch_data.open_decisions;
create trigger wakes_on_update after update on orderlatch_data.open_decisions
  referencing new table as changed
  for each statement execute function orderlatch_data.wake_deciders();
comment on trigger wakes_on_update on orderlatch_data.open_decisions is
  'Makes the account due: something to send, or room for the next of a symbol.';

drop trigger if exists wakes_on_insert on orderlatch_data.doubts;
create trigger wakes_on_insert after insert on orderlatch_data.doubts
  referencing new table as changed
  for each statement execute function orderlatch_data.wake_owners('calls');
comment on trigger wakes_on_insert on orderlatch_data.doubts is
  'Makes the account due: something to look up.';

drop trigger if exists wakes_on_update on orderlatch_data.doubts;
create trigger wakes_on_update after update on orderlatch_data.doubts
  referencing new table as changed
  for each statement execute function orderlatch_data.wake_owners('calls');
comment on trigger wakes_on_update on orderlatch_data.doubts is
  'Makes the account due: something to look up.';

drop trigger if exists wakes_on_insert on orderlatch_data.broker_reads;
create trigger wakes_on_insert after insert on orderlatch_data.broker_reads
  referencing new table as changed
  for each statement execute function orderlatch_data.wake_owners();
comment on trigger wakes_on_insert on orderlatch_data.broker_reads is
  'Makes the account due: something to read.';

drop trigger if exists wakes_on_update on orderlatch_data.broker_reads;
create trigger wakes_on_update after update on orderlatch_data.broker_reads
  referencing new table as changed
  for each statement execute function orderlatch_data.wake_owners();
comment on trigger wakes_on_update on orderlatch_data.broker_reads is
  'Makes the account due: something to read.';

drop trigger if exists wakes_on_insert on orderlatch_data.read_wishes;
create trigger wakes_on_insert after insert on orderlatch_data.read_wishes
  referencing new table as changed
  for each statement execute function orderlatch_data.wake_owners('calls');
comment on trigger wakes_on_insert on orderlatch_data.read_wishes is
  'Makes the account due: something to read.';

drop trigger if exists wakes_on_insert on orderlatch_data.order_checks;
create trigger wakes_on_insert after insert on orderlatch_data.order_checks
  referencing new table as changed
  for each statement execute function orderlatch_data.wake_owners('calls');
comment on trigger wakes_on_insert on orderlatch_data.order_checks is
  'Makes the account due: an order to read.';

drop trigger if exists wakes_on_update on orderlatch_data.order_checks;
create trigger wakes_on_update after update on orderlatch_data.order_checks
  referencing new table as changed
  for each statement execute function orderlatch_data.wake_owners('calls');
comment on trigger wakes_on_update on orderlatch_data.order_checks is
  'Makes the account due: an order to read.';

drop trigger if exists wakes_on_insert on orderlatch_data.order_cancels;
create trigger wakes_on_insert after insert on orderlatch_data.order_cancels
  referencing new table as changed
  for each statement execute function orderlatch_data.wake_owners('calls');
comment on trigger wakes_on_insert on orderlatch_data.order_cancels is
  'Makes the account due: an order to cancel, or what replaced one.';

drop trigger if exists wakes_on_update on orderlatch_data.order_cancels;
create trigger wakes_on_update after update on orderlatch_data.order_cancels
  referencing new table as changed
  for each statement execute function orderlatch_data.wake_owners('calls');
comment on trigger wakes_on_update on orderlatch_data.order_cancels is
  'Makes the account due: an order to cancel, or what replaced one.';

drop trigger if exists wakes_on_insert on orderlatch_data.live_grants;
create trigger wakes_on_insert after insert on orderlatch_data.live_grants
  referencing new table as changed
  for each statement execute function orderlatch_data.wake_owners('calls');
comment on trigger wakes_on_insert on orderlatch_data.live_grants is
  'Makes the account due: it may submit.';

drop trigger if exists wakes_on_insert on orderlatch_data.sign_offs;
create trigger wakes_on_insert after insert on orderlatch_data.sign_offs
  referencing new table as changed
  for each statement execute function orderlatch_data.wake_owners();
comment on trigger wakes_on_insert on orderlatch_data.sign_offs is
  'Makes the account due: it may submit.';

drop trigger if exists wakes_on_update on orderlatch_data.account_states;
create trigger wakes_on_update after update on orderlatch_data.account_states
  referencing new table as changed
  for each statement execute function orderlatch_data.wake_owners();
comment on trigger wakes_on_update on orderlatch_data.account_states is
  'Makes the account due: a pause, or the wait for a read, may be over.';

drop trigger if exists wakes_on_update on orderlatch_data.accounts;
create trigger wakes_on_update after update on orderlatch_data.accounts
  referencing new table as changed
  for each statement execute function orderlatch_data.wake_owners();
comment on trigger wakes_on_update on orderlatch_data.accounts is
  'Makes the account due: its rules have changed.';
