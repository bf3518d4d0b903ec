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
    or (
      select t.tidy_at from orderlatch_data.next_tidy_at(array[p_account_id]) as t
    ) <= orderlatch_data.clock()
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
    perform orderlatch_data.schedule_visits(
      array[p_account_id], array[v_granted], array[p_how_many], v_begun_at, v_verified
    );
  end if;
end
$$;
revoke all on function orderlatch_data.visit_account(integer, integer, integer, boolean, integer[])
  from public;
comment on function orderlatch_data.visit_account(integer, integer, integer, boolean, integer[]) is
  'Grants up to p_how_many calls of one account. p_gate_is_open: whether the gate of all accounts was '
  'entered. p_gone: workers whose unanswered requests are lost.';

-- Notes when accounts are to be visited again.
-- Locks: none; the caller holds their rows of the agenda. Raises: none.
create or replace function orderlatch_data.schedule_visits(
  p_account_ids integer[],
  p_granted integer[],
  p_asked integer[],
  p_begun_at timestamptz,
  p_verified boolean
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
begin
  update orderlatch_data.account_agenda as g
     set due_at = case
           when not p_verified then g.due_at
           -- once a minute at least, in case somebody has changed tables by hand
           else coalesce(least(
             c.due_at, t.tidy_at, case when c.due_at is not null then v_now + interval '1 minute' end
           ), 'infinity')
         end,
         tidy_at = coalesce(t.tidy_at, 'infinity'),
         visited_at = case when p_verified then v_now else g.visited_at end,
         turn_no = nextval('orderlatch_data.visit_turns')
    from unnest(p_account_ids, p_granted, p_asked) as v(account_id, granted, asked)
    join orderlatch_data.account_states as s on s.account_id = v.account_id
    join orderlatch_data.budgets_at(p_account_ids, p_begun_at) as b on b.account_id = v.account_id
    join orderlatch_data.next_due_at(p_account_ids, p_begun_at) as d on d.account_id = v.account_id
    join orderlatch_data.next_tidy_at(p_account_ids) as n on n.account_id = v.account_id
   cross join lateral (
     -- what is past, another session holds
     select case when n.tidy_at <= v_now then v_soon else n.tidy_at end as tidy_at
   ) as t
   cross join lateral (
     -- what came due while the visit went on, it may have missed: that counts as still to come
     select case
              when s.paused_until > p_begun_at then s.paused_until
              when b.calls = 0 then b.next_call_at
              when v.granted >= v.asked then v_now
              -- what came due meanwhile is not held up: it is due now
              when v.granted = 0 and orderlatch_data.is_held_up(v.account_id, b.submits)
                then least(d.due_at, v_soon)
              when b.submits = 0 and orderlatch_data.has_approved(v.account_id)
                then least(d.due_at, b.next_submit_at)
              else d.due_at
            end as due_at
   ) as c
   where g.account_id = any (p_account_ids) and g.account_id = v.account_id;
end
$$;
revoke all on function orderlatch_data.schedule_visits(
  integer[], integer[], integer[], timestamptz, boolean
) from public;
comment on function orderlatch_data.schedule_visits(integer[], integer[], integer[], timestamptz, boolean) is
  'Writes account_agenda after visits that began at p_begun_at. p_granted: calls that were granted to each '
  'account; p_asked: how many were asked for, so that as many may mean that there are more. p_verified: '
  'whether the visitor may do more than tidy up; another one leaves due_at as it is.';

-- Holds an account for a visit, or says at once that it is not to be had.
-- Locks: account (granting, try). Raises: none.
create or replace function orderlatch_data.try_begin_visit(p_account_id integer)
returns boolean
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return orderlatch_data.login_may_act(p_account_id, null)
     and orderlatch_data.try_lock_granting(p_account_id);
end
$$;
revoke all on function orderlatch_data.try_begin_visit(integer) from public;
comment on function orderlatch_data.try_begin_visit(integer) is
  'False where another claim holds the account, or the login may not act for it any more.';

-- Holds for a visit the accounts of a queue that are sure of slots, as far as they are to be had.
-- Locks: accounts (granting, try). Raises: none.
create or replace function orderlatch_data.begin_visits(
  p_account_ids integer[],
  p_shares integer[],
  p_how_many integer,
  p_at_most integer
)
returns table (account_id integer, sure_of integer)
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_left integer := p_how_many;
  v_held integer := 0;
begin
  -- a loop, because each account is a lock of its own, and the next one gets what those leave that are held
  for v_place in 1 .. coalesce(cardinality(p_account_ids), 0) loop
    exit when v_left = 0 or v_held = p_at_most;
    continue when p_shares[v_place] <= 0 or not orderlatch_data.try_begin_visit(p_account_ids[v_place]);
    account_id := p_account_ids[v_place];
    sure_of := least(p_shares[v_place], v_left);
    return next;
    v_left := v_left - sure_of;
    v_held := v_held + 1;
  end loop;
end
$$;
revoke all on function orderlatch_data.begin_visits(integer[], integer[], integer, integer) from public;
comment on function orderlatch_data.begin_visits(integer[], integer[], integer, integer) is
  'The first p_at_most accounts that no other session holds and whose shares, one after the other, fit into '
  'p_how_many; sure_of: how much of its share fits.';
