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
      select h.symbol, coalesce(s.qty, 0) as ours, coalesce(p.qty, 0) as theirs,
             greatest(coalesce(s.bought, 0) * p_account.crypto_fee_allowance - f.entered, 0) as fee
        from (
          -- what is held at neither side agrees
          select q.symbol
            from orderlatch_data.position_sums as q
           where q.account_id = p_account.account_id and q.is_held
          union
          select q.symbol from orderlatch_data.broker_positions as q where q.account_id = p_account.account_id
        ) as h
        left join lateral (
          select q.symbol, q.qty, q.bought
            from orderlatch_data.position_sums as q
           where q.account_id = p_account.account_id and q.symbol = h.symbol
          offset 0
        ) as s on true
        left join lateral (
          select q.qty
            from orderlatch_data.broker_positions as q
           where q.account_id = p_account.account_id and q.symbol = h.symbol
          offset 0
        ) as p on true
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
