-- A decision that is judged as it is recorded has the same past as one that was planned first.
begin;
select plan(12);

select test_support.hold_clock('2026-03-02 15:00:00Z');
select test.given_account();
select orderlatch.set_limit('order_quantity', 100, 'paper');
create temporary view journal as
  select d.leg, e.from_status, e.to_status, e.moved_at, e.moved_by, e.reason, e.request_id, e.evidence
    from orderlatch_data.decision_events as e
    join orderlatch_data.trade_decisions as d on d.decision_id = e.decision_id
   order by e.event_id;

create temporary table batch as
  select p.*
    from orderlatch.propose_decisions('paper', jsonb_build_array(
           test.a_decision('{"leg": "a"}'),
           test.a_decision('{"leg": "b", "qty": "101", "event_ts": "2026-03-02T14:00:00Z"}'),
           '"no object"'::jsonb,
           test.a_decision('{"leg": "c"}')
         )) as p;
select results_eq(
  'select b.input_no, b.status, b.outcome, b.reasons from batch as b order by b.input_no',
  $$ values (1, 'approved', 'created', '{}'::text[]), (2, 'rejected', 'created', '{order_quantity}'),
            (3, null, 'invalid', null), (4, 'approved', 'created', '{}') $$,
  'of one array each is approved, rejected or refused for itself'
);
select results_eq(
  'select j.leg, j.from_status, j.to_status, j.reason from journal as j',
  $$ values ('a', 'none', 'planned', 'proposed by momentum'), ('b', 'none', 'planned', 'proposed by momentum'),
            ('c', 'none', 'planned', 'proposed by momentum'), ('a', 'planned', 'approved', 'within all limits'),
            ('c', 'planned', 'approved', 'within all limits'), ('b', 'planned', 'rejected', 'order_quantity') $$,
  'each was planned before it was anything else, in the order of the array'
);
select results_eq(
  $$ select d.leg, v.verdict, v.reasons, v.verdict_no::integer, v.judged_at, v.judged_by
       from orderlatch_data.risk_verdicts as v
       join orderlatch_data.trade_decisions as d on d.decision_id = v.decision_id order by d.leg $$,
  $$ values ('a', 'approved', '{}'::text[], 1, '2026-03-02 15:00:00Z'::timestamptz, 'postgres'),
            ('b', 'rejected', '{order_quantity}', 1, '2026-03-02 15:00:00Z', 'postgres'),
            ('c', 'approved', '{}', 1, '2026-03-02 15:00:00Z', 'postgres') $$,
  'each has one verdict'
);
select results_eq(
  $$ select d.leg, o.status, row_number() over (order by o.approval_no)
       from orderlatch_data.open_decisions as o
       join orderlatch_data.trade_decisions as d on d.decision_id = o.decision_id $$,
  $$ values ('a', 'approved', 1::bigint), ('c', 'approved', 2) $$,
  'what is approved has its number in the order of the array, what is rejected has settled'
);
select is(
  (
    select p.outcome || ' ' || p.status
      from orderlatch.propose_decision(
             'paper', test.a_decision('{"leg": "b", "qty": "99", "event_ts": "2026-03-02T14:00:00Z"}')
           ) as p
  ),
  'created approved', 'a rejection leaves the signal to the next decision'
);

-- The same, in two steps.
create temporary table planned as select test.given_decision('paper', '{"leg": "z"}') as decision_hash;
select is(
  (select e.status from planned as p, orderlatch.evaluate_decision(p.decision_hash) as e), 'approved',
  'what was planned first is judged later'
);
select results_eq(
  $$ select j.from_status, j.to_status, j.moved_at, j.moved_by, j.reason, j.request_id, j.evidence
       from journal as j where j.leg = 'z' $$,
  $$ select j.from_status, j.to_status, j.moved_at, j.moved_by, j.reason, j.request_id, j.evidence
       from journal as j where j.leg = 'a' $$,
  'and its journal says the same'
);

-- By hand: only a verdict that approves makes a birth an approval; without any 20_moves/legal_moves.sql refuses it.
create function pg_temp.born(p_status text, p_verdict text)
returns text
language plpgsql
as $$
begin
  insert into orderlatch_data.trade_decisions
  select (jsonb_populate_record(d, jsonb_build_object('decision_id', 0, 'decision_hash', '\x' || repeat('00', 32)))).*
    from orderlatch_data.trade_decisions as d where d.leg = 'a';
  insert into orderlatch_data.risk_verdicts
  select (jsonb_populate_record(v, '{"decision_id": 0}')).* from orderlatch_data.risk_verdicts as v where v.verdict = p_verdict limit 1;
  insert into orderlatch_data.open_decisions
    (decision_id, account_id, symbol, lock_key, status, approval_no, lapse_at, next_try_at, holder_request_id, move_reason)
  select d.decision_id, d.account_id, d.symbol, 0, p_status, 9, d.recorded_at, d.recorded_at, gen_random_uuid(), 'by hand'
    from orderlatch_data.trade_decisions as d where d.decision_id = 0;
  raise exception using errcode = 'P0001', message = (
    select string_agg(e.from_status || '>' || e.to_status, ' ' order by e.event_id)
      from orderlatch_data.decision_events as e where e.decision_id = 0
  );
end
$$;
select throws_ok(
  $$ select pg_temp.born('approved', 'approved') $$, 'P0001', 'none>planned planned>approved',
  'a birth as approved, with the verdict that says so, was planned before'
);
select throws_ok(
  $$ select pg_temp.born('approved', 'rejected') $$, '23503', null, 'a verdict that rejects makes no birth an approval'
);
select throws_ok($$ select pg_temp.born('submitting', 'approved') $$, '23503', null, 'no verdict makes a birth a claim');

select orderlatch.create_account('outside', 'paper', '{"risk_engine": "external"}');
select results_eq(
  $$ select p.outcome, p.status from orderlatch.propose_decision('outside', test.a_decision('{"leg": "o"}')) as p $$,
  $$ values ('created', 'planned') $$, 'a decision that an external engine is to judge waits for it'
);
select is_empty('select i.promise from orderlatch.invariants as i where i.violations > 0', 'every invariant holds');

select * from finish();
rollback;
