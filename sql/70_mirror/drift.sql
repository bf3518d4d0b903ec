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
             greatest(coalesce(s.bought, 0) * p_account.crypto_fee_allowance - f.entered, 0) as fee
        from (
          select q.* from orderlatch_data.position_sums as q where q.account_id = p_account.account_id
        ) as s
        full join (
          select q.* from orderlatch_data.broker_positions as q where q.account_id = p_account.account_id
        ) as p on p.symbol = s.symbol
       cross join lateral (
         -- a fee that an operator has entered is in ours already
         select coalesce(-sum(a.qty), 0) as entered
           from orderlatch_data.position_adjustments as a
          where a.account_id = p_account.account_id and a.symbol = s.symbol and a.kind = 'fee'
       ) as f
    ) as d
   cross join lateral (
     -- the list may be from before the newest fills: then theirs is what ours was between two of them
     select bool_or(d.theirs = n.ours) as is_one,
            bool_or(d.theirs between n.ours - d.fee and n.ours) as is_one_without_fees
       from orderlatch_data.positions_lately(p_account, d.symbol, d.ours) as n(ours)
   ) as o
   where d.theirs <> d.ours
     and not o.is_one
     -- the broker takes its fee for a pair out of the coin that was bought
     and not (o.is_one_without_fees and orderlatch_data.is_pair(p_account.account_id, d.symbol))
   order by d.symbol
$$;
revoke all on function orderlatch_data.drifted_positions(orderlatch_data.accounts) from public;
comment on function orderlatch_data.drifted_positions(orderlatch_data.accounts) is
  'Symbols, missing at either side included, whose quantity in the broker''s last list is none of '
  'positions_lately. A pair may be short by crypto_fee_allowance of what was bought, less the fees '
  'that were entered as adjustments.';

-- What a position was after each of its newest fills, and is.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.positions_lately(
  p_account orderlatch_data.accounts,
  p_symbol text,
  p_qty numeric
)
returns setof numeric
language sql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select p_qty
  union all
  select p_qty - sum(f.qty) over (order by f.filled_at desc, f.activity_id desc, f.entry)
    from orderlatch_data.broker_reads as r
    join orderlatch_data.fills as f on f.account_id = r.account_id
   where r.account_id = p_account.account_id
     and r.purpose = 'positions'
     and f.symbol = p_symbol
     -- the broker's clock may be ahead of this one, and its list behind its trades
     and f.filled_at > r.covered_at - interval '10 seconds'
$$;
revoke all on function orderlatch_data.positions_lately(orderlatch_data.accounts, text, numeric) from public;
comment on function orderlatch_data.positions_lately(orderlatch_data.accounts, text, numeric) is
  'p_qty, which is the position now, and what it was before each fill from ten seconds before the last list '
  'of positions on.';

-- Whether a position is one of a pair: positions spell pairs without their slash, and fills may.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.is_pair(p_account_id integer, p_symbol text)
returns boolean
language sql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select coalesce(
    (
      select b.symbol like '%/%'
        from orderlatch_data.fills as f
        join orderlatch_data.broker_orders as b on b.order_no = f.order_no
       where f.account_id = p_account_id and f.symbol = p_symbol and b.status <> 'unknown'
       order by f.filled_at desc
       limit 1
    ),
    false
  )
$$;
revoke all on function orderlatch_data.is_pair(integer, text) from public;
comment on function orderlatch_data.is_pair(integer, text) is
  'Whether the order of the newest fill of a position, of those that were shown, has a slash in its symbol.';

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
