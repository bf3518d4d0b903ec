-- Gathers everything that speaks against a decision, with the limits and the inputs used.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.weigh_decision(
  p_decision orderlatch_data.trade_decisions,
  p_limits orderlatch_data.risk_limits[],
  p_own orderlatch_data.risk_stake[],
  p_totals numeric[],
  p_now timestamptz,
  out reasons text[],
  out limits jsonb,
  out inputs jsonb,
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
  v_limit orderlatch_data.risk_limits;
  v_place integer := 0;
  v_without numeric[];
  v_with numeric[];
  v_grows boolean[];
  v_breach text;
  v_breaches text[];
  v_sums jsonb := jsonb_build_array();
begin
  limits := jsonb_build_object();
  if p_totals is not null then
    select array_agg(s.without_it order by s.place), array_agg(s.with_it order by s.place),
           array_agg(s.grows order by s.place), array_agg(s.total order by s.place)
      into v_without, v_with, v_grows, totals
      from orderlatch_data.sum_limits(p_decision, p_limits, p_own, p_totals, p_now) as s;
  end if;
  foreach v_limit in array p_limits loop
    v_place := v_place + 1;
    continue when v_limit.strategy_id <> p_decision.strategy_id
      or not orderlatch_data.is_same_symbol(v_limit.symbol, p_decision.symbol);
    limits := limits || orderlatch_data.kept_limit(v_limit);
    if v_with[v_place] is not null or v_without[v_place] is not null then
      v_sums := v_sums || jsonb_build_object(
        'limit_id', v_limit.limit_id, 'without', nullif(v_without[v_place], 'NaN'),
        'with', nullif(v_with[v_place], 'NaN')
      );
    end if;
    continue when not v_grows[v_place];
    v_breach := case
      when v_with[v_place] = 'NaN' then 'missing_price'
      else orderlatch_data.limit_breach(
        p_decision, v_limit, v_without[v_place], v_with[v_place], p_own, p_now)
    end;
    continue when v_breach is null;
    v_breaches := v_breaches || v_breach;
  end loop;
  reasons := orderlatch_data.order_faults(p_decision);
  if v_breaches is not null then
    reasons := reasons || array(select distinct b.code from unnest(v_breaches) as b(code) order by b.code);
  end if;
  inputs := jsonb_strip_nulls(
    jsonb_build_object(
      'qty', p_decision.qty,
      'notional', p_decision.notional,
      'price', orderlatch_data.valuation_price(p_decision),
      'signal_age_s', round(extract(epoch from p_now) - extract(epoch from p_decision.event_ts), 3),
      'sums', nullif(v_sums, '[]')
    )
  );
end
$$;
revoke all on function orderlatch_data.weigh_decision(
  orderlatch_data.trade_decisions, orderlatch_data.risk_limits[], orderlatch_data.risk_stake[], numeric[],
  timestamptz
) from public;
comment on function orderlatch_data.weigh_decision(
  orderlatch_data.trade_decisions, orderlatch_data.risk_limits[], orderlatch_data.risk_stake[], numeric[],
  timestamptz
) is
  'All reasons against the decision (empty: none), the limits that applied as kept_limit has them, the '
  'inputs as a JSON object (qty, notional and price in dollars, signal_age_s in seconds, sums as sum_limits '
  'says), and what the totals become when it is approved. p_limits: find_limits. p_own: the stakes in '
  'its symbol. p_totals: limit_totals; null when no limit adds anything up.';
