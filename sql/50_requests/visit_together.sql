-- Visits at once the accounts of a queue that can be granted nothing but submits; to others it does nothing.
-- Locks: granting, gate (shared), decisions: all try. Raises: none.
create or replace function orderlatch_data.visit_together(
  p_worker_id integer, p_queue integer[], p_shares integer[], p_how_many integer, p_at_most integer,
  p_alone integer[], p_woken integer[],
  out held_ids integer[],
  out visited_ids integer[],
  out granted orderlatch_data.granted_request[],
  out cut_ids integer[],
  out waiting_ids integer[]
)
returns record
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_begun_at constant timestamptz := orderlatch_data.clock();
  v_now timestamptz;
  v_held record;
  v_woken integer[] := '{}'::integer[];
  v_look record;
  v_submits record;
  v_end record;
begin
  v_held := orderlatch_data.hold_for_submits(p_queue, p_shares, p_how_many, p_at_most, p_alone);
  held_ids := v_held.account_ids;
  visited_ids := '{}';
  granted := '{}';
  cut_ids := '{}';
  waiting_ids := '{}';
  if held_ids = '{}' then
    return;
  end if;
  -- before anything is read: what is woken for after this stays for the next visit; so does a row that came
  -- since the claim began: it makes the account due again, and as long as it is there nobody goes by the mark
  if held_ids && p_woken then
    v_woken := orderlatch_data.take_wakes(held_ids);
  end if;
  v_now := orderlatch_data.clock();
  -- halts are read when the gate is held
  v_look := orderlatch_data.look_at_accounts(
    held_ids, v_held.sure_of, p_worker_id, v_begun_at, v_now, v_woken
  );
  if v_woken && v_look.alone then
    insert into orderlatch_data.account_wakes (account_id)
    select distinct w.account_id from unnest(v_woken) as w(account_id)
     where w.account_id = any (v_look.alone);
  end if;
  visited_ids := v_look.account_ids;
  v_submits := orderlatch_data.grant_submits(p_worker_id, v_look.agenda, v_look.allowed);
  granted := v_submits.granted;
  v_end := orderlatch_data.count_submits(
    visited_ids, v_submits.account_ids, v_submits.answer_by, v_look.asked, v_look.allowed, v_look.others_wait
  );
  cut_ids := v_end.cut_ids;
  waiting_ids := v_look.alone || v_end.waiting_ids;
  -- an expression, as a statement costs more than one of them
  if orderlatch_data.spend_tokens(v_look.buckets, v_look.bucket_versions, v_end.granted, '{}') is null
    or orderlatch_data.schedule_visits(
      v_look.agenda, v_look.versions, v_look.due_at, v_look.paused_until, v_look.submits, v_end.granted,
      v_end.asked, v_end.answer_by, v_begun_at, true
    ) is null
  then
    return; -- not reached: neither returns null
  end if;
end
$$;
revoke all on function orderlatch_data.visit_together(
  integer, integer[], integer[], integer, integer, integer[], integer[]
) from public;
comment on function orderlatch_data.visit_together(
  integer, integer[], integer[], integer, integer, integer[], integer[]
) is
  'Does for all these accounts what visit_account does for each. held_ids: the accounts that it holds; '
  'visited_ids: those of them that it visited; granted: the calls. cut_ids: there may be more to grant, as '
  'the share was used up. waiting_ids: a visit of its own must follow, as it was not visited, because more '
  'than submits may go, or submits left tokens that something else waits for. Which accounts those are: see '
  'hold_for_submits and look_at_accounts; what woke the others is left for their own visit. p_alone, '
  'p_woken: see due_accounts. The caller has entered the gate of all accounts, and no worker is gone.';

-- Counts what was granted to accounts, and says which of them want more.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.count_submits(
  p_account_ids integer[],
  p_granted_ids integer[],
  p_answer_by timestamptz[],
  p_asked integer[],
  p_allowed integer[],
  p_others_wait boolean[],
  out granted integer[],
  out asked integer[],
  out answer_by timestamptz[],
  out cut_ids integer[],
  out waiting_ids integer[]
)
returns record
language plpgsql
immutable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_calls integer;
begin
  granted := '{}';
  asked := p_asked;
  cut_ids := '{}';
  waiting_ids := '{}';
  for v_place in 1 .. cardinality(p_account_ids) loop
    v_calls := cardinality(array_positions(p_granted_ids, p_account_ids[v_place]));
    granted := granted || v_calls;
    answer_by := answer_by || p_answer_by[array_position(p_granted_ids, p_account_ids[v_place])];
    if v_calls = p_asked[v_place] then
      cut_ids := cut_ids || p_account_ids[v_place];
    end if;
    if p_others_wait[v_place] and v_calls < p_allowed[v_place] then
      waiting_ids := waiting_ids || p_account_ids[v_place];
      asked[v_place] := v_calls; -- due at once, in case this claim does not get to it any more
    end if;
  end loop;
end
$$;
revoke all on function orderlatch_data.count_submits(
  integer[], integer[], timestamptz[], integer[], integer[], boolean[]
) from public;
comment on function orderlatch_data.count_submits(
  integer[], integer[], timestamptz[], integer[], integer[], boolean[]
) is
  'p_granted_ids, p_answer_by: the account of each call, and when it is to be answered. p_asked: calls that '
  'each account might have got of its share, p_allowed: and of its budget. p_others_wait: whether less '
  'urgent calls wait for a token. cut_ids: those that used up their share. waiting_ids: those whose others '
  'may go, as submits left tokens; for them asked is what was granted. answer_by: of the first call of each '
  'account, all of which have the same time.';
