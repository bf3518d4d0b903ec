-- A login acts for what it is bound to, by the name that it connected with, whatever it prepares beforehand.
begin;
select plan(45);

select test_support.hold_clock('2026-03-02 15:00:00Z');
select test.given_account(a.account) from unnest('{paper,other}'::text[]) as a(account);
create temporary table hashes as
  select test.given_approved_decision('paper', '{"strategy_id": "momentum"}') as mine,
         test.given_approved_decision('paper', '{"strategy_id": "value", "symbol": "MSFT"}') as anothers,
         test.given_approved_decision('other', '{"strategy_id": "momentum"}') as elsewhere;
-- what a login may look up for itself
create temporary table arguments as
  select test.a_decision('{"strategy_id": "momentum", "symbol": "A"}') as mine,
         test.a_decision('{"strategy_id": "value", "symbol": "B"}') as anothers;
grant select on hashes, arguments to public;

create role of_momentum login in role orderlatch_strategy;
create role of_paper login in role orderlatch_strategy;
create role of_nothing login in role orderlatch_strategy;
select orderlatch.bind_login('of_momentum', 'paper', 'momentum');
select orderlatch.bind_login('of_paper', 'paper');

-- One strategy of an account ------------------------------------------------------------------------------------------

create temporary table deeds (deed text, statement text);
grant select on deeds to public;
insert into deeds values
  ('see', 'select orderlatch.decision_status(%L)'),
  ('ask for the order of', 'select orderlatch.execution_exists(%L)'),
  ('verify', 'select orderlatch.verify_decision(%L)'),
  ('verify the events of', 'select orderlatch.verify_decision_events(%L)'),
  ('hear the story of', 'select orderlatch.explain_decision(%L)'),
  ('have judged', 'select orderlatch.evaluate_decision(%L)'),
  ('withdraw', 'select orderlatch.withdraw_decision(%L, $$mine now$$)');

select test_support.act_as('of_momentum');
select throws_ok(format(d.statement, h.anothers), 'OL301', null, format('a login of one strategy cannot %s another''s decision', d.deed))
  from deeds as d, hashes as h;
select throws_ok(format(d.statement, h.elsewhere), 'OL301', null, format('nor %s one of its own name in another account', d.deed))
  from deeds as d, hashes as h;
select lives_ok(format(d.statement, h.mine), format('it can %s its own', d.deed)) from deeds as d, hashes as h;
select throws_ok(
  format('select orderlatch.explain_decision(%L)', left(h.anothers, 20)), 'OL103', null,
  'nor learn by the first digits of a hash that there is such a decision'
)
  from hashes as h;
select throws_ok(
  format('select orderlatch.propose_decision(%L, %L)', 'paper', a.anothers), 'OL301', null, 'it cannot propose for another strategy'
)
  from arguments as a;
select throws_ok(
  format('select orderlatch.ensure_decision(%L, %L)', 'paper', a.anothers), 'OL301', null, 'nor record for it'
)
  from arguments as a;
select throws_ok(
  format('select orderlatch.propose_decision(%L, %L)', 'other', a.mine), 'OL301', null, 'nor propose in another account'
)
  from arguments as a;
select results_eq(
  $$ select p.outcome, p.error_code
       from arguments as a
      cross join orderlatch.propose_decisions('paper', jsonb_build_array(a.anothers, a.mine)) as p
      order by p.input_no $$,
  $$ values ('invalid', 'OL301'), ('created', null) $$,
  'in a batch another''s decision is refused and its own is recorded'
);
reset session authorization;
select is(
  (select array_agg(distinct d.recorded_by order by d.recorded_by) from orderlatch_data.trade_decisions as d where d.symbol in ('A', 'B')),
  array['of_momentum'], 'what it recorded bears the name it connected with'
);
select is(
  (select test.status(h.anothers) || ' ' || test.status(h.elsewhere) from hashes as h), 'approved approved', 'nothing of others was touched'
);

select test_support.act_as('of_paper');
select lives_ok(format('select orderlatch.decision_status(%L)', h.anothers), 'a login of the account sees each strategy of it')
  from hashes as h;
select throws_ok(format('select orderlatch.decision_status(%L)', h.elsewhere), 'OL301', null, 'but no other account')
  from hashes as h;
reset session authorization;

-- What an attacker prepares -------------------------------------------------------------------------------------------

create schema attack;
grant all on schema attack to of_nothing;

select test_support.act_as('of_nothing');
-- tables and views of ours, temporary and in a schema of its own, that say what it likes to hear
create temporary table login_bindings as select 'of_nothing'::text as login, 1 as account_id, ''::text as strategy_id;
create temporary table pg_roles as select 'of_nothing'::name as rolname, true as rolsuper;
create temporary table accounts as select 1 as account_id, 'paper'::text as account, 'builtin'::text as risk_engine;
create table attack.login_bindings as table login_bindings;
-- functions and operators that always agree
create function attack.pg_has_role(name, text, text) returns boolean language sql as 'select true';
create function pg_temp.pg_has_role(name, text, text) returns boolean language sql as 'select true';
create function attack.login_may_act(integer, text) returns boolean language sql as 'select true';
create function attack.agree(text, text) returns boolean language sql as 'select true';
create operator attack.= (leftarg = text, rightarg = text, function = attack.agree);
create operator attack.!~ (leftarg = text, rightarg = text, function = attack.agree);
create type pg_temp.trade_decisions as (decision_id bigint);
select throws_ok(
  format('set local search_path = %s; select orderlatch.withdraw_decision(%L, $$mine$$)', p.path, h.anothers), 'OL301', null,
  format('with search_path %s and look-alikes in it, nothing is withdrawn', p.path)
)
  from hashes as h, unnest('{"pg_temp, attack, pg_catalog","attack, orderlatch_data, pg_temp"}'::text[]) as p(path);
select throws_ok(
  format('set local search_path = attack, pg_temp, pg_catalog; select orderlatch.propose_decision(%L, %L)', 'paper', a.mine),
  'OL301', null, 'nor proposed'
)
  from arguments as a;

-- settings and roles
select throws_ok('set role orderlatch_owner', '42501', null, 'a login cannot become the owner');
select throws_ok('set role orderlatch_operator', '42501', null, 'nor a role that it is not in');
select throws_ok('set session_replication_role = replica', '42501', null, 'nor switch triggers off');
select throws_ok(
  format('set local role orderlatch_strategy; select orderlatch.decision_status(%L)', h.mine), 'OL301', null,
  'as the group role it is still the login that it is'
)
  from hashes as h;
reset session authorization;

-- An auditor ----------------------------------------------------------------------------------------------------------

create role an_auditor login in role orderlatch_auditor;
select test_support.act_as('an_auditor');
select lives_ok(format(d.statement, h.anothers), format('an auditor who is bound to nothing can %s a decision', d.deed))
  from deeds as d, hashes as h where d.deed not in ('have judged', 'withdraw');
select lives_ok(format('select orderlatch.explain_decision(%L)', left(h.anothers, 20)), 'also by its first digits') from hashes as h;
select throws_ok(format(d.statement, h.anothers), '42501', null, format('but not %s it', d.deed))
  from deeds as d, hashes as h where d.deed in ('have judged', 'withdraw');
reset session authorization;

select * from finish();
rollback;
