-- Visits the accounts of a queue that have a share: at once those that can be, then each of the others.
-- Locks: granting, gate (shared), decisions: all try. Raises: none.
create or replace function orderlatch_data.visit_accounts(
  p_worker_id integer,
  p_queue integer[],
  p_shares integer[],
  p_how_many integer,
  p_at_most integer,
  p_gate_is_open boolean,
  p_gone integer[],
  p_alone integer[],
  p_woken integer[],
  out visits integer,
  out granted orderlatch_data.granted_request[],
  out cut_ids integer[]
)
returns record
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_together record;
  v_calls orderlatch_data.granted_request[];
  v_done integer[] := '{}'::integer[];
  v_left integer := p_how_many;
  v_may integer;
begin
  visits := 0;
  granted := '{}';
  cut_ids := '{}';
  if p_gate_is_open and p_gone = '{}' then
    v_together := orderlatch_data.visit_in_rounds(
      p_worker_id, p_queue, p_shares, p_how_many, p_at_most, p_alone, p_woken
    );
    visits := cardinality(v_together.visited_ids);
    granted := v_together.granted;
    cut_ids := v_together.cut_ids;
    v_done := v_together.done_ids;
    v_left := v_left - cardinality(granted);
  end if;

  -- a loop, because each account is a lock of its own
  for v_place in 1 .. cardinality(p_queue) loop
    exit when v_left <= 0 or visits >= p_at_most;
    v_may := least(v_left, p_shares[v_place]);
    continue when v_may <= 0
      or p_queue[v_place] = any (v_done)
      or not orderlatch_data.try_begin_visit(p_queue[v_place]);
    v_calls := orderlatch_data.visit_account(p_queue[v_place], p_worker_id, v_may, p_gate_is_open, p_gone);
    visits := visits + 1;
    granted := granted || v_calls;
    v_left := v_left - cardinality(v_calls);
    if cardinality(v_calls) = v_may then
      cut_ids := cut_ids || p_queue[v_place];
    end if;
  end loop;
end
$$;
revoke all on function orderlatch_data.visit_accounts(
  integer, integer[], integer[], integer, integer, boolean, integer[], integer[], integer[]
) from public;
comment on function orderlatch_data.visit_accounts(
  integer, integer[], integer[], integer, integer, boolean, integer[], integer[], integer[]
) is
  'Grants up to p_how_many calls, to each account of p_queue as much as its share, and visits p_at_most of '
  'them. visits: how many were. cut_ids: those that were granted as much as was allowed, so there may be '
  'more. p_gate_is_open: whether the gate of all accounts was entered. p_gone: workers whose unanswered '
  'requests are lost. p_alone, p_woken: see due_accounts.';

-- Visits together the accounts of a queue that can be, until there are no slots or no such accounts left.
-- Locks: granting, gate (shared), decisions: all try. Raises: none.
create or replace function orderlatch_data.visit_in_rounds(
  p_worker_id integer,
  p_queue integer[],
  p_shares integer[],
  p_how_many integer,
  p_at_most integer,
  p_alone integer[],
  p_woken integer[],
  out visited_ids integer[],
  out granted orderlatch_data.granted_request[],
  out cut_ids integer[],
  out done_ids integer[],
  out held integer
)
returns record
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_round record;
  v_queue integer[] := p_queue;
  v_shares integer[] := p_shares;
  v_id integer;
  v_left integer := p_how_many;
begin
  visited_ids := '{}';
  granted := '{}';
  cut_ids := '{}';
  done_ids := '{}';
  held := 0;
  -- rounds, because what some have no use for goes to those whose shares did not fit
  loop
    v_round := orderlatch_data.visit_together(
      p_worker_id, v_queue, v_shares, v_left, p_at_most - held, p_alone, p_woken
    );
    held := held + cardinality(v_round.held_ids);
    v_left := v_left - cardinality(v_round.granted);
    foreach v_id in array v_round.held_ids loop
      if v_id = any (v_round.waiting_ids) then
        -- a visit of its own follows, and finds its slots
        v_left := v_left - p_shares[array_position(p_queue, v_id)];
      else
        done_ids := done_ids || v_id;
      end if;
    end loop;
    visited_ids := visited_ids || v_round.visited_ids;
    granted := granted || v_round.granted;
    cut_ids := cut_ids || v_round.cut_ids;
    exit when v_left <= 0 or held >= p_at_most or v_round.held_ids = '{}' or v_queue <@ v_round.held_ids;
    select array_agg(q.account_id order by q.place), array_agg(q.share order by q.place)
      into v_queue, v_shares
      from unnest(v_queue, v_shares) with ordinality as q(account_id, share, place)
     where q.account_id <> all (v_round.held_ids);
  end loop;
end
$$;
revoke all on function orderlatch_data.visit_in_rounds(
  integer, integer[], integer[], integer, integer, integer[], integer[]
) from public;
comment on function orderlatch_data.visit_in_rounds(
  integer, integer[], integer[], integer, integer, integer[], integer[]
) is
  'As visit_together, in as many rounds as it takes. done_ids: accounts that need no visit of their own. '
  'held: how many it holds, at most p_at_most: until the commit no other claim gets to them. Of p_how_many '
  'calls, those that must be visited by themselves keep their shares.';
