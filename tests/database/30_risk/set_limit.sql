-- Setting limits: what is written, what is refused, and the history that is kept.
begin;
select plan(44);

select test_support.hold_clock('2026-03-02 15:00:00Z');
select test.given_account();
create view pg_temp.set_here as select l.* from orderlatch_data.risk_limits as l where l.limit_kind <> 'opposite_order';

create temporary table first as
  select orderlatch.set_limit('order_quantity', 12.5, 'paper', 'momentum', ' goog ') as limit_id;
select results_eq(
  $$ select l.limit_id, l.limit_kind, l.account_id, l.strategy_id, l.symbol, l.ceiling, l.symbols, l.enabled, l.set_at, l.set_by
       from pg_temp.set_here as l $$,
  $$ select f.limit_id, 'order_quantity', test.account_id(), 'momentum', 'GOOG', 12.5, null::text[], true,
            '2026-03-02 15:00:00Z'::timestamptz, 'postgres'
       from first as f $$,
  'a limit is written with its scope in canonical form, and signed'
);
select test_support.advance_clock('1 second');
select is(
  orderlatch.set_limit('order_quantity', 0, 'paper', 'momentum', 'GOOG', false), f.limit_id, 'the limit of a scope is changed, not doubled'
) from first as f;
select results_eq(
  'select l.ceiling, l.enabled, l.set_at from pg_temp.set_here as l',
  $$ values (0::numeric, false, '2026-03-02 15:00:01Z'::timestamptz) $$, 'a change is signed anew'
);
select isnt(orderlatch.set_limit('order_quantity', 1), f.limit_id, 'a limit of every account is another one') from first as f;
select isnt(orderlatch.set_limit('order_notional', 1, 'paper', 'momentum', 'GOOG'), f.limit_id, 'a limit of another kind is another one')
  from first as f;
select is((select count(*) from pg_temp.set_here), 3::bigint, 'there are three limits');
select is(orderlatch.set_limit('cool_down', 31622400, 'paper') > 0, true, 'a cool-down may be 366 days');
select is(orderlatch.set_limit('opposite_order', 0, 'paper') > 0, true, 'a kind that takes nothing is set with 0');

select throws_ok(format('select orderlatch.set_limit(%s)', c.arguments), c.sqlstate, null, format('%s is refused', c.title))
  from (
    values
      ($$'order_colour', 1$$, 'OL131', 'a kind that does not exist'),
      ($$null, 1$$, 'OL131', 'no kind'),
      ($$'allowed_symbols', 1$$, 'OL131', 'a number for a list'),
      ($$'order_quantity', -0.01$$, 'OL131', 'a ceiling below zero'),
      ($$'order_quantity', 'NaN'$$, 'OL131', 'a ceiling that is no number'),
      ($$'order_quantity', 'Infinity'$$, 'OL131', 'an infinite ceiling'),
      ($$'order_quantity', null$$, 'OL131', 'no ceiling'),
      ($$'opposite_order', 1$$, 'OL131', 'a number for a kind that takes none'),
      ($$'cool_down', 31622400.001$$, 'OL131', 'a cool-down of more than 366 days'),
      ($$'order_quantity', 1, 'nobody'$$, 'OL102', 'an unknown account'),
      ($$'order_quantity', 1, 'paper', ''$$, 'OL131', 'an empty strategy, which is not any strategy'),
      ($$'order_quantity', 1, 'paper', null, ' '$$, 'OL131', 'a blank symbol, which is not any symbol'),
      ($$'order_quantity', 1, 'paper', null, null, null$$, 'OL131', 'neither switched on nor off')
  ) as c(arguments, sqlstate, title);
select throws_ok(format('select orderlatch.set_symbols(%s)', c.arguments), c.sqlstate, null, format('%s is refused', c.title))
  from (
    values
      ($$'order_quantity', '{GOOG}'$$, 'OL131', 'a list for a number'),
      ($$'allowed_symbols', '{}'$$, 'OL131', 'an empty list'),
      ($$'allowed_symbols', null$$, 'OL131', 'no list'),
      ($$'allowed_symbols', '{GOOG,NULL}'$$, 'OL131', 'a list with a hole'),
      ($$'allowed_symbols', '{GOOG," "}'$$, 'OL131', 'a list with a blank'),
      ($$'allowed_symbols', array_fill('GOOG'::text, '{10001}')$$, 'OL131', 'a list of 10001 symbols'),
      ($$'allowed_symbols', '{GOOG}', 'nobody'$$, 'OL102', 'a list for an unknown account'),
      ($$'allowed_symbols', '{GOOG}', 'paper', null, null$$, 'OL131', 'a list neither switched on nor off')
  ) as c(arguments, sqlstate, title);
