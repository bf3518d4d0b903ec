-- Gives back the signals of decisions that ended without an order that could still appear.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.free_signals(p_decision_ids bigint[])
returns void
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_signal record;
begin
  -- a loop, by their keys: a join may read all rows that there are, and few decisions end so
  for v_signal in
    select i.decision_id,
           orderlatch_data.signal_key(
             d.account_id, d.strategy_id, d.symbol, d.timeframe, d.event_ts, d.leg
           ) as signal_key
      from unnest(p_decision_ids) as i(decision_id)
     cross join lateral (
       select k.status, k.clean from orderlatch_data.decision_outcomes as k
        where k.decision_id = i.decision_id
       offset 0
     ) as o
     cross join lateral (
       select k.* from orderlatch_data.trade_decisions as k where k.decision_id = i.decision_id
       offset 0
     ) as d
     where o.status in ('rejected', 'withdrawn') or (o.clean and o.status in ('refused', 'lapsed'))
     order by i.decision_id
  loop
    delete from orderlatch_data.live_signals as g
     where g.signal_key = v_signal.signal_key and g.decision_id = v_signal.decision_id;
  end loop;
end
$$;
revoke all on function orderlatch_data.free_signals(bigint[]) from public;
comment on function orderlatch_data.free_signals(bigint[]) is
  'Removes the guard of each decision that is rejected or withdrawn, or refused or lapsed while clean: '
  'its signal may be decided anew. An unclean one keeps its signal, as its order might still appear.';

-- Takes the signals of decisions that live again, unless another has taken them or is being proposed.
-- Locks: account (judging, try). Raises: none.
create or replace function orderlatch_data.retake_signals(p_decision_ids bigint[])
returns void
language sql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  insert into orderlatch_data.live_signals (signal_key, decision_id)
  select orderlatch_data.signal_key(
           d.account_id, d.strategy_id, d.symbol, d.timeframe, d.event_ts, d.leg
         ),
         d.decision_id
    from orderlatch_data.trade_decisions as d
    join orderlatch_data.accounts as a on a.account_id = d.account_id and a.one_decision_per_signal
   where d.decision_id = any (p_decision_ids)
     -- tried only, as decisions are held by now and proposals hold the account before them; in vain, the halt
     -- must do
     and pg_try_advisory_xact_lock(orderlatch_data.lock_class('judging'), d.account_id)
   order by d.decision_id
  on conflict on constraint live_signals_pkey do nothing
$$;
revoke all on function orderlatch_data.retake_signals(bigint[]) from public;
comment on function orderlatch_data.retake_signals(bigint[]) is
  'Guards the signal of each decision whose order was found despite its verdict, so that no second order '
  'follows it.';
