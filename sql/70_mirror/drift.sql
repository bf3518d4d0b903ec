-- Where the broker's positions are not what fills and adjustments add up to.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.drifted_positions(p_account orderlatch_data.accounts)
returns table (symbol text, ours numeric, theirs numeric)
language sql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select d.symbol, d.ours, d.theirs
    from (
      select coalesce(s.symbol, p.symbol) as symbol, coalesce(s.qty, 0) as ours, coalesce(p.qty, 0) as theirs,
             -- the broker takes its fee for a pair out of the coin that was bought
             case
               when s.order_symbol like '%/%' then s.bought * p_account.crypto_fee_allowance
               else 0
             end as fee
        from (
          select q.* from orderlatch_data.position_sums as q where q.account_id = p_account.account_id
        ) as s
        full join (
          select q.* from orderlatch_data.broker_positions as q where q.account_id = p_account.account_id
        ) as p on p.symbol = s.symbol
    ) as d
   where d.theirs > d.ours or d.theirs < d.ours - d.fee
   order by d.symbol
$$;
revoke all on function orderlatch_data.drifted_positions(orderlatch_data.accounts) from public;
comment on function orderlatch_data.drifted_positions(orderlatch_data.accounts) is
  'Symbols, missing at either side included, whose quantity differs. A pair may be short by '
  'crypto_fee_allowance of what was bought.';

-- Notes where positions differ, and makes an incident of what stays so.
-- Locks: none; the caller holds the account for answering. Raises: none.
create or replace function orderlatch_data.compare_positions(
  p_account orderlatch_data.accounts,
  p_request_id uuid
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
  v_fills_covered_at timestamptz;
  v_new boolean;
begin
  perform orderlatch_data.heal_positions(p_account);
  select r.covered_at into v_fills_covered_at
    from orderlatch_data.broker_reads as r
   where r.account_id = p_account.account_id and r.purpose = 'fills';
  with differing as (
    insert into orderlatch_data.position_differences as p
      (account_id, symbol, ours, theirs, first_seen_at, compared_at, checks)
    select p_account.account_id, d.symbol, d.ours, d.theirs, v_now, v_now, 1
      from orderlatch_data.drifted_positions(p_account) as d
     order by d.symbol
    on conflict on constraint position_differences_pkey do update
      -- fills may be on their way: only what a read of fills since then has not explained counts again
      set checks = least(p.checks + case when v_fills_covered_at > p.compared_at then 1 else 0 end, 30000),
          compared_at = case when v_fills_covered_at > p.compared_at then v_now else p.compared_at end,
          -- a difference that changes is more likely trading than drift
          first_seen_at = case
            when excluded.theirs - excluded.ours = p.theirs - p.ours or p.checks >= 5 then p.first_seen_at
            else v_now
          end,
          ours = excluded.ours, theirs = excluded.theirs
    returning p.checks, p.first_seen_at
  )
  select bool_or(d.checks < 2 or d.first_seen_at > v_now - p_account.drift_grace) into v_new
    from differing as d;
  if v_new then
    perform orderlatch_data.wish_reads(p_account.account_id, '{fills}', 'positions differ');
    perform orderlatch_data.wish_reads(
      p_account.account_id, '{positions}', 'positions differ', null, p_account.lookup_max_wait
    );
  end if;
  perform orderlatch_data.open_incident(
    'position_drift', p_account.account_id, null, p_request_id,
    jsonb_build_object('symbol', p.symbol, 'fills_say', p.ours, 'broker_says', p.theirs), p.symbol
  )
     from orderlatch_data.position_differences as p
    where p.account_id = p_account.account_id
      and p.checks >= 2
      and p.first_seen_at <= v_now - p_account.drift_grace;
end
$$;
revoke all on function orderlatch_data.compare_positions(orderlatch_data.accounts, uuid) from public;
comment on function orderlatch_data.compare_positions(orderlatch_data.accounts, uuid) is
  'Compares broker_positions with position_sums. What differs is looked at again after another complete '
  'read of fills, and is position_drift when it is the same after drift_grace; one that changes all the '
  'time is after its fifth comparison.';

-- Forgets differences of positions that have gone, and closes their incidents.
-- Locks: none; the caller holds the account for answering. Raises: none.
create or replace function orderlatch_data.heal_positions(p_account orderlatch_data.accounts)
returns void
language sql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  with healed as (
    delete from orderlatch_data.position_differences as p
     where p.account_id = p_account.account_id
       and p.symbol not in (select d.symbol from orderlatch_data.drifted_positions(p_account) as d)
    returning p.symbol
  )
  select orderlatch_data.heal_incident(
           'position_drift', p_account.account_id, h.symbol, 'the positions agree'
         )
    from healed as h
$$;
revoke all on function orderlatch_data.heal_positions(orderlatch_data.accounts) from public;
comment on function orderlatch_data.heal_positions(orderlatch_data.accounts) is
  'Ends what position_differences says of symbols that agree again.';
