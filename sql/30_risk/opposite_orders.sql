-- Finds orders that those of a batch could trade with: resting at the broker, or about to be sent there.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.find_opposite(
  p_account_id integer,
  p_symbols text[],
  p_actions text[]
)
returns orderlatch_data.risk_stake[]
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_coming constant bigint[] := orderlatch_data.decisions_on_their_way(p_account_id, p_symbols);
  v_opposite bigint[];
  v_stakes orderlatch_data.risk_stake[] := array[]::orderlatch_data.risk_stake[];
begin
  select array_agg(b.order_no) into v_opposite
    from (
      -- an order of a pair may be shown as positions spell it
      select distinct y.symbol, case g.action when 'buy' then 'sell' else 'buy' end as side
        from unnest(p_symbols, p_actions) as g(symbol, action)
       cross join lateral unnest(array[g.symbol, orderlatch_data.position_symbol(g.symbol)]) as y(symbol)
    ) as w
   cross join lateral (
     select k.order_no
       from orderlatch_data.broker_orders as k
      where k.account_id = p_account_id and k.symbol = w.symbol and k.side = w.side and k.is_open
     offset 0
   ) as b;
  -- mostly there is none, and a statement that is not asked costs nothing
  if v_opposite is not null then
    v_stakes := orderlatch_data.opposite_stakes(v_opposite);
  end if;
  if v_coming is not null then
    v_stakes := v_stakes || array(
      select orderlatch_data.make_stake(
               null, t.symbol, t.action, p_qty => 0, p_worth => 0,
               p_at_any => t.order_type = 'stop', p_limit => t.limit_price
             )
        from orderlatch_data.trade_decisions as t
       where t.decision_id = any (v_coming)
         and orderlatch_data.surely_rests(t)
         and exists (
           select 1
             from unnest(p_symbols, p_actions) as g(symbol, action)
            where g.symbol = t.symbol and g.action <> t.action
         )
    );
  end if;
  return v_stakes;
end
$$;
revoke all on function orderlatch_data.find_opposite(integer, text[], text[]) from public;
comment on function orderlatch_data.find_opposite(integer, text[], text[]) is
  'A stake, without size, for each order that is on the other side of p_actions in p_symbols. Left out is '
  'what the broker leaves out (orders of a class, their legs, trailing stops) and what may be filled by the '
  'time that the next order of the symbol is sent: orders that the broker has just taken (pending_new), '
  'market orders unless they wait for the market to open, and decisions on their way unless surely_rests.';

-- What those of some orders that an order of the other side would conflict with count as.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.opposite_stakes(p_order_nos bigint[])
returns orderlatch_data.risk_stake[]
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return array(
    select orderlatch_data.make_stake(
             null, b.symbol, b.side, p_qty => 0, p_worth => 0,
             p_at_any => t.order_type in ('market', 'stop'), p_limit => b.limit_price
           )
      from orderlatch_data.broker_orders as b
      left join lateral (
        select t.order_class, t.order_type
          from orderlatch_data.trade_decisions as t
         where t.decision_id = b.decision_id
        offset 0
      ) as d on true
     cross join lateral (
       -- what was decided counts, not what the broker makes of it: a buy stop comes back as a stop limit
       select case when b.relation = 'order' then coalesce(d.order_type, b.order_type) else b.order_type end
                as order_type
     ) as t
     where b.order_no = any (p_order_nos)
       and b.relation <> 'leg'
       and b.status <> 'pending_new'
       and orderlatch_data.can_conflict(coalesce(d.order_class, 'simple'), t.order_type)
       and (t.order_type <> 'market' or b.status in ('accepted', 'accepted_for_bidding'))
  );
end
$$;
revoke all on function orderlatch_data.opposite_stakes(bigint[]) from public;
comment on function orderlatch_data.opposite_stakes(bigint[]) is
  'A stake, without size, for each of p_order_nos that the broker has or may have in its book: see '
  'find_opposite.';

-- opposite_order: an order that the broker would take for a wash trade.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.opposite_order_breach(
  p_decision orderlatch_data.trade_decisions,
  p_stakes orderlatch_data.risk_stake[]
)
returns text
language plpgsql
immutable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_at_any boolean;
  v_buy_limit numeric;
  v_sell_limit numeric;
begin
  if cardinality(p_stakes) = 0
    or not orderlatch_data.can_conflict(p_decision.order_class, p_decision.order_type)
  then
    return null;
  end if;
  select case p_decision.action when 'buy' then bool_or(s.sell_at_any) else bool_or(s.buy_at_any) end,
         max(s.buy_limit), min(s.sell_limit)
    into v_at_any, v_buy_limit, v_sell_limit
    from unnest(p_stakes) as s
   where s.symbol = orderlatch_data.position_symbol(p_decision.symbol);
  return case
    when v_at_any then 'opposite_order:market_or_stop'
    when p_decision.order_type in ('market', 'stop')
      and case p_decision.action when 'buy' then v_sell_limit else v_buy_limit end is not null
      then 'opposite_order:market_or_stop'
    when p_decision.action = 'buy' and p_decision.limit_price >= v_sell_limit
      then 'opposite_order:prices_cross'
    when p_decision.action = 'sell' and p_decision.limit_price <= v_buy_limit
      then 'opposite_order:prices_cross'
  end;
end
$$;
revoke all on function orderlatch_data.opposite_order_breach(
  orderlatch_data.trade_decisions, orderlatch_data.risk_stake[]
) from public;
comment on function orderlatch_data.opposite_order_breach(
  orderlatch_data.trade_decisions, orderlatch_data.risk_stake[]
) is
  'Null, opposite_order:market_or_stop (one of the two trades at any price) or opposite_order:prices_cross '
  '(a buy at or above the lowest sale, a sale at or below the highest buy).';

-- Whether the broker looks for orders of the other side that an order could trade with.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.can_conflict(p_order_class text, p_order_type text)
returns boolean
language plpgsql
immutable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return p_order_class = 'simple' and p_order_type in ('market', 'limit', 'stop', 'stop_limit');
end
$$;
revoke all on function orderlatch_data.can_conflict(text, text) from public;
comment on function orderlatch_data.can_conflict(text, text) is
  'False for orders of a class and for trailing stops, which the broker exempts.';

-- Whether an order that is not sent yet will rest at the broker when the next of its symbol is sent.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.surely_rests(p_decision orderlatch_data.trade_decisions)
returns boolean
language plpgsql
immutable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return p_decision.order_class = 'simple' and p_decision.order_type in ('stop', 'stop_limit');
end
$$;
revoke all on function orderlatch_data.surely_rests(orderlatch_data.trade_decisions) from public;
comment on function orderlatch_data.surely_rests(orderlatch_data.trade_decisions) is
  'True for simple stops and stop limits. A market or limit order may be filled at once, and whether it is '
  'only the broker knows: it is left to the broker to refuse what conflicts with it.';
