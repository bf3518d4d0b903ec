-- Gives back the signals of decisions that ended without an order that could still appear.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.free_signals(p_decision_ids bigint[])
returns void
language sql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  delete from orderlatch_data.live_signals as g
   using orderlatch_data.decision_outcomes as o
    join orderlatch_data.trade_decisions as d on d.decision_id = o.decision_id
   where o.decision_id = any (p_decision_ids)
     and (o.status in ('rejected', 'withdrawn') or (o.clean and o.status in ('refused', 'lapsed')))
     and g.signal_key = orderlatch_data.signal_key(
       d.account_id, d.strategy_id, d.symbol, d.timeframe, d.event_ts, d.leg
     )
     and g.decision_id = o.decision_id
$$;
revoke all on function orderlatch_data.free_signals(bigint[]) from public;
comment on function orderlatch_data.free_signals(bigint[]) is
  'Removes the guard of each decision that is rejected or withdrawn, or refused or lapsed while clean: '
  'its signal may be decided anew. An unclean one keeps its signal, as its order might still appear.';
