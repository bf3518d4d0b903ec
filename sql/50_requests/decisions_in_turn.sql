-- The decision of each symbol whose turn it is, first approved first.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.decisions_in_turn(
  p_account_id integer,
  p_now timestamptz,
  p_how_many integer
)
returns table (decision_id bigint, lock_key integer)
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_approved_from constant bigint := orderlatch_data.approved_from(p_account_id);
  v_next record;
  v_found integer := 0;
  v_some_halted constant boolean := exists (
    select 1
      from orderlatch_data.halts as h
     where h.lifted_at is null and (h.account_id is null or h.account_id = p_account_id)
  );
  v_passed text[] := array(
    select o.symbol
      from orderlatch_data.calls_under_way(p_account_id) as c
      -- by its key: a join may read all rows that there are, dead ones too
     cross join lateral (
       select k.symbol from orderlatch_data.open_decisions as k where k.decision_id = c.decision_id
       offset 0
     ) as o
     where c.kind = 'submit_order'
    union all
    select o.symbol
      from orderlatch_data.doubts as d
     cross join lateral (
       select k.symbol
         from orderlatch_data.open_decisions as k
        where k.decision_id = d.decision_id and k.status = 'in_doubt'
       offset 0
     ) as o
     where d.account_id = p_account_id
  );
begin
  if p_how_many <= 0 then
    return;
  end if;
  -- a loop, because few are wanted: of each symbol the first one counts, and it ends when there are enough
  for v_next in
    select o.decision_id, o.lock_key, o.symbol, o.next_try_at <= p_now and not o.lookup_first as is_due
      from orderlatch_data.open_decisions as o
     where o.account_id = p_account_id
       and o.approval_no >= v_approved_from
       and o.status = 'approved'
       and not (v_some_halted and orderlatch_data.is_decision_halted(o))
     order by o.approval_no
  loop
    continue when v_next.symbol = any (v_passed);
    v_passed := v_passed || v_next.symbol;
    continue when not v_next.is_due;
    decision_id := v_next.decision_id;
    lock_key := v_next.lock_key;
    return next;
    v_found := v_found + 1;
    exit when v_found = p_how_many;
  end loop;
end
$$;
revoke all on function orderlatch_data.decisions_in_turn(integer, timestamptz, integer) from public;
comment on function orderlatch_data.decisions_in_turn(integer, timestamptz, integer) is
  'For each symbol the first approved decision that no halt holds, unless it is backing off, or another '
  'decision of the symbol is submitting or in doubt. At most p_how_many, in the order of approval.';

-- Whether a halt of any scope holds an open decision.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.is_decision_halted(p_open orderlatch_data.open_decisions)
returns boolean
language sql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select orderlatch_data.is_halted(p_open.account_id, t.strategy_id, p_open.symbol)
    from orderlatch_data.trade_decisions as t
   where t.decision_id = p_open.decision_id
$$;
revoke all on function orderlatch_data.is_decision_halted(orderlatch_data.open_decisions) from public;
comment on function orderlatch_data.is_decision_halted(orderlatch_data.open_decisions) is
  'is_halted for the account, strategy and symbol of a decision.';
