-- Begins the read of orders that completes a proof of absence: one a symbol, or one for all in a crowd.
-- Locks: none; the caller holds the account for granting. Raises: none.
create or replace function orderlatch_data.begin_reads(p_account orderlatch_data.accounts)
returns void
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_now constant timestamptz := orderlatch_data.clock();
  v_crowded constant boolean := orderlatch_data.is_crowded(p_account);
  v_waiting bigint[];
begin
  v_waiting := array(
    select w.decision_id
      from (
        -- the limit keeps the planner from trying the locks of decisions that no doubt joins
        select d.decision_id, o.lock_key
          from orderlatch_data.doubts as d
          join orderlatch_data.open_decisions as o on o.decision_id = d.decision_id
         where d.account_id = p_account.account_id
           and d.second_absent_at is not null
           and d.read_id is null
         order by d.decision_id
         limit 100
      ) as w
     where orderlatch_data.try_lock_decision(w.lock_key)
  );
  if cardinality(v_waiting) = 0 then
    return;
  end if;

  -- a statement of its own, so that it sees what the last holder of each lock has committed
  with needed as (
    select d.decision_id, case when not v_crowded then o.symbol end as symbol,
           min(r.claimed_at) - p_account.absence_window as from_at
      from orderlatch_data.doubts as d
      join orderlatch_data.open_decisions as o on o.decision_id = d.decision_id
      join orderlatch_data.broker_requests as r on r.decision_id = d.decision_id and r.kind = 'submit_order'
     where d.decision_id = any (v_waiting) and d.second_absent_at is not null and d.read_id is null
     group by d.decision_id, o.symbol
  ), begun as (
    insert into orderlatch_data.broker_reads as b
      (account_id, purpose, symbol, from_at, after_at, next_page_at)
    select p_account.account_id, 'proof', n.symbol, min(n.from_at), min(n.from_at), v_now
      from needed as n
     group by n.symbol
    returning b.read_id, b.symbol
  )
  update orderlatch_data.doubts as d
     set read_id = b.read_id
    from needed as n
    join begun as b on b.symbol is not distinct from n.symbol
   where d.decision_id = n.decision_id;
end
$$;
revoke all on function orderlatch_data.begin_reads(orderlatch_data.accounts) from public;
comment on function orderlatch_data.begin_reads(orderlatch_data.accounts) is
  'Begins reads of orders for doubts that have both answers of absence: from absence_window before the '
  'first submit, without an end. While the account is crowded with doubt one read of all symbols serves '
  'every one of them.';

-- Whether more decisions of an account are in doubt than its crowd_size.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.is_crowded(p_account orderlatch_data.accounts)
returns boolean
language sql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select count(*) > p_account.crowd_size
    from (
      select 1
        from orderlatch_data.doubts as d
        join orderlatch_data.open_decisions as o on o.decision_id = d.decision_id and o.status = 'in_doubt'
       where d.account_id = p_account.account_id
       limit p_account.crowd_size + 1
    ) as c
$$;
revoke all on function orderlatch_data.is_crowded(orderlatch_data.accounts) from public;
comment on function orderlatch_data.is_crowded(orderlatch_data.accounts) is
  'Whether lookups slow down to crowd_lookup_wait and one list serves all.';
