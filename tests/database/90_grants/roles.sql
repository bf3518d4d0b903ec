-- What a login of each role can do and what it cannot, tried: the list of rights.sql as it behaves.
begin;
select plan(34);

select test_support.hold_clock('2026-03-02 15:00:00Z');
select test.given_account();
select test.given_account('live', p_environment => 'live');
create temporary table worlds as select test.given_worker() as worker_id;
create temporary table doubtful as
  select test.given_decision_in('in_doubt', w.worker_id) as decision_hash from worlds as w;

create role a_strategy login in role orderlatch_strategy;
create role a_risk login in role orderlatch_risk;
create role a_worker login in role orderlatch_worker;
create role an_operator login in role orderlatch_operator;
create role an_auditor login in role orderlatch_auditor;
create role a_stranger login;
create role an_unbound_strategy login in role orderlatch_strategy;
create role an_unbound_worker login in role orderlatch_worker;
select orderlatch.bind_login(l.login, a.account)
  from unnest('{a_strategy,a_risk,a_worker,an_operator,an_auditor,a_stranger}'::text[]) as l(login)
 cross join unnest('{paper,live}'::text[]) as a(account);

-- What became of a statement of a login: ok, or its SQLSTATE. What it did is undone.
create function pg_temp.outcome_of(p_login text, p_statement text)
returns text
language plpgsql
as $$
declare
  v_tester constant text := session_user;
  v_outcome text;
begin
  begin
    perform set_config('session_authorization', p_login, true);
    execute p_statement;
    raise exception using errcode = 'ZZ000';
  exception
    when sqlstate 'ZZ000' then
      v_outcome := 'ok';
    when others then
      v_outcome := sqlstate;
  end;
  perform set_config('session_authorization', v_tester, true);
  return v_outcome;
end
$$;

create temporary table logins (login text, role text);
insert into logins values
  ('a_strategy', 'orderlatch_strategy'), ('a_risk', 'orderlatch_risk'), ('a_worker', 'orderlatch_worker'),
  ('an_operator', 'orderlatch_operator'), ('an_auditor', 'orderlatch_auditor');

-- Every function, every view, every table, by every role --------------------------------------------------------------

-- With nothing but nulls a call either is not allowed, or comes to the function, which refuses or returns.
create temporary table calls as
  select p.oid, p.proname, format(
           'select orderlatch.%I(%s)', p.proname,
           (
             select string_agg('null::' || format_type(a.type, null), ', ' order by a.place)
               from unnest(p.proargtypes::oid[]) with ordinality as a(type, place)
           )
         ) as statement
    from pg_proc as p
   where p.pronamespace = 'orderlatch'::regnamespace;
select is_empty(
  $$ select l.login, c.proname, pg_temp.outcome_of(l.login, c.statement)
       from logins as l
      cross join calls as c
      where has_function_privilege(l.role, c.oid, 'execute') = (pg_temp.outcome_of(l.login, c.statement) = '42501') $$,
  'each role gets into the functions that it was given, and into no other'
);
select cmp_ok((select count(*) from calls), '>', 25::bigint, 'these are all functions of the public face');
select is_empty(
  $$ select c.proname from calls as c where pg_temp.outcome_of('a_stranger', c.statement) <> '42501' $$,
  'a login of no role gets into none, bound or not'
);
select is_empty(
  $$ select l.login, v.relname
       from logins as l
      cross join pg_class as v
      where v.relnamespace = 'orderlatch'::regnamespace
        and pg_temp.outcome_of(l.login, format('select * from orderlatch.%I', v.relname))
          <> case when has_table_privilege(l.role, v.oid, 'select') then 'ok' else '42501' end $$,
  'each role reads the views that it was given, with no right on a table, and no other'
);
select is_empty(
  $$ select l.login, c.oid::regclass, s.statement
       from (select l.login from logins as l union all select 'a_stranger') as l(login)
      cross join pg_class as c
      cross join unnest('{select * from %s,delete from %s,truncate %s,lock table %s}'::text[]) as s(statement)
      where c.relnamespace = 'orderlatch_data'::regnamespace
        and c.relkind = 'r'
        and pg_temp.outcome_of(l.login, format(s.statement, c.oid::regclass)) <> '42501' $$,
  'no role gets at any table'
);
select is_empty(
  $$ select l.login, p.proname
       from logins as l
      cross join pg_proc as p
      where p.pronamespace = 'orderlatch_data'::regnamespace
        and p.prorettype <> 'trigger'::regtype
        and pg_temp.outcome_of(
              l.login,
              format('select orderlatch_data.%I(%s)', p.proname,
                     (select string_agg('null', ', ') from generate_series(1, p.pronargs)))
            ) <> '42501' $$,
  'no role calls a helper by name, not even those that its views call'
);
select is(pg_temp.outcome_of('an_auditor', $$ insert into orderlatch.decisions (symbol) values ('GOOG') $$), '55000',
          'nothing is written through the view decisions, which joins tables');
