-- Does all that is due for an account: tidies it up, grants its calls, and notes when to come again.
-- Locks: agenda, gate (shared), decisions: all try; the caller holds the account for granting. Raises: none.
create or replace function orderlatch_data.visit_account(
  p_account_id integer,
  p_worker_id integer,
  p_how_many integer,
  p_gate_is_open boolean,
  p_gone integer[]
)
returns orderlatch_data.granted_request[]
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_begun_at constant timestamptz := orderlatch_data.clock();
  v_account orderlatch_data.accounts;
  v_verified boolean;
  -- until the commit: whoever wakes the account meanwhile leaves a row in account_wakes instead
  v_held constant boolean := pg_try_advisory_xact_lock(
    orderlatch_data.lock_class('agenda'), p_account_id
  );
  v_row orderlatch_data.account_agenda;
  v_woken boolean := true;
  v_calls orderlatch_data.granted_request[];
  v_due_at timestamptz;
  v_after record;
begin
  if not v_held then
    -- whoever holds the row may take back what made the account due, and no mark can be written
    insert into orderlatch_data.account_wakes (account_id) values (p_account_id);
  end if;
  select c.verified_at is not null into strict v_verified
    from orderlatch_data.worker_accounts as c
   where c.worker_id = p_worker_id and c.account_id = p_account_id;
  -- before anything is read: what is woken for after this stays for the next visit
  if v_held and v_verified then
    v_woken := orderlatch_data.take_wakes(array[p_account_id]) <> '{}';
  end if;
  select a.* into strict v_account from orderlatch_data.accounts as a where a.account_id = p_account_id;
  v_row := orderlatch_data.agenda_row(p_account_id);
  if v_held and v_row.visited_at > orderlatch_data.clock() then
    perform orderlatch_data.turn_back(v_account);
  end if;
  if cardinality(p_gone) > 0
    or (v_woken or orderlatch_data.is_untidy(v_row.tidy_at, v_begun_at))
      and orderlatch_data.next_tidy_at(p_account_id) <= orderlatch_data.clock()
  then
    perform orderlatch_data.tidy_up(v_account, p_gone);
  end if;
  v_calls := array(
    select g from orderlatch_data.grant_account(v_account, p_worker_id, p_how_many, p_gate_is_open) as g
  );
  if v_held then
    v_due_at := orderlatch_data.next_due_at(p_account_id, v_begun_at, false);
    select h.agenda, h.version, h.paused_until into v_after
      from orderlatch_data.held_agenda(array[p_account_id], p_worker_id) as h;
    v_row := v_after.agenda;
    if v_woken or orderlatch_data.is_untidy(v_row.tidy_at, orderlatch_data.clock()) then
      v_row.tidy_at := orderlatch_data.next_tidy_at(p_account_id);
    end if;
    perform orderlatch_data.schedule_visits(
      array[v_row], array[v_after.version], array[v_due_at], array[v_after.paused_until], null,
      array[cardinality(v_calls)], array[p_how_many], array[orderlatch_data.soonest_answer(v_calls)],
      v_begun_at, v_verified
    );
  end if;
  return v_calls;
end
$$;
revoke all on function orderlatch_data.visit_account(integer, integer, integer, boolean, integer[])
  from public;
comment on function orderlatch_data.visit_account(integer, integer, integer, boolean, integer[]) is
  'Grants up to p_how_many calls of one account. p_gate_is_open: whether the gate of all accounts was '
  'entered. p_gone: workers whose unanswered requests are lost.';

-- Gives up what is lost, lapsed or to be withdrawn.
-- Locks: decisions (try); the caller holds the account for granting. Raises: none.
create or replace function orderlatch_data.tidy_up(
  p_account orderlatch_data.accounts,
  p_gone integer[]
)
returns void
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  perform orderlatch_data.sweep_lost_requests(p_account, p_gone);
  if not orderlatch_data.calls_may_be_unknown(p_account.account_id) then
    -- wishes first: one that is granted keeps what is to be done with an order that appears all the same
    perform orderlatch_data.grant_wishes(p_account.account_id);
    perform orderlatch_data.lapse_stale_decisions(p_account);
  end if;
end
$$;
revoke all on function orderlatch_data.tidy_up(orderlatch_data.accounts, integer[]) from public;
comment on function orderlatch_data.tidy_up(orderlatch_data.accounts, integer[]) is
  'While calls of another cluster may be unknown, nothing lapses and nothing is withdrawn. p_gone: workers '
  'whose unanswered requests are lost.';
