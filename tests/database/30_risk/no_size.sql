-- A decision that says neither how much nor for how many dollars is refused for that alone.
begin;
select plan(3);

select test_support.hold_clock('2026-03-02 15:00:00Z');
select test.given_account('paper');
select orderlatch.set_limit('order_quantity', 0, 'paper');
select orderlatch.set_limit('notional_a_day', 0, 'paper');

select results_eq(
  $$ select p.outcome, p.status, p.reasons from orderlatch.propose_decision('paper', test.a_decision('{"qty": null}')) as p $$,
  $$ values ('created', 'rejected', '{invalid_order:no_size}'::text[]) $$,
  'no limit is exceeded by an order without a size'
);
select results_eq(
  $$ select z.qty, z.worth from orderlatch_data.trade_decisions as t cross join lateral orderlatch_data.decision_size(t) as z $$,
  $$ values (0::numeric, 0::numeric) $$,
  'it is none, not an unknown one'
);
select is_empty(
  $$ select i.promise from orderlatch.invariants as i where i.violations <> 0 $$, 'every promise is kept'
);

select * from finish();
rollback;
