-- Makes accounts due for a visit, without waiting for anybody.
-- Locks: accounts (agenda, try). Raises: none.
create or replace function orderlatch_data.wake_accounts(
  p_account_ids integer[],
  p_tidy_at timestamptz[] default null,
  p_if_waiting boolean default false
)
returns integer[]
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_now constant timestamptz := orderlatch_data.clock();
  v_account_id integer;
  v_tidy_at timestamptz;
  v_row record;
  v_missed integer[];
begin
  -- a loop: mostly it is one account, and its row is due already
  for v_place in 1 .. coalesce(cardinality(p_account_ids), 0) loop
    v_account_id := p_account_ids[v_place];
    v_tidy_at := coalesce(p_tidy_at[v_place], v_now);
    -- held until the commit: a visit meanwhile cannot say that it has done all there was; not for more than
    -- 100, as the server has room for some thousand locks in all
    if v_place <= 100
      -- a snapshot older than the row could not change it
      and current_setting('transaction_isolation') not in ('repeatable read', 'serializable')
      and pg_try_advisory_xact_lock(orderlatch_data.lock_class('agenda'), v_account_id)
    then
      -- a statement after that, so the row is read when it is held; backwards, as in agenda_of
      select g.account_id, g.due_at, g.tidy_at, g.ctid as version into v_row
        from orderlatch_data.account_agenda as g
       where g.account_id <= v_account_id
       order by g.account_id desc
       limit 1;
      continue when v_row.account_id is distinct from v_account_id
        or (v_row.due_at <= v_now and v_row.tidy_at <= v_tidy_at)
        -- asked while the row is held: what is approved after this leaves a row in account_wakes
        or (p_if_waiting and not orderlatch_data.waits_for_room(v_account_id));
      update orderlatch_data.account_agenda as g
         set due_at = least(g.due_at, v_now), tidy_at = least(g.tidy_at, v_tidy_at)
       where g.ctid = v_row.version;
      -- unless somebody has changed it by hand
      continue when found;
    end if;
    v_missed := v_missed || v_account_id;
  end loop;
  if v_missed is not null then
    insert into orderlatch_data.account_wakes (account_id)
    select distinct m.account_id from unnest(v_missed) as m(account_id) where m.account_id is not null;
  end if;
  return coalesce(v_missed, '{}');
end
$$;
revoke all on function orderlatch_data.wake_accounts(integer[], timestamptz[], boolean) from public;
comment on function orderlatch_data.wake_accounts(integer[], timestamptz[], boolean) is
  'From the commit of this transaction on the accounts are due: by their row of account_agenda, or, where a '
  'visit or another waker is changing that at this moment, by a row of account_wakes. p_tidy_at: when '
  'something of each is to be lost, lapse or be withdrawn; null: perhaps now. p_if_waiting: those whose row '
  'nobody else changes only where something waits_for_room. Returns those that got a row of account_wakes.';
