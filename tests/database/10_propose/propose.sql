-- One delivery, and the same again.
begin;
select plan(15);

select test_support.hold_clock('2026-03-02 15:00:00Z');
select test.given_account();
create temporary table delivery as
  select test.a_decision(
           '{"symbol": " goog ", "rationale": "crossed", "metadata": {"run": 7}, "valid_until": "2026-03-02T15:10:00Z"}'
         ) as decision;
create temporary table first as
  select p.* from delivery as d, orderlatch.propose_decision('paper', d.decision) as p;

select results_eq(
  $$ select f.decision_hash, f.status, f.outcome, f.reasons from first as f $$,
  $$ select orderlatch.decision_hash('paper', d.decision), 'approved', 'created', '{}'::text[] from delivery as d $$,
  'a new decision is recorded and judged in one call'
);
select results_eq(
  $$ select d.decision_id, encode(d.decision_hash, 'hex'), d.hash_version, d.account_id, d.strategy_id, d.symbol, d.event_ts,
            d.timeframe, d.leg, d.action, d.qty, d.notional, d.order_type, d.time_in_force, d.rationale, d.reference_price,
            d.valid_until, d.metadata, d.params, d.recorded_at, d.recorded_by = session_user
       from orderlatch_data.trade_decisions as d $$,
  $$ select f.decision_id, f.decision_hash, 1::smallint, test.account_id(), 'momentum', 'GOOG',
            (d.decision ->> 'event_ts')::timestamptz, '1d', '', 'buy', 10::numeric, null::numeric, 'market', 'day', 'crossed',
            190.25, '2026-03-02 15:10:00Z'::timestamptz, '{"run": 7}'::jsonb, null::jsonb,
            '2026-03-02 15:00:00Z'::timestamptz, true
       from first as f, delivery as d $$,
  'every member is stored, in canonical form'
);
select results_eq(
  $$ select o.decision_id, o.account_id, o.symbol, o.lock_key, o.status, o.approval_no is not null, o.lapse_at, o.next_try_at,
            o.tries, o.submits, o.clean, o.lookup_first, o.wish, o.holder_request_id
       from orderlatch_data.open_decisions as o $$,
  $$ select f.decision_id, test.account_id(), 'GOOG', ('x' || left(f.decision_hash, 8))::bit(32)::integer, 'approved', true,
            '2026-03-02 15:10:00Z'::timestamptz, '2026-03-02 15:00:00Z'::timestamptz, 0::smallint, 0::smallint, true, false,
            null::text, null::uuid
       from first as f $$,
  'an open row waits for a claim, until valid_until'
);

-- Delivered again, an hour later, with other words around the same intent.
select test_support.advance_clock('1 hour');
create temporary table counts as
  select (select count(*) from orderlatch_data.trade_decisions) as decisions,
         (select count(*) from orderlatch_data.decision_events) as events,
         (select count(*) from orderlatch_data.risk_verdicts) as verdicts;
select results_eq(
  $$ select p.decision_id, p.decision_hash, p.status, p.outcome, p.reasons
       from delivery as d,
            orderlatch.propose_decision('paper', d.decision || '{"rationale": "again", "reference_price": "1"}') as p $$,
  $$ select f.decision_id, f.decision_hash, 'approved', 'existing', '{}'::text[] from first as f $$,
  'a decision that is delivered again is the same decision'
);
select results_eq(
  $$ select (select count(*) from orderlatch_data.trade_decisions), (select count(*) from orderlatch_data.decision_events),
            (select count(*) from orderlatch_data.risk_verdicts) $$,
  'select * from counts', 'a second delivery records, moves and judges nothing'
);
select results_eq(
  'select d.rationale, d.reference_price, d.recorded_at from orderlatch_data.trade_decisions as d',
  $$ values ('crossed', 190.25, '2026-03-02 15:00:00Z'::timestamptz) $$,
  'what is not part of the intent stays as the first delivery gave it'
);
select is(
  (select p.outcome
     from delivery as d,
          orderlatch.propose_decision(
            'paper',
            d.decision || '{"symbol": "GOOG", "qty": 10.0, "action": "BUY", "order_type": "market", "time_in_force": "DAY",
                            "leg": "", "params": {}, "extended_hours": false, "order_class": "simple", "v": 1}'
          ) as p),
  'existing', 'another spelling of the same intent is the same decision'
);
select is(
  (select p.outcome from delivery as d, orderlatch.propose_decision('paper', d.decision || '{"leg": "hedge"}') as p),
  'created', 'another leg of the signal is another decision'
);

-- When it is not to be sent any more.
create function pg_temp.lapses_after(p_decision_hash text)
returns interval
language sql
as $$
  select o.lapse_at - d.recorded_at
    from orderlatch_data.open_decisions as o
    join orderlatch_data.trade_decisions as d on d.decision_id = o.decision_id
   where d.decision_id = test.decision_id(p_decision_hash)
$$;
select is(
  pg_temp.lapses_after(test.given_decision()), '15 minutes',
  'a decision without valid_until lapses at the max_decision_age of its account'
);
select is(
  pg_temp.lapses_after(test.given_decision('paper', '{"valid_until": "2026-03-03T00:00:00Z"}')), '15 minutes',
  'a late valid_until does not lengthen the max_decision_age'
);
select orderlatch.update_account('paper', '{"max_decision_age": "30 seconds"}');
select is(
  pg_temp.lapses_after(test.given_decision()), '30 seconds',
  'a new max_decision_age holds for decisions recorded from then on'
);

-- Rejected at once, with every reason.
select results_eq(
  $$ select p.status, p.outcome, p.reasons
       from orderlatch.propose_decision(
              'paper', test.a_decision('{"order_type": "limit", "qty": "0.5", "time_in_force": "gtc"}')
            ) as p $$,
  $$ values ('rejected', 'created', '{invalid_order:fractional_time_in_force,invalid_order:missing_limit_price}'::text[]) $$,
  'a decision that risk refuses comes back rejected, with all reasons'
);

-- Two accounts may decide the same.
select test.given_account('second');
select isnt(
  (select p.decision_hash from delivery as d, orderlatch.propose_decision('second', d.decision) as p),
  (select f.decision_hash from first as f), 'the same members for another account are another decision'
);
select is(
  (select count(distinct g.signal_key) from orderlatch_data.live_signals as g),
  (select count(*) from orderlatch_data.live_signals as g), 'each live signal is guarded once'
);
select is_empty('select i.promise from orderlatch.invariants as i where i.violations > 0', 'every invariant holds');

select * from finish();
rollback;
