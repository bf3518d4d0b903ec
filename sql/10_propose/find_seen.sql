-- The decisions among deliveries whose orders the broker showed before they were recorded.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.find_seen(
  p_account_id integer,
  p_decision_ids bigint[],
  p_decision_hashes text[],
  p_outcomes text[]
)
returns bigint[]
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  -- what is rare costs nothing where it does not happen
  if exists (
    select 1
      from orderlatch_data.broker_orders as b
     where b.client_order_id = any (p_decision_hashes) and b.decision_id is null
  ) or exists (
    select 1 from orderlatch_data.seen_orders as s where s.client_order_id = any (p_decision_hashes)
  ) then
    return (
      select array_agg(distinct t.decision_id)
        from unnest(p_decision_ids, p_decision_hashes, p_outcomes) as t(decision_id, decision_hash, outcome)
       where t.outcome in ('created', 'existing', 'conflict')
         and exists (
           select 1 from orderlatch_data.seen_orders_of(p_account_id, decode(t.decision_hash, 'hex'))
         )
    );
  end if;
  return null;
end
$$;
revoke all on function orderlatch_data.find_seen(integer, bigint[], text[], text[]) from public;
comment on function orderlatch_data.find_seen(integer, bigint[], text[], text[]) is
  'Those of p_decision_ids whose orders are known, but not as theirs; null: none. p_decision_hashes, '
  'p_outcomes: as sort_deliveries has them.';
