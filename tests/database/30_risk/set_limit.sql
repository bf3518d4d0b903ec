-- Setting limits: what is written, and what is refused.
begin;
select plan(18);

select test_support.hold_clock('2026-03-02 15:00:00Z');
select test.given_account();

create temporary table first as
  select orderlatch.set_limit('order_quantity', 12.5, 'paper', 'momentum', ' goog ') as limit_id;
select results_eq(
  $$ select l.limit_id, l.limit_kind, l.account_id, l.strategy_id, l.symbol, l.ceiling, l.enabled, l.set_at, l.set_by
       from orderlatch_data.risk_limits as l $$,
  $$ select f.limit_id, 'order_quantity', test.account_id(), 'momentum', 'GOOG', 12.5, true, '2026-03-02 15:00:00Z'::timestamptz, 'postgres'
       from first as f $$,
  'a limit is written with its scope in canonical form, and signed'
);
select test_support.advance_clock('1 second');
select is(
  orderlatch.set_limit('order_quantity', 0, 'paper', 'momentum', 'GOOG', false), f.limit_id, 'the limit of a scope is changed, not doubled'
) from first as f;
select results_eq(
  'select l.ceiling, l.enabled, l.set_at from orderlatch_data.risk_limits as l',
  $$ values (0::numeric, false, '2026-03-02 15:00:01Z'::timestamptz) $$, 'a change is signed anew'
);
select isnt(orderlatch.set_limit('order_quantity', 1), f.limit_id, 'a limit of every account is another one') from first as f;
select isnt(orderlatch.set_limit('order_notional', 1, 'paper', 'momentum', 'GOOG'), f.limit_id, 'a limit of another kind is another one')
  from first as f;
select is((select count(*) from orderlatch_data.risk_limits), 3::bigint, 'there are three limits');

select throws_ok(format('select orderlatch.set_limit(%s)', c.arguments), c.sqlstate, null, format('%s is refused', c.title))
  from (
    values
      ($$'order_colour', 1$$, 'OL131', 'a kind that does not exist'),
      ($$null, 1$$, 'OL131', 'no kind'),
      ($$'order_quantity', -0.01$$, 'OL131', 'a ceiling below zero'),
      ($$'order_quantity', 'NaN'$$, 'OL131', 'a ceiling that is no number'),
      ($$'order_quantity', 'Infinity'$$, 'OL131', 'an infinite ceiling'),
      ($$'order_quantity', null$$, 'OL131', 'no ceiling'),
      ($$'order_quantity', 1, 'nobody'$$, 'OL102', 'an unknown account'),
      ($$'order_quantity', 1, 'paper', ''$$, 'OL131', 'an empty strategy, which is not any strategy'),
      ($$'order_quantity', 1, 'paper', null, ' '$$, 'OL131', 'a blank symbol, which is not any symbol'),
      ($$'order_quantity', 1, 'paper', null, null, null$$, 'OL131', 'neither switched on nor off')
  ) as c(arguments, sqlstate, title);
select is((select count(*) from orderlatch_data.risk_limits), 3::bigint, 'what was refused has left nothing behind');
select results_eq(
  'select k.limit_kind, k.unit from orderlatch.limit_kinds as k',
  $$ values ('order_notional', 'dollars'), ('order_quantity', 'shares, coins or contracts'), ('signal_age', 'seconds') $$,
  'the kinds can be read, with their units'
);

select * from finish();
rollback;
