-- Enters a change of a position that no fill explains, signed by the caller.
-- Locks: account (answering). Raises: OL102, OL131, OL132, OL201, OL301.
create or replace function orderlatch.adjust_position(
  p_account text,
  p_symbol text,
  p_qty numeric,
  p_kind text,
  p_reason text
)
returns numeric
language plpgsql
volatile
parallel unsafe
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_account constant orderlatch_data.accounts := orderlatch_data.find_account(p_account);
  v_qty numeric;
begin
  perform orderlatch_data.require_read_committed();
  perform orderlatch_data.require_text('p_symbol', p_symbol, 64);
  perform orderlatch_data.require_text('p_reason', p_reason, 500);
  perform orderlatch_data.require_adjustment(p_kind, p_qty);
  perform orderlatch_data.require_right('adjusting a position of this account', v_account.account_id, null);
  perform orderlatch_data.make_durable();
  perform orderlatch_data.lock_account('answering', v_account.account_id);
  v_qty := orderlatch_data.book_adjustment(
    v_account.account_id, orderlatch_data.canonical_symbol(p_symbol), p_qty, p_kind, p_reason
  );
  -- a difference counts in limits until it has gone
  perform orderlatch_data.heal_positions(v_account);
  return v_qty;
end
$$;
revoke all on function orderlatch.adjust_position(text, text, numeric, text, text) from public;
grant execute on function orderlatch.adjust_position(text, text, numeric, text, text) to orderlatch_operator;
comment on function orderlatch.adjust_position(text, text, numeric, text, text) is
  'Adds to a position what came without a fill. p_symbol: as orders or as positions have it. p_qty: '
  'shares, coins or contracts to add; negative: to take away. p_kind: opening, split, transfer, fee or '
  'correction. p_reason: why, 1 to 500 characters. Returns the position after it. Raises OL102 '
  'account_unknown, OL131 argument_invalid, OL132 isolation_unsupported, OL201 account_busy, OL301 '
  'login_not_bound.';

-- Accepts the broker's positions where they were found to differ, signed by the caller.
-- Locks: account (answering). Raises: OL102, OL131, OL132, OL201, OL301.
create or replace function orderlatch.accept_positions(
  p_account text,
  p_kind text,
  p_reason text,
  p_symbol text default null
)
returns table (symbol text, adjusted_by numeric, qty numeric)
language plpgsql
volatile
parallel unsafe
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_account constant orderlatch_data.accounts := orderlatch_data.find_account(p_account);
begin
  perform orderlatch_data.require_read_committed();
  perform orderlatch_data.require_text('p_reason', p_reason, 500);
  perform orderlatch_data.require_adjustment(p_kind, 1);
  perform orderlatch_data.require_right('adjusting a position of this account', v_account.account_id, null);
  perform orderlatch_data.make_durable();
  perform orderlatch_data.lock_account('answering', v_account.account_id);
  return query
  select d.symbol, d.difference,
         orderlatch_data.book_adjustment(v_account.account_id, d.symbol, d.difference, p_kind, p_reason)
    from orderlatch_data.settled_differences(v_account) as d
   where p_symbol is null or d.symbol = orderlatch_data.position_symbol(p_symbol)
   order by d.symbol;
  perform orderlatch_data.heal_positions(v_account);
  -- what is left may need no more than fills that were read since the last list of positions
  perform orderlatch_data.wish_reads(v_account.account_id, '{fills}', 'positions to be accepted')
    where exists (
      select 1
        from orderlatch_data.position_differences as d
       where d.account_id = v_account.account_id
         and (p_symbol is null or d.symbol = orderlatch_data.position_symbol(p_symbol))
    );
