-- Gathers, once for a batch, what the limits in force have to count.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.gather_stakes(
  p_account orderlatch_data.accounts,
  p_limits orderlatch_data.risk_limits[],
  p_kinds orderlatch_data.risk_limit_kinds[],
  p_strategies text[],
  p_symbols text[],
  p_actions text[],
  p_now timestamptz,
  out stakes orderlatch_data.risk_stake[],
  out totals numeric[]
)
returns record
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_account_id constant integer := p_account.account_id;
  v_looks constant record := orderlatch_data.limits_look_at(p_limits, p_kinds, p_strategies, p_symbols);
  v_looks_at constant text[] := v_looks.looks_at;
  -- the broker may show an order of a pair as its positions spell it
  v_symbols constant text[] := case
    when not v_looks.across then p_symbols || array(
      select orderlatch_data.position_symbol(y.symbol)
        from unnest(p_symbols) as y(symbol)
       where y.symbol like '%/%'
    )
  end;
begin
  if cardinality(v_looks_at) = 0 then
    return;
  end if;
  stakes := '{}';
  if v_looks_at && '{orders,positions}' then
    stakes := array(select s from orderlatch_data.unsent_stakes(v_account_id, v_symbols) as s)
      || array(select s from orderlatch_data.order_stakes(v_account_id, v_symbols) as s);
  end if;
  if 'positions' = any (v_looks_at) then
    stakes := stakes || array(select s from orderlatch_data.held_stakes(v_account_id, v_symbols) as s);
  end if;
  if 'day' = any (v_looks_at) then
    stakes := stakes || orderlatch_data.day_stakes(
      p_account, v_symbols, p_now, v_looks.cool_down, v_looks.of_day, v_looks.worth_of_day
    );
  end if;
  if 'opposite' = any (v_looks_at) then
    stakes := stakes || orderlatch_data.find_opposite(v_account_id, p_symbols, p_actions);
  end if;
  if cardinality(stakes) > 1 then
    stakes := orderlatch_data.sum_stakes(stakes);
  end if;
  if v_looks_at && '{orders,positions,day}' then
    totals := orderlatch_data.limit_totals(p_limits, stakes);
  end if;
end
$$;
revoke all on function orderlatch_data.gather_stakes(
  orderlatch_data.accounts, orderlatch_data.risk_limits[], orderlatch_data.risk_limit_kinds[], text[], text[],
  text[], timestamptz
) from public;
comment on function orderlatch_data.gather_stakes(
  orderlatch_data.accounts, orderlatch_data.risk_limits[], orderlatch_data.risk_limit_kinds[], text[], text[],
  text[], timestamptz
) is
  'The stakes of an account, one for each strategy and symbol, as far as the limits need them for decisions '
  'of these strategies, symbols and actions. p_kinds: the kind of each limit. Stable: all of it is read '
  'from one snapshot, so that an order which moves from here to there meanwhile is counted once. totals: '
  'limit_totals, null when no limit in their scope adds anything up; stakes are null when none looks at '
  'more than the decision.';

-- What the limits that fit decisions of a batch look at, beyond the decisions themselves.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.limits_look_at(
  p_limits orderlatch_data.risk_limits[],
  p_kinds orderlatch_data.risk_limit_kinds[],
  p_strategies text[],
  p_symbols text[],
  out looks_at text[],
  out across boolean,
  out of_day boolean,
  out worth_of_day boolean,
  out cool_down numeric
)
returns record
language plpgsql
immutable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_limit orderlatch_data.risk_limits;
  v_kind orderlatch_data.risk_limit_kinds;
begin
  looks_at := '{}';
  across := false;
  of_day := false;
  worth_of_day := false;
  for v_place in 1 .. cardinality(p_limits) loop
    v_limit := p_limits[v_place];
    v_kind := p_kinds[v_place];
    continue when v_kind.looks_at = 'decision';
    if v_limit.strategy_id is not null or v_limit.symbol is not null then
      continue when not exists (
        select 1
          from unnest(p_strategies, p_symbols) as d(strategy_id, symbol)
         where (v_limit.strategy_id is null or v_limit.strategy_id = d.strategy_id)
           and (v_limit.symbol is null or orderlatch_data.is_same_symbol(v_limit.symbol, d.symbol))
      );
    end if;
    looks_at := looks_at || v_kind.looks_at;
    across := across or (v_kind.across_symbols and v_limit.symbol is null);
    case v_kind.limit_kind
      when 'cool_down' then
        cool_down := greatest(cool_down, v_limit.ceiling);
      when 'orders_a_day' then
        of_day := true;
      when 'notional_a_day' then
        of_day := true;
        worth_of_day := true;
      else
        null;
    end case;
  end loop;
end
$$;
revoke all on function orderlatch_data.limits_look_at(
  orderlatch_data.risk_limits[], orderlatch_data.risk_limit_kinds[], text[], text[]
) from public;
comment on function orderlatch_data.limits_look_at(
  orderlatch_data.risk_limits[], orderlatch_data.risk_limit_kinds[], text[], text[]
) is
  'looks_at: as risk_limit_kinds has it, of each limit whose scope fits one of the decisions; empty when '
  'they look at decisions alone. across: whether one of them adds up all symbols. of_day: whether one '
  'counts orders of the day, worth_of_day: also their dollars. cool_down: the longest, in seconds; null: '
  'none.';

-- Sorts stakes by the symbols of a batch.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.split_stakes(
  p_stakes orderlatch_data.risk_stake[],
  p_symbols text[]
)
returns orderlatch_data.symbol_stakes[]
language plpgsql
immutable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  if coalesce(cardinality(p_stakes), 0) = 0 then
    return array[]::orderlatch_data.symbol_stakes[];
  end if;
  return array(
    select (y.symbol, coalesce(k.stakes, '{}'))::orderlatch_data.symbol_stakes
      from unnest(p_symbols) with ordinality as y(symbol)
      left join (
        select s.symbol, array_agg(s) as stakes from unnest(p_stakes) as s group by s.symbol
      ) as k on k.symbol = orderlatch_data.position_symbol(y.symbol)
     order by y.ordinality
  );
end
$$;
revoke all on function orderlatch_data.split_stakes(orderlatch_data.risk_stake[], text[]) from public;
comment on function orderlatch_data.split_stakes(orderlatch_data.risk_stake[], text[]) is
  'The stakes in each of p_symbols (as orders have them), in their order; empty when there are no stakes.';
