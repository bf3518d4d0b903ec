-- Gathers, once for a batch, what the limits in force have to count.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.gather_stakes(
  p_account orderlatch_data.accounts,
  p_limits orderlatch_data.risk_limits[],
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
  v_day_from constant timestamptz := orderlatch_data.day_began_at(p_account, p_now);
  v_looks_at text[];
  v_across boolean;
  v_cool_down numeric;
  v_symbols text[];
begin
  select array_agg(distinct k.looks_at), bool_or(k.across_symbols and l.symbol is null),
         max(l.ceiling) filter (where k.limit_kind = 'cool_down')
    into v_looks_at, v_across, v_cool_down
    from unnest(p_limits) as l
    join orderlatch_data.risk_limit_kinds as k on k.limit_kind = l.limit_kind and k.looks_at <> 'decision'
   where exists (
     select 1
       from unnest(p_strategies, p_symbols) as d(strategy_id, symbol)
      where (l.strategy_id is null or l.strategy_id = d.strategy_id)
        and (l.symbol is null or l.symbol = d.symbol)
   );
  if v_looks_at is null then
    return;
  end if;
  stakes := '{}';
  if not v_across then
    v_symbols := array(select distinct y.symbol from unnest(p_symbols) as y(symbol));
  end if;

  if v_looks_at && '{orders,positions}' then
    stakes := array(select s from orderlatch_data.unsent_stakes(v_account_id, v_symbols) as s)
      || array(select s from orderlatch_data.order_stakes(v_account_id, v_symbols) as s);
  end if;
  if 'positions' = any (v_looks_at) then
    stakes := stakes || array(select s from orderlatch_data.held_stakes(v_account_id, v_symbols) as s);
  end if;
  if 'day' = any (v_looks_at) then
    stakes := stakes || array(
      select s
        from orderlatch_data.recent_stakes(
               v_account_id, v_symbols,
               least(v_day_from, p_now - make_interval(secs => v_cool_down::double precision)), v_day_from
             ) as s
    );
  end if;
  if 'opposite' = any (v_looks_at) then
    stakes := stakes
      || array(select s from orderlatch_data.opposite_stakes(v_account_id, p_symbols, p_actions) as s);
  end if;
  stakes := orderlatch_data.sum_stakes(stakes);
  if v_looks_at && '{orders,positions,day}' then
    totals := orderlatch_data.limit_totals(p_limits, stakes);
  end if;
end
$$;
revoke all on function orderlatch_data.gather_stakes(
  orderlatch_data.accounts, orderlatch_data.risk_limits[], text[], text[], text[], timestamptz
) from public;
comment on function orderlatch_data.gather_stakes(
  orderlatch_data.accounts, orderlatch_data.risk_limits[], text[], text[], text[], timestamptz
) is
  'The stakes of an account, one for each strategy and symbol, as far as the limits need them for decisions '
  'of these strategies, symbols and actions. Stable: all of it is read from one snapshot, so that an order '
  'which moves from here to there meanwhile is counted once. totals: limit_totals, null when no limit in '
  'their scope adds anything up; stakes are null when none looks at more than the decision.';

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
  return array(
    select (y.symbol, coalesce(k.stakes, '{}'))::orderlatch_data.symbol_stakes
      from (select distinct p.symbol from unnest(p_symbols) as p(symbol)) as y
      left join (
        select s.symbol, array_agg(s) as stakes from unnest(p_stakes) as s group by s.symbol
      ) as k on k.symbol = orderlatch_data.position_symbol(y.symbol)
     order by y.symbol
  );
end
$$;
revoke all on function orderlatch_data.split_stakes(orderlatch_data.risk_stake[], text[]) from public;
comment on function orderlatch_data.split_stakes(orderlatch_data.risk_stake[], text[]) is
  'The stakes in each of p_symbols (as orders have them), in the order of the symbols, each once.';
