-- Settles what is not plainly new among deliveries: redeliveries, conflicts, collisions, orders seen before.
-- Locks: account (answering), decisions ascending. Raises: OL201 account_busy, OL202 decision_busy.
create or replace function orderlatch_data.settle_deliveries(
  p_account orderlatch_data.accounts,
  p_decision_ids bigint[],
  p_decision_hashes text[],
  p_outcomes text[],
  p_seen bigint[]
)
returns void
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  if p_seen is not null then
    -- legs and fills of their orders may be recorded at this moment
    perform orderlatch_data.lock_account('answering', p_account.account_id);
  end if;
  if 'existing' = any (p_outcomes) then
    -- nobody else sees what this transaction has recorded; of what was there before only these may move: a
    -- redelivery of a thousand approved decisions takes no lock
    perform orderlatch_data.lock_decisions(array(
      select orderlatch_data.decision_lock_key(decode(t.decision_hash, 'hex'))
        from unnest(p_decision_ids, p_decision_hashes, p_outcomes) as t(decision_id, decision_hash, outcome)
        left join orderlatch_data.open_decisions as o on o.decision_id = t.decision_id
       where t.outcome = 'existing' and (o.status = 'planned' or t.decision_id = any (p_seen))
    ));
  end if;
  if 'conflict' = any (p_outcomes) then
    perform orderlatch_data.reject_conflicts(p_account, array(
      select t.decision_id
        from unnest(p_decision_ids, p_outcomes) as t(decision_id, outcome)
       where t.outcome = 'conflict'
    ));
  end if;
  if 'collision' = any (p_outcomes) then
    perform orderlatch_data.report_collisions(p_account, p_decision_ids, p_decision_hashes, p_outcomes);
  end if;
  if p_seen is not null then
    perform orderlatch_data.adopt_seen_orders(p_seen);
  end if;
end
$$;
revoke all on function orderlatch_data.settle_deliveries(
  orderlatch_data.accounts, bigint[], text[], text[], bigint[]
) from public;
comment on function orderlatch_data.settle_deliveries(
  orderlatch_data.accounts, bigint[], text[], text[], bigint[]
) is
  'p_decision_ids, p_decision_hashes, p_outcomes: as sort_deliveries has them, recorded. p_seen: find_seen.';

-- Rejects decisions whose signal already has a live decision with another intent.
-- Locks: none; the caller holds the account for judging. Raises: none.
create or replace function orderlatch_data.reject_conflicts(
  p_account orderlatch_data.accounts,
  p_decision_ids bigint[]
)
returns void
language sql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  with judged as (
    insert into orderlatch_data.risk_verdicts
      (decision_id, account_id, verdict_no, verdict, reasons, limits, inputs, judged_at, judged_by)
    select d.decision_id, p_account.account_id, 1, 'rejected', array['signal_already_decided'], '{}',
           jsonb_strip_nulls(jsonb_build_object('live_decision', encode(l.decision_hash, 'hex'))),
           orderlatch_data.clock(), session_user
      from orderlatch_data.trade_decisions as d
      -- an answer recorded at this moment may have freed the signal again
      left join orderlatch_data.live_signals as g on g.signal_key = orderlatch_data.signal_key(
             p_account.account_id, d.strategy_id, d.symbol, d.timeframe, d.event_ts, d.leg
           )
      left join orderlatch_data.trade_decisions as l on l.decision_id = g.decision_id
     where d.decision_id = any (p_decision_ids)
  )
  update orderlatch_data.open_decisions as o
     set status = 'rejected', move_reason = 'signal_already_decided'
   where o.decision_id = any (p_decision_ids)
$$;
revoke all on function orderlatch_data.reject_conflicts(orderlatch_data.accounts, bigint[]) from public;
comment on function orderlatch_data.reject_conflicts(orderlatch_data.accounts, bigint[]) is
  'Moves decisions of outcome conflict to rejected, reason signal_already_decided; the verdict names the '
  'live decision.';

-- Reports decisions whose hash is held by another intent, and halts the account.
-- Locks: none. Raises: none, as an error would roll the incident back.
create or replace function orderlatch_data.report_collisions(
  p_account orderlatch_data.accounts,
  p_decision_ids bigint[],
  p_decision_hashes text[],
  p_outcomes text[]
)
returns void
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  -- a loop, because a collision has never been seen: clarity before speed
  for v_place in 1 .. cardinality(p_outcomes) loop
    continue when p_outcomes[v_place] <> 'collision';
    perform orderlatch_data.open_incident(
      'hash_collision', p_account.account_id, p_decision_ids[v_place], null,
      jsonb_build_object('decision_hash', p_decision_hashes[v_place], 'delivered_by', session_user)
    );
    perform orderlatch_data.halt_account(p_account.account_id, 'hash_collision');
  end loop;
end
$$;
revoke all on function orderlatch_data.report_collisions(orderlatch_data.accounts, bigint[], text[], text[])
  from public;
comment on function orderlatch_data.report_collisions(orderlatch_data.accounts, bigint[], text[], text[]) is
  'Opens the incident hash_collision and halts the account for each decision of outcome collision. '
  'p_decision_ids, p_decision_hashes, p_outcomes: as sort_deliveries has them.';
