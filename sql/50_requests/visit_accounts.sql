-- Visits the accounts of a queue that have a share: at once those that can be, then each of the others.
-- Locks: granting, gate (shared), decisions: all try. Raises: none.
create or replace function orderlatch_data.visit_accounts(
  p_worker_id integer,
  p_queue integer[],
  p_shares integer[],
  p_how_many integer,
  p_at_most integer,
  p_gate_is_open boolean,
  p_gone integer[]
)
returns table (account_id integer, granted orderlatch_data.granted_request[], is_cut boolean)
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_done integer[] := '{}'::integer[];
  v_visits integer := 0;
  v_left integer := p_how_many;
  v_may integer;
  v_is_visited boolean;
  v_others_may_go boolean;
begin
  if p_gate_is_open and cardinality(p_gone) = 0 then
    for account_id, granted, is_cut, v_is_visited, v_others_may_go in
      select v.account_id, v.granted, v.is_cut, v.is_visited, v.others_may_go
        from orderlatch_data.visit_in_rounds(p_worker_id, p_queue, p_shares, p_how_many, p_at_most) as v
    loop
      v_left := v_left - cardinality(granted);
      v_done := v_done || case when v_others_may_go then '{}' else array[account_id] end;
      continue when not v_is_visited;
      v_visits := v_visits + 1;
      return next;
    end loop;
  end if;

  -- a loop, because each account is a lock of its own
  for v_place in 1 .. cardinality(p_queue) loop
    exit when v_left <= 0 or v_visits >= p_at_most;
    account_id := p_queue[v_place];
    v_may := least(v_left, p_shares[v_place]);
    continue when v_may <= 0
      or account_id = any (v_done)
      or not orderlatch_data.try_begin_visit(account_id);
    granted := array(
      select g
        from orderlatch_data.visit_account(account_id, p_worker_id, v_may, p_gate_is_open, p_gone) as g
    );
    is_cut := cardinality(granted) = v_may;
    v_visits := v_visits + 1;
    v_left := v_left - cardinality(granted);
    return next;
  end loop;
end
$$;
revoke all on function orderlatch_data.visit_accounts(
  integer, integer[], integer[], integer, integer, boolean, integer[]
) from public;
comment on function orderlatch_data.visit_accounts(
  integer, integer[], integer[], integer, integer, boolean, integer[]
) is
  'Grants up to p_how_many calls, to each account of p_queue as much as its share, and visits p_at_most of '
  'them. Returns the accounts that were visited, with what they were granted; is_cut: as much as was '
  'allowed, so there may be more. p_gate_is_open: whether the gate of all accounts was entered. p_gone: '
  'workers whose unanswered requests are lost.';

-- Visits together the accounts of a queue that can be, until there are no slots or no such accounts left.
-- Locks: granting, gate (shared), decisions: all try. Raises: none.
create or replace function orderlatch_data.visit_in_rounds(
  p_worker_id integer,
  p_queue integer[],
  p_shares integer[],
  p_how_many integer,
  p_at_most integer
)
returns table (
  account_id integer,
  granted orderlatch_data.granted_request[],
  is_cut boolean,
  is_visited boolean,
  others_may_go boolean
)
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_queue integer[] := p_queue;
  v_shares integer[] := p_shares;
  v_round integer[];
  v_held integer := 0;
  v_left integer := p_how_many;
begin
  -- rounds, because what some have no use for goes to those whose shares did not fit
  while cardinality(v_queue) > 0 and v_left > 0 and v_held < p_at_most loop
    v_round := '{}';
    for account_id, granted, is_cut, is_visited, others_may_go in
      select v.account_id, v.granted, v.is_cut, v.is_visited, v.others_may_go
        from orderlatch_data.visit_together(p_worker_id, v_queue, v_shares, v_left, p_at_most - v_held) as v
    loop
      v_round := v_round || account_id;
      v_held := v_held + 1;
      v_left := v_left - cardinality(granted);
      if others_may_go then
        -- a visit of its own follows, and finds its slots
        v_left := v_left - p_shares[array_position(p_queue, account_id)];
      end if;
      return next;
    end loop;
    exit when v_round = '{}';
    select array_agg(q.account_id order by q.place), array_agg(q.share order by q.place)
      into v_queue, v_shares
      from unnest(v_queue, v_shares) with ordinality as q(account_id, share, place)
     where q.account_id <> all (v_round);
  end loop;
end
$$;
revoke all on function orderlatch_data.visit_in_rounds(integer, integer[], integer[], integer, integer)
  from public;
comment on function orderlatch_data.visit_in_rounds(integer, integer[], integer[], integer, integer) is
  'Columns as in visit_together, of as many rounds as it takes. Of p_how_many calls, those that must be '
  'visited by themselves keep their shares. Holds at most p_at_most accounts: until the commit no other '
  'claim gets to them.';
