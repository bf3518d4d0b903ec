-- Does all that is due for an account: tidies it up, grants its calls, and notes when to come again.
-- Locks: gate (try, shared), decisions (try); the caller holds the account for granting. Raises: none.
create or replace function orderlatch_data.visit_account(
  p_account_id integer,
  p_worker_id integer,
  p_how_many integer,
  p_gate_is_open boolean,
  p_gone integer[]
)
returns setof orderlatch_data.granted_request
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
  v_visited_at timestamptz;
  v_held boolean;
  v_granted integer;
begin
  -- held until the commit: whoever wakes the account meanwhile leaves a row in account_wakes instead
  select g.visited_at into v_visited_at
    from orderlatch_data.account_agenda as g
   where g.account_id = p_account_id
     for no key update skip locked;
  v_held := found;
  select c.verified_at is not null into strict v_verified
    from orderlatch_data.worker_accounts as c
   where c.worker_id = p_worker_id and c.account_id = p_account_id;
  if v_verified then
    -- before anything is read: what is woken for after this stays for the next visit
    delete from orderlatch_data.account_wakes as w where w.account_id = p_account_id;
  end if;
  select a.* into strict v_account from orderlatch_data.accounts as a where a.account_id = p_account_id;
  if v_visited_at > orderlatch_data.clock() then
    perform orderlatch_data.turn_back_budget(p_account_id);
  end if;

  if cardinality(p_gone) > 0
    or orderlatch_data.next_tidy_at(p_account_id) <= orderlatch_data.clock()
  then
    perform orderlatch_data.sweep_lost_requests(v_account, p_gone);
    if not orderlatch_data.calls_may_be_unknown(p_account_id) then
      perform orderlatch_data.lapse_stale_decisions(v_account);
      perform orderlatch_data.grant_wishes(p_account_id);
    end if;
  end if;
  return query
  select g.*
    from orderlatch_data.grant_account(v_account, p_worker_id, p_how_many, p_gate_is_open) as g;
  get diagnostics v_granted = row_count;

  if not v_held then
    -- whoever holds the row may take back what made the account due
    insert into orderlatch_data.account_wakes (account_id) values (p_account_id);
  else
    perform orderlatch_data.schedule_visit(
      v_account, v_begun_at, v_verified, v_granted, v_granted >= p_how_many
    );
  end if;
end
$$;
revoke all on function orderlatch_data.visit_account(integer, integer, integer, boolean, integer[])
  from public;
comment on function orderlatch_data.visit_account(integer, integer, integer, boolean, integer[]) is
  'Grants up to p_how_many calls of one account. p_gate_is_open: whether the gate of all accounts was '
  'entered. p_gone: workers whose unanswered requests are lost.';

-- Notes when an account is to be visited again.
-- Locks: none; the caller holds its row of the agenda. Raises: none.
create or replace function orderlatch_data.schedule_visit(
  p_account orderlatch_data.accounts,
  p_begun_at timestamptz,
  p_verified boolean,
  p_granted integer,
  p_cut boolean
)
returns void
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_now constant timestamptz := orderlatch_data.clock();
  v_soon constant timestamptz := v_now + interval '20 milliseconds';
  v_tidy_at timestamptz := orderlatch_data.next_tidy_at(p_account.account_id);
  v_due_at timestamptz;
begin
  if v_tidy_at <= v_now then
    v_tidy_at := v_soon; -- another session holds the decision
  end if;
  if p_verified then
    -- what came due while the visit went on, it may have missed: that counts as still to come
    select case
             when s.paused_until > p_begun_at then s.paused_until
             when b.calls = 0 then orderlatch_data.next_token_at(p_account, t.granted_at, false)
             when p_cut then v_now
             when p_granted = 0 and orderlatch_data.is_held_up(p_account, b.submits) then v_soon
             else orderlatch_data.next_due_at(p_account, p_begun_at, t.granted_at, b.submits)
           end
      into strict v_due_at
      from orderlatch_data.account_states as s
      join orderlatch_data.account_budgets as k on k.account_id = s.account_id
     cross join lateral (select greatest(k.counted_at, p_begun_at) as granted_at) as t
     cross join lateral orderlatch_data.calls_left(p_account, t.granted_at) as b
     where s.account_id = p_account.account_id;
    -- once a minute at least, in case somebody has changed tables by hand
    v_due_at := least(v_due_at, v_now + case when v_due_at is not null then interval '1 minute' end);
  end if;
  update orderlatch_data.account_agenda as g
     set due_at = case
           when p_verified then coalesce(least(v_due_at, v_tidy_at), 'infinity')
           else g.due_at
         end,
         tidy_at = coalesce(v_tidy_at, 'infinity'),
         visited_at = case when p_verified then v_now else g.visited_at end,
         turn_no = nextval('orderlatch_data.visit_turns')
   where g.account_id = p_account.account_id;
end
$$;
revoke all on function orderlatch_data.schedule_visit(
  orderlatch_data.accounts, timestamptz, boolean, integer, boolean
) from public;
comment on function orderlatch_data.schedule_visit(
  orderlatch_data.accounts, timestamptz, boolean, integer, boolean
) is
  'Writes account_agenda after a visit that began at p_begun_at. p_verified: whether the visitor may do more '
  'than tidy up; another one leaves due_at as it is. p_granted: calls that were granted. p_cut: whether it '
  'was granted as many as it asked for, so that there may be more.';

-- Holds an account for a visit, or says at once that it is not to be had.
-- Locks: account (granting, try). Raises: none.
create or replace function orderlatch_data.try_begin_visit(p_account_id integer)
returns boolean
language sql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select orderlatch_data.login_may_act(p_account_id, null) and orderlatch_data.try_lock_granting(p_account_id)
$$;
revoke all on function orderlatch_data.try_begin_visit(integer) from public;
comment on function orderlatch_data.try_begin_visit(integer) is
  'False where another claim holds the account, or the login may not act for it any more.';
