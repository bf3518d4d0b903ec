-- The price that an order is valued at: the most that it can pay, or the price the strategy saw.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.order_price(
  p_action text,
  p_order_type text,
  p_limit_price numeric,
  p_stop_price numeric,
  p_reference_price numeric
)
returns numeric
language plpgsql
immutable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return case
    when p_action = 'buy' and p_order_type in ('limit', 'stop_limit') then p_limit_price
    else greatest(p_limit_price, p_stop_price, p_reference_price)
  end;
end
$$;
revoke all on function orderlatch_data.order_price(text, text, numeric, numeric, numeric) from public;
comment on function orderlatch_data.order_price(text, text, numeric, numeric, numeric) is
  'Dollars for one share, coin or contract: a buy''s limit_price, else the highest of limit_price, '
  'stop_price and reference_price. Null when there is none.';

-- The price that a decision is valued at.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.valuation_price(p_decision orderlatch_data.trade_decisions)
returns numeric
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  -- of two exits that cancel each other, the one at the higher price may be the one that fills
  if p_decision.order_class = 'oco' then
    return greatest(
      (p_decision.take_profit ->> 'limit_price')::numeric, (p_decision.stop_loss ->> 'stop_price')::numeric,
      (p_decision.stop_loss ->> 'limit_price')::numeric, p_decision.reference_price
    );
  end if;
  return orderlatch_data.order_price(
    p_decision.action, p_decision.order_type, p_decision.limit_price, p_decision.stop_price,
    case
      -- it may fill far above its limit
      when p_decision.action = 'sell' and p_decision.order_type = 'limit' then coalesce(
        p_decision.reference_price,
        orderlatch_data.last_price(
          p_decision.account_id, orderlatch_data.position_symbol(p_decision.symbol)
        )
      )
      else p_decision.reference_price
    end
  );
end
$$;
revoke all on function orderlatch_data.valuation_price(orderlatch_data.trade_decisions) from public;
comment on function orderlatch_data.valuation_price(orderlatch_data.trade_decisions) is
  'Dollars for one share, coin or contract, see order_price; of an oco the highest price that it names. '
  'A sale at a limit without a reference_price has last_price for one. Exits of a bracket or oto do not '
  'count: they close what its entry opens. Null when there is none.';

-- How much a decision asks for, in shares and in dollars.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.decision_size(
  p_decision orderlatch_data.trade_decisions,
  out qty numeric,
  out worth numeric
)
returns record
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  if p_decision.qty is null and p_decision.notional is null then
    qty := 0;
    worth := 0;
    return;
  end if;
  qty := p_decision.qty;
  -- dollars buy the most at the lowest price that is known; a limit alone says nothing of how low it can go
  if qty is null and p_decision.reference_price is not null then
    qty := ceil(
      1e9 * p_decision.notional
        / least(p_decision.limit_price, p_decision.stop_price, p_decision.reference_price)
    ) / 1e9;
  end if;
  worth := coalesce(p_decision.notional, p_decision.qty * orderlatch_data.valuation_price(p_decision));
end
$$;
revoke all on function orderlatch_data.decision_size(orderlatch_data.trade_decisions) from public;
comment on function orderlatch_data.decision_size(orderlatch_data.trade_decisions) is
  'qty: shares, coins or contracts, 0 for an order of no size; of an order by notional what its dollars buy '
  'at the lowest price known, rounded up to nine decimals; null without a reference_price. worth: dollars, '
  'by valuation_price; null when there is no price.';

-- What a decision may trade whose order is not known yet: in shares and in dollars, with the newest price.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.unsent_size(
  p_decision orderlatch_data.trade_decisions,
  out qty numeric,
  out worth numeric
)
returns record
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_size constant record := orderlatch_data.decision_size(p_decision);
  v_price numeric;
begin
  if v_size.qty is null or v_size.worth is null then
    v_price := orderlatch_data.last_price(
      p_decision.account_id, orderlatch_data.position_symbol(p_decision.symbol)
    );
  end if;
  qty := coalesce(v_size.qty, v_size.worth / v_price, 'NaN');
  worth := coalesce(v_size.worth, v_size.qty * v_price, 'NaN');
end
$$;
revoke all on function orderlatch_data.unsent_size(orderlatch_data.trade_decisions) from public;
comment on function orderlatch_data.unsent_size(orderlatch_data.trade_decisions) is
  'decision_size; what it does not tell is taken at last_price, and NaN where that is not known either.';

-- The newest price that is known of a symbol in an account.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.last_price(p_account_id integer, p_symbol text)
returns numeric
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    select k.price * orderlatch_data.contract_size(p_symbol)
      from (
        (
          -- by when it was made: the past of an account may be read after its positions
          select f.price, f.filled_at as known_at
            from orderlatch_data.fills as f
           where f.account_id = p_account_id and f.symbol = p_symbol and f.entry = 'fill'
             -- what was taken back was mostly taken back for its price
             and not exists (
               select 1
                 from orderlatch_data.fills as r
                where r.order_no = f.order_no
                  and r.entry = 'reversal'
                  and r.amends = split_part(f.activity_id, '::', 2)
             )
           order by f.filled_at desc
           limit 1
        )
        union all
        select coalesce(p.current_price, p.avg_entry_price), coalesce(p.priced_at, p.seen_at)
          from orderlatch_data.broker_positions as p
         where p.account_id = p_account_id and p.symbol = p_symbol
      ) as k
     where k.price > 0
     order by k.known_at desc
     limit 1
  );
end
$$;
revoke all on function orderlatch_data.last_price(integer, text) from public;
comment on function orderlatch_data.last_price(integer, text) is
  'Dollars for one share, coin or contract: by the newest trade that was not busted or corrected, or by the '
  'broker''s list of positions when that is newer. p_symbol: as positions have it. Null when neither is '
  'known.';
