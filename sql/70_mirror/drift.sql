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
  v_from_at timestamptz;
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
    returning p.symbol, p.checks, p.first_seen_at, p.compared_at
  )
  select bool_or(d.checks < 2 or d.first_seen_at > v_now - p_account.drift_grace),
         -- a bust may bear the time of its trade, which lies before what is read as a rule
         min(s.last_fill_at - interval '1 day') filter (where d.checks = 2 and d.compared_at = v_now)
    into v_new, v_from_at
    from differing as d
    left join orderlatch_data.position_sums as s
      on s.account_id = p_account.account_id and s.symbol = d.symbol;
  if v_from_at is not null then
    perform orderlatch_data.wish_reads(p_account.account_id, '{fills}', 'positions differ', v_from_at);
  end if;
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
  'time is after its fifth comparison. Seen twice, it has fills read once from a day before the last one of '
  'its symbol.';

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
