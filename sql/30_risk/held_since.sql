-- What the fills of a symbol after a moment add up to, of all or of one strategy.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.held_since(
  p_account_id integer,
  p_symbol text,
  p_strategy_id text,
  p_after timestamptz
)
returns numeric
language sql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select coalesce(sum(f.qty), 0)
    from orderlatch_data.fills as f
   where f.account_id = p_account_id
     and f.symbol = p_symbol
     and f.filled_at > p_after
     and (
       p_strategy_id = ''
       or exists (
         select 1
           from orderlatch_data.broker_orders as b
           join orderlatch_data.trade_decisions as d on d.decision_id = b.decision_id
          where b.order_no = f.order_no and d.strategy_id = p_strategy_id
         offset 0
       )
     )
$$;
revoke all on function orderlatch_data.held_since(integer, text, text, timestamptz) from public;
comment on function orderlatch_data.held_since(integer, text, text, timestamptz) is
  'Shares, coins or contracts; negative: sold. p_strategy_id: empty for all fills. p_after: the broker''s '
  'time; -infinity for all of them.';

-- Whether a quantity is what fills add up to, from the newest mark on, and where that does not fit from all.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.is_held(
  p_account_id integer,
  p_symbol text,
  p_strategy_id text,
  p_qty numeric
)
returns boolean
language sql
stable
parallel safe
security definer
set search_path = pg_catalog, pg_temp
as $$
  select case
    when p_qty = m.qty + orderlatch_data.held_since(p_account_id, p_symbol, p_strategy_id, m.through_at)
    then true
    -- a fill may have come late, or an order may have found its decision since
    when p_strategy_id = ''
      then p_qty = orderlatch_data.held_since(p_account_id, p_symbol, p_strategy_id, '-infinity')
    else p_qty = orderlatch_data.held_by_orders(p_account_id, p_symbol, p_strategy_id)
  end
    from (
      select coalesce(max(k.qty), 0) as qty, coalesce(max(k.through_at), '-infinity') as through_at
        from orderlatch_data.holding_marks as k
       where k.account_id = p_account_id and k.symbol = p_symbol and k.strategy_id = p_strategy_id
    ) as m
$$;
revoke all on function orderlatch_data.is_held(integer, text, text, numeric) from public;
grant execute on function orderlatch_data.is_held(integer, text, text, numeric) to
  orderlatch_operator, orderlatch_auditor;
comment on function orderlatch_data.is_held(integer, text, text, numeric) is
  'p_qty: what is to be compared, without adjustments. With the rights of the owner, as the view invariants '
  'calls it for its readers.';

-- What the orders of a strategy in a symbol were filled for.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.held_by_orders(
  p_account_id integer,
  p_symbol text,
  p_strategy_id text
)
returns numeric
language sql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select coalesce(sum(case b.side when 'sell' then -b.fills_qty else b.fills_qty end), 0)
    from orderlatch_data.broker_orders as b
    join orderlatch_data.trade_decisions as d on d.decision_id = b.decision_id
   where b.account_id = p_account_id
     and b.fills_qty <> 0
     and d.strategy_id = p_strategy_id
     and orderlatch_data.position_symbol(b.symbol) = p_symbol
$$;
revoke all on function orderlatch_data.held_by_orders(integer, text, text) from public;
comment on function orderlatch_data.held_by_orders(integer, text, text) is
  'Negative: sold. A strategy holds what its orders are in; a symbol that was renamed may be another one in '
  'their fills. Reads every order of the account.';
