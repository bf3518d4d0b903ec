-- Records the decisions of an array that are new, and says of each element what became of it.
-- Locks: none; the caller holds the account for judging. Raises: none; a bad element's error is returned.
create or replace function orderlatch_data.record_decisions(
  p_account orderlatch_data.accounts,
  p_decisions jsonb
)
returns table (
  input_no integer, decision_id bigint, decision_hash bytea, outcome text,
  error_code text, error_message text, error_detail text, error_hint text
)
language sql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  with delivered as materialized (
    select r.*, (r.decision).decision_hash, k.decision_id as known_id, k.intent as known_intent
      from orderlatch_data.read_deliveries(p_account, p_decisions) as r
      left join lateral (
        select t.decision_id, t.intent from orderlatch_data.trade_decisions as t
         where t.decision_hash = (r.decision).decision_hash
        offset 0
      ) as k on true
  ), firsts as (
    select distinct on (d.decision_hash) d.input_no, d.decision, d.decision_hash, d.signal_key
      from delivered as d
     where d.error_code is null and d.known_id is null
     order by d.decision_hash, d.input_no
  ), fresh as materialized (
    select f.*,
           p_account.one_decision_per_signal
           and (
             row_number() over (partition by f.signal_key order by f.input_no) > 1
             or exists (select 1 from orderlatch_data.live_signals as g where g.signal_key = f.signal_key)
           ) as conflicting
      from firsts as f
  ), recorded as (
    insert into orderlatch_data.trade_decisions
    select (f.decision).*
      from fresh as f
     order by f.input_no
  ), guarded as (
    insert into orderlatch_data.live_signals (signal_key, decision_id)
    select f.signal_key, (f.decision).decision_id
      from fresh as f
     where p_account.one_decision_per_signal and not f.conflicting
    -- an order found at this moment, despite its verdict, may take the signal
    on conflict on constraint live_signals_pkey do nothing
  ), opened as (
    insert into orderlatch_data.open_decisions
      (decision_id, account_id, symbol, lock_key, status, lapse_at, next_try_at, move_reason)
    select n.decision_id, n.account_id, n.symbol, orderlatch_data.decision_lock_key(n.decision_hash),
           'planned', least(n.valid_until, n.recorded_at + p_account.max_decision_age), n.recorded_at,
           'proposed by ' || n.strategy_id
      from fresh as f
     cross join lateral (select (f.decision).*) as n
     order by f.input_no
  )
  select d.input_no, coalesce((f.decision).decision_id, d.known_id), d.decision_hash,
         case
           when d.error_code is not null then 'invalid'
           when coalesce((f.decision).intent, d.known_intent) <> (d.decision).intent then 'collision'
           when f.input_no is distinct from d.input_no then 'existing'
           when f.conflicting then 'conflict'
           else 'created'
         end,
         d.error_code, d.error_message, d.error_detail, d.error_hint
    from delivered as d
    left join fresh as f on f.decision_hash = d.decision_hash
   order by d.input_no
$$;
revoke all on function orderlatch_data.record_decisions(orderlatch_data.accounts, jsonb) from public;
comment on function orderlatch_data.record_decisions(orderlatch_data.accounts, jsonb) is
  'Records what is new of an array of decisions, in one statement. Returns one row for each element: '
  'outcome created, existing, conflict (its signal has a live decision with another intent), collision (its '
  'hash is held by another intent) or invalid (error_code is the SQLSTATE). The caller holds the account '
  'for judging, and settles conflicts and collisions.';