end
$$;
revoke all on function orderlatch.accept_positions(text, text, text, text) from public;
grant execute on function orderlatch.accept_positions(text, text, text, text) to orderlatch_operator;
comment on function orderlatch.accept_positions(text, text, text, text) is
  'Enters as adjustments what the broker''s positions differ by, where two comparisons with a complete '
  'read of fills between them have shown it: opening positions of a used account, splits, transfers. A '
  'symbol that was traded around the last comparison, or whose fills were not read since, is left out: they '
  'are read now, so call again in a few seconds. p_kind: opening, split, transfer, fee or correction. '
  'p_reason: why, 1 to 500 characters. p_symbol: null is every symbol. Returns what was entered. Raises '
  'OL102 account_unknown, OL131 argument_invalid, OL132, OL201 account_busy, OL301 login_not_bound.';

-- What positions differ by for certain: no fill that is on its way can be part of it.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.settled_differences(p_account orderlatch_data.accounts)
returns table (symbol text, difference numeric)
language sql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select d.symbol, d.theirs - coalesce(s.qty, 0)
    from orderlatch_data.position_differences as d
    join orderlatch_data.broker_reads as p on p.account_id = d.account_id and p.purpose = 'positions'
    join orderlatch_data.broker_reads as f on f.account_id = d.account_id and f.purpose = 'fills'
    left join orderlatch_data.position_sums as s on s.account_id = d.account_id and s.symbol = d.symbol
   where d.account_id = p_account.account_id
     and d.checks >= 2
     and f.covered_at >= p.completed_at
     and coalesce(s.last_fill_at < p.covered_at - interval '10 seconds', true)
     and d.theirs <> coalesce(s.qty, 0)
$$;
revoke all on function orderlatch_data.settled_differences(orderlatch_data.accounts) from public;
comment on function orderlatch_data.settled_differences(orderlatch_data.accounts) is
  'Symbols of position_differences that differed in two comparisons, whose fills have been read completely '
  'since the last list of positions, and which were not traded from ten seconds before it on. difference: '
  'what is to be added to ours.';

-- Refuses an adjustment that says nothing.
-- Locks: none. Raises: OL131 argument_invalid.
create or replace function orderlatch_data.require_adjustment(p_kind text, p_qty numeric)
returns void
language plpgsql
immutable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  if coalesce(p_kind, '') not in ('opening', 'split', 'transfer', 'fee', 'correction') then
    raise exception using
      errcode = 'OL131',
      message = 'argument_invalid: p_kind must be opening, split, transfer, fee or correction';
  end if;
  if p_qty is null or p_qty = 0 or not (abs(p_qty) < 1e40) then
    raise exception using
      errcode = 'OL131',
      message = 'argument_invalid: p_qty must be a number other than 0',
      hint = 'It is what is added to the position, or with a minus taken away; not the position itself.';
  end if;
end
$$;
revoke all on function orderlatch_data.require_adjustment(text, numeric) from public;
comment on function orderlatch_data.require_adjustment(text, numeric) is
  'Passes a kind of adjustment and a quantity that is not zero, else OL131 argument_invalid.';

-- Books an adjustment and adds it to the position.
-- Locks: none; the caller holds the account for answering. Raises: none.
create or replace function orderlatch_data.book_adjustment(
  p_account_id integer,
  p_symbol text,
  p_qty numeric,
  p_kind text,
  p_reason text
)
returns numeric
language sql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  insert into orderlatch_data.position_adjustments
    (account_id, symbol, qty, kind, reason, adjusted_at, adjusted_by)
  values (
    p_account_id, orderlatch_data.position_symbol(p_symbol), p_qty, p_kind, p_reason, orderlatch_data.clock(),
    session_user
  );
  insert into orderlatch_data.position_sums as p (account_id, symbol, qty, bought, sold)
  values (p_account_id, orderlatch_data.position_symbol(p_symbol), p_qty, 0, 0)
  on conflict on constraint position_sums_pkey do update set qty = p.qty + excluded.qty
  returning p.qty
$$;
revoke all on function orderlatch_data.book_adjustment(integer, text, numeric, text, text) from public;
comment on function orderlatch_data.book_adjustment(integer, text, numeric, text, text) is
  'Inserts a position adjustment, signed by session_user, and returns the position after it.';
