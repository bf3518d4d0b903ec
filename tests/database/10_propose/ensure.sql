-- Recording without judging.
begin;
select plan(8);

select test_support.hold_clock('2026-03-02 15:00:00Z');
select test.given_account();
create temporary table delivery as select test.a_decision('{"order_type": "limit"}') as decision;

select results_eq(
  $$ select e.decision_hash, e.status, e.outcome, e.reasons
       from delivery as d, orderlatch.ensure_decision('paper', d.decision) as e $$,
  $$ select orderlatch.decision_hash('paper', d.decision), 'planned', 'created', '{}'::text[] from delivery as d $$,
  'ensure_decision records a decision and leaves it planned'
);
select is_empty('select 1 from orderlatch_data.risk_verdicts', 'a decision that is only recorded has no verdict');
select results_eq(
  $$ select e.status, e.outcome from delivery as d, orderlatch.ensure_decision('paper', d.decision) as e $$,
  $$ values ('planned', 'existing') $$, 'recorded again, it is still planned'
);
select results_eq(
  $$ select p.status, p.outcome, p.reasons from delivery as d, orderlatch.propose_decision('paper', d.decision) as p $$,
  $$ values ('rejected', 'existing', '{invalid_order:missing_limit_price}'::text[]) $$,
  'proposing what was only recorded judges it'
);
select results_eq(
  $$ select e.status, e.outcome, e.reasons from delivery as d, orderlatch.ensure_decision('paper', d.decision) as e $$,
  $$ values ('rejected', 'existing', '{invalid_order:missing_limit_price}'::text[]) $$,
  'a decision that was judged shows its verdict when it is recorded again'
);

-- A conflict is settled at once, though nothing is judged.
create temporary table signal as select test.a_decision() as decision;
select orderlatch.ensure_decision('paper', s.decision) from signal as s;
select results_eq(
  $$ select e.status, e.outcome, e.reasons
       from signal as s, orderlatch.ensure_decision('paper', s.decision || '{"action": "sell"}') as e $$,
  $$ values ('rejected', 'conflict', '{signal_already_decided}'::text[]) $$,
  'a second decision for a signal is kept as rejected'
);
select results_eq(
  $$ select e.status, e.outcome, e.reasons
       from signal as s, orderlatch.propose_decision('paper', s.decision || '{"action": "sell"}') as e $$,
  $$ values ('rejected', 'existing', '{signal_already_decided}'::text[]) $$,
  'a rejection is final: delivered again it is the same rejected decision'
);
select throws_ok(
  $$ select orderlatch.ensure_decision('paper', test.a_decision('{"qty": 0}')) $$, 'OL115', null,
  'ensure_decision refuses bad input with its own code'
);

select * from finish();
rollback;
