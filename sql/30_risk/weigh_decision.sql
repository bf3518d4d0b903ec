-- Gathers everything that speaks against a decision, with the limits and the inputs used.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.weigh_decision(
  p_decision orderlatch_data.trade_decisions,
  p_now timestamptz
)
returns table (reasons text[], limits jsonb, inputs jsonb)
language sql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select orderlatch_data.order_faults(p_decision) || array(
           select distinct b.reason
             from orderlatch_data.limits_for(p_decision) as l
            cross join lateral (select orderlatch_data.limit_breach(p_decision, l, p_now) as reason) as b
            where b.reason is not null
            order by b.reason
         ),
         coalesce(
           (
             select jsonb_agg(
                      jsonb_build_object(
                        'limit_id', l.limit_id, 'limit_kind', l.limit_kind, 'ceiling', l.ceiling
                      )
                      order by l.limit_id
                    )
               from orderlatch_data.limits_for(p_decision) as l
           ),
           '[]'
         ),
         jsonb_strip_nulls(
           jsonb_build_object(
             'qty', p_decision.qty,
             'notional', p_decision.notional,
             'price', orderlatch_data.valuation_price(p_decision),
             'signal_age_s', round(extract(epoch from p_now) - extract(epoch from p_decision.event_ts), 3)
           )
         )
$$;
revoke all on function orderlatch_data.weigh_decision(orderlatch_data.trade_decisions, timestamptz)
  from public;
comment on function orderlatch_data.weigh_decision(orderlatch_data.trade_decisions, timestamptz) is
  'All reasons against the decision (empty: none), the limits that applied as a JSON array, and the inputs '
  'as a JSON object: qty, notional and price in dollars, signal_age_s in seconds.';
