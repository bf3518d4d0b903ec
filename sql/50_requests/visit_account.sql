-- Does all that is due for an account: tidies it up, grants its calls, and notes when to come again.
-- Locks: agenda, gate (shared), decisions: all try; the caller holds the account for granting. Raises: none.
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
  -- until the commit: whoever wakes the account meanwhile leaves a row in account_wakes instead
  v_held constant boolean := orderlatch_data.try_lock_account('agenda', p_account_id);
  v_woken integer[];
  v_calls orderlatch_data.granted_request[];
begin
  if not v_held then
    -- whoever holds the row may take back what made the account due, and no mark can be written
    insert into orderlatch_data.account_wakes (account_id) values (p_account_id);
  end if;
  select c.verified_at is not null, g.visited_at into strict v_verified, v_visited_at
    from orderlatch_data.worker_accounts as c
    join orderlatch_data.agenda_of(array[p_account_id]) as g on g.account_id = c.account_id
   where c.worker_id = p_worker_id and c.account_id = p_account_id;
  -- before anything is read: what is woken for after this stays for the next visit
  v_woken := case when v_verified and v_held then orderlatch_data.take_wakes(array[p_account_id]) end;
  if not v_held or not v_verified then
    v_woken := array[p_account_id];
  end if;
  select a.* into strict v_account from orderlatch_data.accounts as a where a.account_id = p_account_id;
  if v_held and v_visited_at > orderlatch_data.clock() then
    perform orderlatch_data.turn_back_budget(p_account_id);
  end if;
  if cardinality(p_gone) > 0
    or (
      select t.tidy_at
        from orderlatch_data.next_tidy_at(
               orderlatch_data.untidy_accounts(array[p_account_id], v_woken, v_begun_at)
             ) as t
    ) <= orderlatch_data.clock()
  then
    perform orderlatch_data.sweep_lost_requests(v_account, p_gone);
    if not orderlatch_data.calls_may_be_unknown(p_account_id) then
      perform orderlatch_data.lapse_stale_decisions(v_account);
      perform orderlatch_data.grant_wishes(p_account_id);
    end if;
  end if;
  v_calls := array(
    select g from orderlatch_data.grant_account(v_account, p_worker_id, p_how_many, p_gate_is_open) as g
  );
  if v_held then
    perform orderlatch_data.schedule_visits(
      array[p_account_id], array[cardinality(v_calls)], array[p_how_many], v_calls, v_begun_at, v_verified,
      v_woken
    );
  end if;
  return query select c.* from unnest(v_calls) as c;
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
  p_calls orderlatch_data.granted_request[],
  p_begun_at timestamptz,
  p_verified boolean,
  p_woken integer[]
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
  v_untidy constant integer[] := orderlatch_data.untidy_accounts(p_account_ids, p_woken, v_now);
  v_written integer;
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
         turn_no = nextval('orderlatch_data.visit_turns'),
         approved_from = coalesce(m.approved_from, g.approved_from),
         answers_from = coalesce(m.answers_from, 'infinity')
    from unnest(p_account_ids, p_granted, p_asked) as v(account_id, granted, asked)
    join orderlatch_data.account_states as s on s.account_id = v.account_id
    join orderlatch_data.budgets_at(p_account_ids, p_begun_at) as b on b.account_id = v.account_id
    join orderlatch_data.next_due_at(p_account_ids, p_begun_at) as d on d.account_id = v.account_id
    join orderlatch_data.living_from(p_account_ids, orderlatch_data.soonest_answer(p_calls)) as m
      on m.account_id = v.account_id
    left join orderlatch_data.next_tidy_at(v_untidy) as n on n.account_id = v.account_id
   cross join lateral (
     -- next_tidy_at goes by the mark that this writes, and knows nothing of what this visit granted
     select least(case when v.account_id = any (v_untidy) then n.tidy_at else m.tidy_at end, m.answers_from)
   ) as u(tidy_at)
   cross join lateral ( -- what is past, another session holds
     select case when u.tidy_at <= v_now then v_soon else u.tidy_at end as tidy_at
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
   where g.ctid = m.version;
  get diagnostics v_written = row_count;
  if v_written < cardinality(p_account_ids) then -- changed by hand meanwhile: as if it were not held
    insert into orderlatch_data.account_wakes (account_id) select unnest(p_account_ids);
  end if;
end
$$;
revoke all on function orderlatch_data.schedule_visits(
  integer[], integer[], integer[], orderlatch_data.granted_request[], timestamptz, boolean, integer[]
) from public;
comment on function orderlatch_data.schedule_visits(
  integer[], integer[], integer[], orderlatch_data.granted_request[], timestamptz, boolean, integer[]
) is
  'Writes account_agenda after visits that began at p_begun_at. p_granted: calls that were granted to each '
  'account; p_asked: how many were asked for, so that as many may mean that there are more. p_calls: what '
  'was granted to all of them, and perhaps to others. p_verified: whether the visitor may do more than tidy '
  'up; another one leaves due_at as it is. p_woken: accounts of which more may be to be tidied up than their '
  'row of the agenda says.';
