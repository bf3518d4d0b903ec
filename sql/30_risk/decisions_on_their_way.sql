-- The decisions of some symbols whose orders may be at the broker, or will be.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.decisions_on_their_way(p_account_id integer, p_symbols text[])
returns bigint[]
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_from constant bigint := orderlatch_data.approved_from(p_account_id);
  v_ids bigint[];
begin
  select array_agg(o.decision_id) into v_ids
    from (
      select s.decision_id
        from (select distinct y.symbol from unnest(p_symbols) as y(symbol)) as w
       cross join lateral (
         select k.decision_id
           from orderlatch_data.open_decisions as k
          where k.account_id = p_account_id
            -- from where the living begin to the last number: what is dead has none, or a lower one
            and (k.symbol, k.approval_no) >= (w.symbol, v_from)
            and (k.symbol, k.approval_no) <= (w.symbol, 9223372036854775807)
            and k.status in ('approved', 'submitting', 'in_doubt')
          -- so that one index will do and no other: with = one without the symbol seems as good while there
          -- are few rows, and reads all that waits in the account for each symbol
          order by k.symbol, k.approval_no
         offset 0
       ) as s
      union all
      -- an order with other terms was found before anybody approved
      select d.decision_id
        from orderlatch_data.doubts as d
       cross join lateral (
         select 1
           from orderlatch_data.open_decisions as k
          where k.decision_id = d.decision_id
            and k.symbol = any (p_symbols)
            and k.approval_no is null
            and k.status = 'in_doubt'
         offset 0
       ) as s
       where d.account_id = p_account_id
    ) as o;
  return v_ids;
end
$$;
revoke all on function orderlatch_data.decisions_on_their_way(integer, text[]) from public;
comment on function orderlatch_data.decisions_on_their_way(integer, text[]) is
  'Approved, submitting or in doubt, of one account. Null: none.';