select is(pg_temp.outcome_of('an_operator', $$ update orderlatch.legal_moves set meaning = '' $$), '42501',
          'nor through a view of one table');
select is(pg_temp.outcome_of('an_operator', $$ create table orderlatch.mine () $$), '42501',
          'no role makes anything in the public face');
select is(pg_temp.outcome_of('an_operator', $$ create function orderlatch_data.mine() returns int language sql return 1 $$), '42501',
          'nor among the tables');
select is(pg_temp.outcome_of('an_operator', 'select pg_advisory_lock(20302, 1)'), '42501',
          'an operator takes no advisory lock by hand');

-- What each is there for ----------------------------------------------------------------------------------------------

select is(
  pg_temp.outcome_of('a_strategy', format('select * from orderlatch.propose_decision(%L, %L)', 'paper', test.a_decision())),
  'ok', 'a strategy proposes'
);
select is(
  pg_temp.outcome_of('a_strategy', format('select orderlatch.withdraw_decision(%L, %L)', test.given_approved_decision(), 'no more')),
  'ok', 'and withdraws'
);
select orderlatch.update_account('paper', '{"risk_engine": "external"}');
select is(
  pg_temp.outcome_of('a_risk', format('select orderlatch.%s_decision(%L, %L)', v.verb, test.given_decision(), '{"note": "seen"}')),
  'ok', format('a risk engine can %s', v.verb)
)
  from unnest('{approve,reject}'::text[]) as v(verb);
select orderlatch.update_account('paper', '{"risk_engine": "builtin"}');
select is(
  pg_temp.outcome_of('a_worker', $$
    select orderlatch.record_responses(jsonb_agg(jsonb_build_object('request_id', c.request_id, 'sent', 'no')))
      from orderlatch.claim_requests(
             orderlatch.register_worker('w', '[{"account": "paper", "environment": "paper"}]', 1), '{paper}', 5
           ) as c
  $$),
  'ok', 'a worker registers, claims and records'
);
select orderlatch.halt('a person must look', 'paper');
select is(pg_temp.outcome_of('an_operator', d.statement), 'ok', d.title)
  from (
    values
      ($$ select orderlatch.update_account('paper', '{"max_submits": 2}') $$, 'an operator changes settings'),
      ($$ select orderlatch.set_limit('order_quantity', 5, 'paper') $$, 'sets limits'),
      ($$ select orderlatch.halt('too wild', 'paper') $$, 'halts'),
      ($$ select orderlatch.lift_halt(h.halt_id, 'looked') from orderlatch.standing_halts as h $$, 'lifts halts'),
      ($$ select orderlatch.grant_live('live', '1 hour', 'the open') $$, 'grants live trading'),
      ($$ select orderlatch.revoke_live('live') $$, 'and takes it back')
  ) as d(statement, title);
select is(
  pg_temp.outcome_of('an_operator', format('select orderlatch.resolve_in_doubt(%L, %L, %L)', d.decision_hash, 'absent', '{"by": "me"}')),
  'ok', 'resolves doubt'
)
  from doubtful as d;
select is(
  pg_temp.outcome_of('an_operator', s.statement), 'OL301', format('an operator who is no member of the owner does not %s', s.title)
)
  from (
    values
      ($$ select orderlatch.create_account('more', 'paper') $$, 'create accounts'),
      ($$ select orderlatch.bind_login('an_operator', 'paper') $$, 'bind logins'),
      ($$ select orderlatch.unbind_login('a_worker', 'paper') $$, 'unbind logins'),
      ($$ select orderlatch.halt('all of it') $$, 'halt every account'),
      ($$ select orderlatch.set_limit('order_quantity', 5) $$, 'set a limit for every account')
  ) as s(statement, title);

-- Bound to nothing ----------------------------------------------------------------------------------------------------

select is(
  pg_temp.outcome_of('an_unbound_strategy', format('select orderlatch.propose_decision(%L, %L)', 'paper', test.a_decision())),
  'OL301', 'a strategy that is bound to no account proposes nothing'
);
select is(pg_temp.outcome_of('an_unbound_strategy', format(s.statement, d.decision_hash)), 'OL301', s.title)
  from doubtful as d
 cross join (
   values
     ('select orderlatch.decision_status(%L)', 'nor does it see a decision'),
     ('select orderlatch.explain_decision(%L)', 'nor a story'),
     ('select orderlatch.withdraw_decision(%L, $$mine$$)', 'nor take one back')
 ) as s(statement, title);
select is(
  pg_temp.outcome_of('an_unbound_worker', $$ select orderlatch.register_worker('w', '[{"account": "paper", "environment": "paper"}]', 1) $$),
  'OL301', 'a worker that is bound to no account carries none'
);
select is(
  pg_temp.outcome_of('a_worker', format('select orderlatch.claim_requests(%s, %L, 5)', w.worker_id, '{paper}')),
  'OL101', 'a worker does not claim in the name of another login''s worker'
)
  from worlds as w;

select * from finish();
rollback;
