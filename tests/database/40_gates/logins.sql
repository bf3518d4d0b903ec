-- Binding logins to accounts and strategies.
begin;
select plan(19);

select test_support.hold_clock('2026-03-02 15:00:00Z');
select test.given_account();
select test.given_account('other');
create role trader login;
create role "Odd Name" login;

select lives_ok($$ select orderlatch.bind_login('trader', 'paper') $$, 'a login is bound to an account');
select lives_ok($$ select orderlatch.bind_login('trader', 'paper', 'momentum') $$, 'and to one strategy of it');
select lives_ok($$ select orderlatch.bind_login('trader', 'other', 'momentum') $$, 'and to a strategy of another account');
select lives_ok($$ select orderlatch.bind_login('Odd Name', 'paper') $$, 'a login may have any name');
select results_eq(
  $$ select b.login, b.account_id, b.strategy_id, b.bound_at, b.bound_by
       from orderlatch_data.login_bindings as b order by b.login, b.account_id, b.strategy_id $$,
  $$ values ('Odd Name', test.account_id(), '', '2026-03-02 15:00:00Z'::timestamptz, 'postgres'),
            ('trader', test.account_id(), '', '2026-03-02 15:00:00Z', 'postgres'),
            ('trader', test.account_id(), 'momentum', '2026-03-02 15:00:00Z', 'postgres'),
            ('trader', test.account_id('other'), 'momentum', '2026-03-02 15:00:00Z', 'postgres') $$,
  'each binding is signed'
);
select test_support.advance_clock('1 hour');
select lives_ok($$ select orderlatch.bind_login('trader', 'paper') $$, 'binding again is no offence');
select results_eq(
  'select count(*), max(b.bound_at) from orderlatch_data.login_bindings as b',
  $$ values (4::bigint, '2026-03-02 15:00:00Z'::timestamptz) $$, 'and changes nothing'
);

select throws_ok(format('select orderlatch.bind_login(%s)', c.arguments), c.sqlstate, null, format('binding %s is refused', c.title))
  from (
    values
      ($$'nobody', 'paper'$$, 'OL131', 'a login that does not exist'),
      ($$null, 'paper'$$, 'OL131', 'no login'),
      ($$'Trader', 'paper'$$, 'OL131', 'a login in another spelling'),
      ($$'trader', 'nowhere'$$, 'OL102', 'to an unknown account'),
      ($$'trader', 'paper', ''$$, 'OL131', 'to an empty strategy, which would be every strategy,'),
      ($$'trader', 'paper', repeat('x', 129)$$, 'OL131', 'to a strategy that no decision can have')
  ) as c(arguments, sqlstate, title);

select is(orderlatch.unbind_login('trader', 'paper'), 2, 'unbinding removes every binding to the account');
select is(orderlatch.unbind_login('trader', 'paper'), 0, 'unbinding what is not bound removes nothing');
select results_eq(
  'select b.login, b.account_id from orderlatch_data.login_bindings as b order by b.login',
  $$ values ('Odd Name', test.account_id()), ('trader', test.account_id('other')) $$, 'other bindings stay'
);
select throws_ok($$ select orderlatch.unbind_login('trader', 'nowhere') $$, 'OL102', null, 'there is nothing to unbind from an unknown account');

-- A login can be unbound after it was dropped.
select orderlatch.bind_login('Odd Name', 'other');
drop role "Odd Name";
select is(orderlatch.unbind_login('Odd Name', 'other'), 1, 'a login that is gone can be unbound');
select is(orderlatch.unbind_login('Odd Name', 'paper'), 1, 'everywhere');

select * from finish();
rollback;
