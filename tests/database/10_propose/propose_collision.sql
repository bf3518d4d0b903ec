-- Two intents under one hash: it cannot happen with sha256, so the row of the first is bent by hand.
begin;
select plan(8);

select test_support.hold_clock('2026-03-02 15:00:00Z');
select test.given_account();
create temporary table first as
  select d.decision, p.decision_id, p.decision_hash
    from (select test.a_decision() as decision) as d
   cross join lateral orderlatch.propose_decision('paper', d.decision) as p;
alter table orderlatch_data.trade_decisions disable trigger written_once;
update orderlatch_data.trade_decisions set intent = '{"another":"intent"}', qty = 999;
alter table orderlatch_data.trade_decisions enable trigger written_once;

select results_eq(
  $$ select p.decision_id, p.decision_hash, p.status, p.outcome, p.reasons
       from first as f, orderlatch.propose_decision('paper', f.decision) as p $$,
  $$ select null::bigint, f.decision_hash, null::text, 'collision', null::text[] from first as f $$,
  'a collision returns, and never shows the other decision as if it were the same'
);
select results_eq(
  'select i.incident, i.account_id, i.decision_id, i.detail from orderlatch_data.incidents as i',
  $$ select 'hash_collision', test.account_id(), f.decision_id,
            jsonb_build_object('decision_hash', f.decision_hash, 'delivered_by', 'postgres')
       from first as f $$,
  'a collision is an incident'
);
select results_eq(
  'select h.account_id, h.strategy_id, h.symbol, h.reason from orderlatch_data.halts as h where h.lifted_at is null',
  $$ values (test.account_id(), null::text, null::text, 'hash_collision') $$, 'a collision halts the account'
);
select results_eq(
  $$ select p.input_no, p.outcome, p.status
       from first as f,
            orderlatch.propose_decisions('paper', jsonb_build_array(f.decision, test.a_decision(), f.decision)) as p $$,
  $$ values (1, 'collision', null), (2, 'created', 'approved'), (3, 'collision', null) $$,
  'in an array a collision costs only itself'
);
select is(
  (select e.outcome from first as f, orderlatch.ensure_decision('paper', f.decision) as e), 'collision',
  'ensure_decision reports a collision too'
);
select is((select count(*) from orderlatch_data.incidents), 1::bigint, 'the incident that is open is not opened again');
select is((select count(*) from orderlatch_data.halts), 1::bigint, 'the account that is halted is not halted again');
select results_eq(
  $$ select s.status, d.qty from first as f, orderlatch_data.status_of(f.decision_id) as s, orderlatch_data.trade_decisions as d
      where d.decision_id = f.decision_id $$,
  $$ values ('approved', 999::numeric) $$, 'the decision that holds the hash is left as it is'
);

select * from finish();
rollback;