select throws_like(
         format('select orderlatch.%s', c.call), c.message, format('the message says: %s', c.message)
       )
  from (
    values ('set_limit(''allowed_symbols'', 1)', '%''allowed_symbols'' takes another value%'),
           ('set_limit(''cool_down'', 99999999)', '%at most 31622400 seconds%')
  ) as c(call, message);
select is((select count(*) from pg_temp.set_here), 4::bigint, 'what was refused has left nothing behind');

-- History --------------------------------------------------------------------------------------------------------------

select test_support.advance_clock('1 second');
select orderlatch.set_symbols('denied_symbols', '{TSLA,gme}', 'paper');
select test_support.advance_clock('1 second');
select orderlatch.set_symbols('denied_symbols', '{GME}', 'paper', p_enabled => false);
select results_eq(
  $$ select h.changed_at, h.changed_by, h.limit_kind, h.account, h.strategy_id, h.symbol, h.from_ceiling, h.to_ceiling,
            h.from_symbols, h.to_symbols, h.was_enabled, h.is_enabled
       from orderlatch.limit_history as h
      where h.limit_kind in ('order_quantity', 'denied_symbols') $$,
  $$ values
       ('2026-03-02 15:00:00Z'::timestamptz, 'postgres', 'order_quantity', 'paper', 'momentum', 'GOOG', null::numeric, 12.5,
        null::text[], null::text[], null::boolean, true),
       ('2026-03-02 15:00:01Z', 'postgres', 'order_quantity', 'paper', 'momentum', 'GOOG', 12.5, 0, null, null, true, false),
       ('2026-03-02 15:00:01Z', 'postgres', 'order_quantity', '(any)', '(any)', '(any)', null, 1, null, null, null, true),
       ('2026-03-02 15:00:02Z', 'postgres', 'denied_symbols', 'paper', '(any)', '(any)', null, null, null, '{GME,TSLA}', null, true),
       ('2026-03-02 15:00:03Z', 'postgres', 'denied_symbols', 'paper', '(any)', '(any)', null, null, '{GME,TSLA}', '{GME}', true, false) $$,
  'every version of a limit is kept: who, when, from what to what'
);
select results_eq(
  $$ select h.limit_kind, h.account, h.to_ceiling, h.changed_at from orderlatch.limit_history as h order by h.change_no limit 1 $$,
  $$ values ('opposite_order', 'paper', 0::numeric, '2026-03-02 15:00:00Z'::timestamptz) $$,
  'so is the limit that an account begins with'
);
select throws_ok(c.statement, 'OL901', null, format('to %s is refused, for the owner too', c.title))
  from (
    values
      ('delete from orderlatch_data.risk_limits', 'delete limits'),
      ('truncate orderlatch_data.risk_limits cascade', 'truncate limits'),
      ($$ update orderlatch_data.risk_limits set account_id = null where limit_kind = 'order_quantity' $$, 'widen the scope of a limit'),
      ($$ update orderlatch_data.risk_limits set limit_kind = 'order_notional' where limit_kind = 'cool_down' $$, 'make another kind of it'),
      ('update orderlatch_data.risk_limit_changes set to_ceiling = 1', 'change the history'),
      ('delete from orderlatch_data.risk_limit_changes', 'delete from it'),
      ('truncate orderlatch_data.risk_limit_changes', 'truncate it')
  ) as c(statement, title);
update orderlatch_data.risk_limits set ceiling = 99 where limit_kind = 'cool_down';
select results_eq(
  $$ select h.from_ceiling, h.to_ceiling from orderlatch.limit_history as h order by h.change_no desc limit 1 $$,
  $$ values (31622400::numeric, 99::numeric) $$, 'a change behind the back of set_limit has a trace too'
);
select results_eq(
  'select k.limit_kind, k.unit, k.takes from orderlatch.limit_kinds as k',
  $$ values ('allowed_symbols', 'symbols', 'symbols'), ('cool_down', 'seconds', 'ceiling'), ('denied_symbols', 'symbols', 'symbols'),
            ('gross_exposure', 'dollars', 'ceiling'), ('notional_a_day', 'dollars', 'ceiling'), ('open_orders', 'orders', 'ceiling'),
            ('opposite_order', 'none: 0', 'nothing'), ('order_notional', 'dollars', 'ceiling'),
            ('order_quantity', 'shares, coins or contracts', 'ceiling'), ('orders_a_day', 'orders', 'ceiling'),
            ('position_notional', 'dollars', 'ceiling'), ('position_quantity', 'shares, coins or contracts', 'ceiling'),
            ('price_distance', 'fraction of the reference price', 'ceiling'),
            ('short_selling', 'shares, coins or contracts', 'ceiling'), ('signal_age', 'seconds', 'ceiling') $$,
  'the kinds can be read, with their units and what they take'
);
select is_empty(
  $$ select k.limit_kind from orderlatch.limit_kinds as k where length(k.counts) < 10 or length(k.description) < 10 $$,
  'each kind says what it is and what it counts'
);

select * from finish();
rollback;
