-- Rejects decisions whose signal already has a live decision with another intent.
-- Locks: none; the caller holds the account for judging. Raises: none.
create or replace function orderlatch_data.reject_conflicts(p_account orderlatch_data.accounts, p_taken jsonb)
returns void
language sql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  with conflicting as (
    select t.decision_id
      from jsonb_to_recordset(p_taken) as t(decision_id bigint, outcome text)
     where t.outcome = 'conflict'
  ), judged as (
    insert into orderlatch_data.risk_verdicts
      (decision_id, account_id, verdict_no, verdict, reasons, limits, inputs, judged_at, judged_by)
    select c.decision_id, p_account.account_id, 1, 'rejected', array['signal_already_decided'], '{}',
           jsonb_strip_nulls(jsonb_build_object('live_decision', encode(l.decision_hash, 'hex'))),
           orderlatch_data.clock(), session_user
      from conflicting as c
      join orderlatch_data.trade_decisions as d on d.decision_id = c.decision_id
      -- an answer recorded at this moment may have freed the signal again
      left join orderlatch_data.live_signals as g on g.signal_key = orderlatch_data.signal_key(
             p_account.account_id, d.strategy_id, d.symbol, d.timeframe, d.event_ts, d.leg
           )
      left join orderlatch_data.trade_decisions as l on l.decision_id = g.decision_id
  )
  update orderlatch_data.open_decisions as o
     set status = 'rejected', move_reason = 'signal_already_decided'
    from conflicting as c
   where o.decision_id = c.decision_id
$$;
revoke all on function orderlatch_data.reject_conflicts(orderlatch_data.accounts, jsonb) from public;
comment on function orderlatch_data.reject_conflicts(orderlatch_data.accounts, jsonb) is
  'Moves each decision of outcome conflict to rejected, reason signal_already_decided; the verdict names '
  'the live decision. p_taken: rows of record_decisions as a JSON array.';

-- Reports decisions whose hash is held by another intent, and halts the account.
-- Locks: none. Raises: none, as an error would roll the incident back.
create or replace function orderlatch_data.report_collisions(
  p_account orderlatch_data.accounts,
  p_taken jsonb
)
returns void
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_collision record;
begin
  -- a loop, because a collision has never been seen: clarity before speed
  for v_collision in
    select t.decision_id, t.decision_hash, t.input_no
      from jsonb_to_recordset(p_taken)
           as t(decision_id bigint, decision_hash bytea, input_no integer, outcome text)
     where t.outcome = 'collision'
     order by t.input_no
  loop
    perform orderlatch_data.open_incident(
      'hash_collision', p_account.account_id, v_collision.decision_id, null,
      jsonb_build_object(
        'decision_hash', encode(v_collision.decision_hash, 'hex'), 'delivered_by', session_user
      )
    );
    perform orderlatch_data.halt_account(p_account.account_id, 'hash_collision');
  end loop;
end
$$;
revoke all on function orderlatch_data.report_collisions(orderlatch_data.accounts, jsonb) from public;
comment on function orderlatch_data.report_collisions(orderlatch_data.accounts, jsonb) is
  'Opens the incident hash_collision and halts the account for each decision of outcome collision. p_taken: '
  'rows of record_decisions as a JSON array.';
