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
  v_queue integer[] := case when p_gate_is_open and cardinality(p_gone) = 0 then p_queue end;
  v_shares integer[] := p_shares;
  v_round integer[];
  v_visited integer[] := '{}'::integer[];
  v_others_may_go boolean;
  v_left integer := p_how_many;
  v_may integer;
begin
  -- rounds, because what some have no use for goes to those whose shares did not fit
  while cardinality(v_queue) > 0 and v_left > 0 and cardinality(v_visited) < p_at_most loop
    v_round := '{}';
    for account_id, granted, is_cut, v_others_may_go in
      select v.account_id, v.granted, v.is_cut, v.others_may_go
        from orderlatch_data.visit_together(
               p_worker_id, v_queue, v_shares, v_left, p_at_most - cardinality(v_visited)
             ) as v
    loop
      -- one whose others may go is visited once more, by itself
      v_visited := v_visited || case when not v_others_may_go then account_id end;
      v_round := v_round || account_id;
      v_left := v_left - coalesce(cardinality(granted), 0);
      return next;
    end loop;
    exit when v_round = '{}';
    select array_agg(q.account_id order by q.place), array_agg(q.share order by q.place)
      into v_queue, v_shares
      from unnest(v_queue, v_shares) with ordinality as q(account_id, share, place)
     where q.account_id <> all (v_round);
  end loop;

  -- a loop, because each account is a lock of its own
  for v_place in 1 .. cardinality(p_queue) loop
    exit when v_left <= 0 or cardinality(v_visited) >= p_at_most;
    account_id := p_queue[v_place];
    v_may := least(v_left, p_shares[v_place]);
    continue when v_may <= 0
      or coalesce(account_id = any (v_visited), false)
      or not orderlatch_data.try_begin_visit(account_id);
    granted := array(
      select g
        from orderlatch_data.visit_account(account_id, p_worker_id, v_may, p_gate_is_open, p_gone) as g
    );
    is_cut := cardinality(granted) = v_may;
    v_visited := v_visited || account_id;
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
