-- Records the decisions of an array that are new, and says of each element what became of it.
-- Locks: none; the caller holds the account for judging. Raises: none; a bad element is returned with its error.
create or replace function orderlatch_data.record_decisions(
  p_account orderlatch_data.accounts,
  p_decisions jsonb
)
returns table (
  input_no integer,
  decision_id bigint,
  decision_hash bytea,
  outcome text,
  error_code text,
  error_message text,
  error_detail text,
  error_hint text
)
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_now constant timestamptz := orderlatch_data.clock();
begin
  return query
  with delivered as materialized (
    select i.input_no::integer as input_no, r.*,
           orderlatch_data.signal_key(
             p_account.account_id, r.strategy_id, r.symbol, r.timeframe, r.event_ts, r.leg
           ) as signal_key,
           not orderlatch_data.login_may_act(p_account.account_id, r.strategy_id) as unbound
      from jsonb_array_elements(p_decisions) with ordinality as i(element, input_no)
     cross join lateral orderlatch_data.read_decision(p_account.account, i.element) as r
  ), known as materialized (
    select d.decision_hash, t.decision_id, t.intent
      from delivered as d
     cross join lateral (
       select k.decision_id, k.intent
         from orderlatch_data.trade_decisions as k
        where k.decision_hash = d.decision_hash
     ) as t
  ), firsts as (
    select distinct on (d.decision_hash) d.*
      from delivered as d
     where d.error_code is null
       and not d.unbound
       and not exists (select 1 from known as k where k.decision_hash = d.decision_hash)
     order by d.decision_hash, d.input_no
  ), fresh as materialized (
    -- in input order, so that decisions are numbered and later approved in the order in which they were given
    select nextval('orderlatch_data.decision_ids') as decision_id, f.*
      from (
        select s.*,
               p_account.one_decision_per_signal
               and (
                 row_number() over (partition by s.signal_key order by s.input_no) > 1
                 or exists (select 1 from orderlatch_data.live_signals as g where g.signal_key = s.signal_key)
               ) as conflicting
          from firsts as s
         order by s.input_no
      ) as f
  ), recorded as (
    insert into orderlatch_data.trade_decisions (
      decision_id, decision_hash, hash_version, account_id, strategy_id, symbol, event_ts, timeframe, leg, action,
      qty, notional, order_type, time_in_force, limit_price, stop_price, trail_price, trail_percent, extended_hours,
      order_class, take_profit, stop_loss, position_intent, params, intent, rationale, reference_price, valid_until,
      metadata, recorded_at, recorded_by
    )
    select f.decision_id, f.decision_hash, f.hash_version, p_account.account_id, f.strategy_id, f.symbol, f.event_ts,
           f.timeframe, f.leg, f.action, f.qty, f.notional, f.order_type, f.time_in_force, f.limit_price,
           f.stop_price, f.trail_price, f.trail_percent, f.extended_hours, f.order_class, f.take_profit, f.stop_loss,
           f.position_intent, nullif(f.params, '{}'), f.intent, f.rationale, f.reference_price, f.valid_until,
           f.metadata, v_now, session_user
      from fresh as f
  ), guarded as (
    insert into orderlatch_data.live_signals (signal_key, decision_id)
    select f.signal_key, f.decision_id
      from fresh as f
     where p_account.one_decision_per_signal and not f.conflicting
  ), opened as (
    insert into orderlatch_data.open_decisions
      (decision_id, account_id, symbol, lock_key, status, lapse_at, next_try_at, move_reason)
    select f.decision_id, p_account.account_id, f.symbol, orderlatch_data.decision_lock_key(f.decision_hash), 'planned',
           least(f.valid_until, v_now + p_account.max_decision_age), v_now, 'proposed by ' || f.strategy_id
      from fresh as f
  )
  select d.input_no, coalesce(f.decision_id, k.decision_id), d.decision_hash,
         case
           when d.error_code is not null or d.unbound then 'invalid'
           when coalesce(f.intent, k.intent) <> d.intent then 'collision'
           when f.input_no is distinct from d.input_no then 'existing'
           when f.conflicting then 'conflict'
           else 'created'
         end,
         case when d.unbound then 'OL301' else d.error_code end,
         case when d.unbound then format('login_not_bound: login %L may not act for strategy %L', session_user, d.strategy_id)
              else d.error_message end,
         d.error_detail, d.error_hint
    from delivered as d
    left join fresh as f on f.decision_hash = d.decision_hash
    left join lateral (
      select n.decision_id, n.intent from known as n where n.decision_hash = d.decision_hash limit 1
    ) as k on true
   order by d.input_no;
end
$$;
revoke all on function orderlatch_data.record_decisions(orderlatch_data.accounts, jsonb) from public;
comment on function orderlatch_data.record_decisions(orderlatch_data.accounts, jsonb) is
  'Records what is new of an array of decisions, in one statement. Returns one row for each element: outcome created, existing, '
  'conflict (its signal has a live decision with another intent), collision (its hash is held by another intent) or invalid '
  '(error_code is the SQLSTATE). The caller holds the account for judging, and settles conflicts and collisions.';
