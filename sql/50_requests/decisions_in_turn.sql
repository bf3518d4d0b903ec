-- The decision of each symbol whose turn it is, first approved first.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.decisions_in_turn(
  p_account_id integer,
  p_approved_from bigint,
  p_now timestamptz,
  p_how_many integer,
  p_under_way bigint[],
  p_in_doubt bigint[],
  p_some_halted boolean,
  out decision_ids bigint[],
  out lock_keys integer[]
)
returns record
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_next record;
  v_passed text[] := '{}'::text[];
  v_halted constant text[] := case
    when p_some_halted then orderlatch_data.halted_scopes(p_account_id) else '{}'
  end;
begin
  decision_ids := '{}';
  lock_keys := '{}';
  if p_under_way <> '{}' or p_in_doubt <> '{}' then
    v_passed := orderlatch_data.symbols_in_hand(p_under_way, p_in_doubt);
  end if;
  -- a loop, because few are wanted: of each symbol the first one counts, and it ends when there are enough
  for v_next in
    select o.decision_id, o.lock_key, o.symbol, o.next_try_at <= p_now and not o.lookup_first as is_due
      from orderlatch_data.open_decisions as o
     cross join lateral (
       select replace(o.symbol, '/', '') as symbol,
              coalesce(o.strategy_id, (
                select t.strategy_id from orderlatch_data.trade_decisions as t
                 where t.decision_id = o.decision_id
              )) as strategy_id
     ) as n
     where o.account_id = p_account_id
       and o.approval_no >= p_approved_from
       and o.status = 'approved'
       -- what waits behind these may be much: it is passed over without a call of a function for each
       and o.symbol <> all (v_passed)
       and (
         v_halted = '{}'
         or not array[
           n.strategy_id || chr(10), chr(10) || n.symbol, n.strategy_id || chr(10) || n.symbol
         ] && v_halted
       )
     order by o.approval_no
  loop
    continue when v_next.symbol = any (v_passed);
    v_passed := v_passed || v_next.symbol;
    continue when not v_next.is_due;
    decision_ids := decision_ids || v_next.decision_id;
    lock_keys := lock_keys || v_next.lock_key;
    exit when cardinality(decision_ids) = p_how_many;
  end loop;
end
$$;
revoke all on function orderlatch_data.decisions_in_turn(
  integer, bigint, timestamptz, integer, bigint[], bigint[], boolean
) from public;
comment on function orderlatch_data.decisions_in_turn(
  integer, bigint, timestamptz, integer, bigint[], bigint[], boolean
) is
  'For each symbol the first approved decision that no halt holds, unless it is backing off, or another '
  'decision of the symbol is submitting (p_under_way) or in doubt (some of p_in_doubt are). At most '
  'p_how_many, one at least, in the order of approval. p_approved_from: where the open decisions begin, as '
  'in approved_from. p_some_halted: whether any halt stands over a part of the account.';

-- The symbols of decisions that are on their way or in doubt.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.symbols_in_hand(p_under_way bigint[], p_in_doubt bigint[])
returns text[]
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return array(
    select o.symbol
      from unnest(p_under_way || p_in_doubt) as b(decision_id)
      -- by its key: a join may read all rows that there are, dead ones too
     cross join lateral (
       select k.symbol
         from orderlatch_data.open_decisions as k
        where k.decision_id = b.decision_id and (k.status = 'in_doubt' or k.decision_id = any (p_under_way))
       offset 0
     ) as o
  );
end
$$;
revoke all on function orderlatch_data.symbols_in_hand(bigint[], bigint[]) from public;
comment on function orderlatch_data.symbols_in_hand(bigint[], bigint[]) is
  'p_under_way: decisions whose submits are; p_in_doubt: some that may be in doubt. Nothing else of their '
  'symbols may be submitted.';

-- What halts stand over parts of an account.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.halted_scopes(p_account_id integer)
returns text[]
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return array(
    -- between them what no name of a decision has in it
    select concat(h.strategy_id, chr(10), replace(h.symbol, '/', ''))
      from orderlatch_data.halts as h
     where h.lifted_at is null
       and (h.account_id is null or h.account_id = p_account_id)
       and (h.strategy_id is not null or h.symbol is not null)
  );
end
$$;
revoke all on function orderlatch_data.halted_scopes(integer) from public;
comment on function orderlatch_data.halted_scopes(integer) is
  'Of each halt its strategy, a line feed, and its symbol as positions have it, either of them empty where '
  'it stands over all; not of one over the whole account.';
