-- Notes when accounts are to be visited again.
-- Locks: none; the caller holds their rows of the agenda. Raises: none.
create or replace function orderlatch_data.schedule_visits(
  p_agenda orderlatch_data.account_agenda[],
  p_versions tid[],
  p_due_at timestamptz[],
  p_paused_until timestamptz[],
  p_submits integer[],
  p_granted integer[],
  p_asked integer[],
  p_answer_by timestamptz[],
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
  v_again timestamptz[] := '{}'::timestamptz[];
  v_written integer;
begin
  if p_agenda is null then
    return;
  end if;
  for v_place in 1 .. cardinality(p_agenda) loop
    v_again := v_again || orderlatch_data.visit_again_at(
      p_agenda[v_place].account_id, p_due_at[v_place], p_paused_until[v_place],
      p_submits[v_place] - p_granted[v_place], p_granted[v_place], p_asked[v_place], p_begun_at
    );
  end loop;
  update orderlatch_data.account_agenda as g
     set due_at = case
           when not p_verified then g.due_at
           -- once a minute at least, in case somebody has changed tables by hand
           else coalesce(least(
             v.again_at, t.tidy_at, case when v.again_at is not null then v_now + interval '1 minute' end
           ), 'infinity')
         end,
         tidy_at = coalesce(t.tidy_at, 'infinity'),
         visited_at = case when p_verified then v_now else g.visited_at end,
         turn_no = nextval('orderlatch_data.visit_turns'),
         approved_from = coalesce(v.approved_from, g.approved_from),
         answers_from = least(v.answers_from, v.answer_by)
    from unnest(p_agenda, p_versions, v_again, p_answer_by) as v(
           account_id, due_at, tidy_at, visited_at, turn_no, approved_from, answers_from, version, again_at,
           answer_by
         )
   cross join lateral (
     -- tidy_at knows nothing of what this visit granted; what is past, another session holds
     select case
              when least(v.tidy_at, v.answers_from, v.answer_by) <= v_now
                then v_now + interval '20 milliseconds'
              else least(v.tidy_at, v.answers_from, v.answer_by)
            end as tidy_at
   ) as t
   where g.ctid = v.version;
  get diagnostics v_written = row_count;
  if v_written < cardinality(p_agenda) then -- changed by hand meanwhile: as if it were not held
    insert into orderlatch_data.account_wakes (account_id) select v.account_id from unnest(p_agenda) as v;
  end if;
end
$$;
revoke all on function orderlatch_data.schedule_visits(
  orderlatch_data.account_agenda[], tid[], timestamptz[], timestamptz[], integer[], integer[], integer[],
  timestamptz[], timestamptz, boolean
) from public;
comment on function orderlatch_data.schedule_visits(
  orderlatch_data.account_agenda[], tid[], timestamptz[], timestamptz[], integer[], integer[], integer[],
  timestamptz[], timestamptz, boolean
) is
  'Writes account_agenda after visits that began at p_begun_at. p_agenda, p_versions: see held_agenda, with '
  'tidy_at and the marks as they are but for what was granted. p_due_at: next_due_at since p_begun_at. '
  'p_submits: how many submits the budget allowed before it was spent; null: to be looked up. p_granted: '
  'calls that were granted to each account; p_asked: how many were asked for, so that as many may mean that '
  'there are more. p_answer_by: when the first of those calls is to be answered; null: none was granted. '
  'p_verified: whether the visitor may do more than tidy up; another one leaves due_at as it is.';

-- When an account is to be visited again for a call that is to be made.
-- Locks: none; the caller holds the account for granting. Raises: none.
create or replace function orderlatch_data.visit_again_at(
  p_account_id integer,
  p_due_at timestamptz,
  p_paused_until timestamptz,
  p_submits integer,
  p_granted integer,
  p_asked integer,
  p_begun_at timestamptz
)
returns timestamptz
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_calls integer;
  v_submits integer := p_submits;
  v_next_call_at timestamptz;
  v_next_submit_at timestamptz;
begin
  -- what came due while the visit went on, it may have missed: that counts as still to come
  if p_paused_until > p_begun_at then
    return p_paused_until;
  end if;
  if coalesce(v_submits, 0) <= 0 then
    select b.calls, b.submits, b.next_call_at, b.next_submit_at
      into v_calls, v_submits, v_next_call_at, v_next_submit_at
      from orderlatch_data.budgets_at(array[p_account_id], p_begun_at) as b;
    if v_calls = 0 then
      return v_next_call_at;
    end if;
  end if;
  if p_granted >= p_asked then
    return orderlatch_data.clock();
  end if;
  -- what came due meanwhile is not held up: it is due now
  if p_granted = 0 and orderlatch_data.is_held_up(p_account_id, v_submits) then
    return least(p_due_at, orderlatch_data.clock() + interval '20 milliseconds');
  end if;
  if v_submits = 0 and orderlatch_data.has_approved(p_account_id) then
    return least(p_due_at, v_next_submit_at);
  end if;
  return p_due_at;
end
$$;
revoke all on function orderlatch_data.visit_again_at(
  integer, timestamptz, timestamptz, integer, integer, integer, timestamptz
) from public;
comment on function orderlatch_data.visit_again_at(
  integer, timestamptz, timestamptz, integer, integer, integer, timestamptz
) is
  'Null where nothing is to come. p_submits: submits that the budget still allows; null or 0: it is looked '
  'up, and when it allows more. Other arguments as of schedule_visits.';
