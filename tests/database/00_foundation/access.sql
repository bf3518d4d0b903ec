-- Whose account, whose strategy: what each login may do, tried as that login.
begin;
select plan(152);

select test_support.hold_clock('2026-03-02 15:00:00Z');
select test.given_account();
select test.given_account('other');
select test.given_account('live', '{}', 'live');

-- What differs is the binding. An auditor may read whatever it is bound to (90_grants/bindings.sql): here only the first is one.
create role whole login in role orderlatch_strategy, orderlatch_risk, orderlatch_operator, orderlatch_auditor;
create role momentum login in role orderlatch_strategy, orderlatch_risk, orderlatch_operator;
create role elsewhere login in role orderlatch_strategy, orderlatch_risk, orderlatch_operator;
create role stranger login in role orderlatch_strategy, orderlatch_risk, orderlatch_operator;
create role member login in role orderlatch_owner;
select orderlatch.bind_login('whole', 'paper'), orderlatch.bind_login('whole', 'live'),
       orderlatch.bind_login('momentum', 'paper', 'momentum'), orderlatch.bind_login('momentum', 'live', 'momentum'),
       orderlatch.bind_login('elsewhere', 'other');

-- Tries a statement as a login and takes it back; says the SQLSTATE, or 'allowed'.
create function pg_temp.try_as(p_login text, p_statement text)
returns text
language plpgsql
as $$
begin
  perform test_support.act_as(p_login);
  execute p_statement;
  raise exception using errcode = 'ZZZZZ', message = 'allowed';
exception
  when others then
    return case sqlstate when 'ZZZZZ' then sqlerrm else sqlstate end;
end
$$;

create temporary table known as
  select test.given_decision() as momentum, test.given_decision('paper', '{"strategy_id": "reversal"}') as reversal,
         test.a_decision() as momentum_next, test.a_decision('{"strategy_id": "reversal"}') as reversal_next,
         test.given_halt('paper', 'paper') as paper_halt, test.given_halt('all') as halt_of_all;
select orderlatch_data.open_incident('of_paper', test.account_id(), null, null, '{}'),
       orderlatch_data.open_incident('of_nobody', null, null, null, '{}');

-- What each of five logins is told: bound to the account, to the strategy, to another account, to none; a member of the owner.
create temporary table deeds (deed text, statement text, whole text, momentum text, elsewhere text, stranger text, member text);
insert into deeds
select d.deed, d.statement, d.whole, d.momentum, d.elsewhere, d.stranger, d.member
  from known as k
 cross join lateral (
   values
     ('propose for its strategy', format('select orderlatch.propose_decision(%L, %L)', 'paper', k.momentum_next),
      'allowed', 'allowed', 'OL301', 'OL301', 'allowed'),
     ('propose for another strategy', format('select orderlatch.propose_decision(%L, %L)', 'paper', k.reversal_next),
      'allowed', 'OL301', 'OL301', 'OL301', 'allowed'),
     ('record for another strategy', format('select orderlatch.ensure_decision(%L, %L)', 'paper', k.reversal_next),
      'allowed', 'OL301', 'OL301', 'OL301', 'allowed'),
     ('propose in an array', format('select orderlatch.propose_decisions(%L, %L)', 'paper', '[]'),
      'allowed', 'allowed', 'OL301', 'OL301', 'allowed'),
     ('have a decision of its strategy judged', format('select orderlatch.evaluate_decision(%L)', k.momentum),
      'allowed', 'allowed', 'OL301', 'OL301', 'allowed'),
     ('have a decision of another strategy judged', format('select orderlatch.evaluate_decision(%L)', k.reversal),
      'allowed', 'OL301', 'OL301', 'OL301', 'allowed'),
     -- bound, it gets as far as the account's engine
     ('approve a decision', format('select orderlatch.approve_decision(%L, %L)', k.reversal, '{"a": 1}'),
      'OL304', 'OL301', 'OL301', 'OL301', 'OL304'),
     ('reject a decision', format('select orderlatch.reject_decision(%L, %L)', k.reversal, '{"a": 1}'),
      'OL304', 'OL301', 'OL301', 'OL301', 'OL304'),
     ('withdraw a decision of its strategy', format('select orderlatch.withdraw_decision(%L, %L)', k.momentum, 'why'),
      'allowed', 'allowed', 'OL301', 'OL301', 'allowed'),
     ('withdraw a decision of another strategy', format('select orderlatch.withdraw_decision(%L, %L)', k.reversal, 'why'),
      'allowed', 'OL301', 'OL301', 'OL301', 'allowed'),
     ('ask for the status of a decision of its strategy', format('select orderlatch.decision_status(%L)', k.momentum),
      'allowed', 'allowed', 'OL301', 'OL301', 'allowed'),
     ('ask for the status of a decision of another strategy', format('select orderlatch.decision_status(%L)', k.reversal),
      'allowed', 'OL301', 'OL301', 'OL301', 'allowed'),
     ('ask for the order of a decision', format('select orderlatch.execution_exists(%L)', k.reversal),
      'allowed', 'OL301', 'OL301', 'OL301', 'allowed'),
     ('verify a decision', format('select orderlatch.verify_decision(%L)', k.reversal),
      'allowed', 'OL301', 'OL301', 'OL301', 'allowed'),
     ('end a doubt', format('select orderlatch.resolve_in_doubt(%L, %L, %L)', k.reversal, 'absent', '{"a": 1}'),
      'OL203', 'OL301', 'OL301', 'OL301', 'OL203'),
     ('limit the account', $$select orderlatch.set_limit('order_quantity', 1, 'paper')$$,
      'allowed', 'OL301', 'OL301', 'OL301', 'allowed'),
     ('limit its strategy', $$select orderlatch.set_limit('order_quantity', 1, 'paper', 'momentum')$$,
      'allowed', 'allowed', 'OL301', 'OL301', 'allowed'),
     ('limit another strategy', $$select orderlatch.set_limit('order_quantity', 1, 'paper', 'reversal')$$,
      'allowed', 'OL301', 'OL301', 'OL301', 'allowed'),
     ('limit every account', $$select orderlatch.set_limit('order_quantity', 1)$$,
      'OL301', 'OL301', 'OL301', 'OL301', 'allowed'),
     ('halt the account', $$select orderlatch.halt('why', 'paper')$$,
      'allowed', 'OL301', 'OL301', 'OL301', 'allowed'),
     ('halt its strategy', $$select orderlatch.halt('why', 'paper', 'momentum')$$,
      'allowed', 'allowed', 'OL301', 'OL301', 'allowed'),
     ('halt everything', $$select orderlatch.halt('why')$$,
      'OL301', 'OL301', 'OL301', 'OL301', 'allowed'),
     ('lift a halt of the account', format('select orderlatch.lift_halt(%s, %L)', k.paper_halt, 'why'),
      'allowed', 'OL301', 'OL301', 'OL301', 'allowed'),
     ('lift a halt of everything', format('select orderlatch.lift_halt(%s, %L)', k.halt_of_all, 'why'),
      'OL301', 'OL301', 'OL301', 'OL301', 'allowed'),
     ('close an incident of the account',
      format('select orderlatch.close_incident(%s, %L)', (select min(i.incident_id) from orderlatch_data.incidents as i), 'why'),
      'allowed', 'OL301', 'OL301', 'OL301', 'allowed'),
     ('close an incident of no account',
      format('select orderlatch.close_incident(%s, %L)', (select max(i.incident_id) from orderlatch_data.incidents as i), 'why'),
      'OL301', 'OL301', 'OL301', 'OL301', 'allowed'),
     ('change the account', $$select orderlatch.update_account('paper', '{}')$$,
      'allowed', 'OL301', 'OL301', 'OL301', 'allowed'),
     ('allow submits of a live account', $$select orderlatch.grant_live('live', '1 hour', 'why')$$,
      'allowed', 'OL301', 'OL301', 'OL301', 'allowed'),
     ('end the grants of a live account', $$select orderlatch.revoke_live('live')$$,
      'allowed', 'OL301', 'OL301', 'OL301', 'allowed')
 ) as d(deed, statement, whole, momentum, elsewhere, stranger, member);

select is(
         pg_temp.try_as(l.login, d.statement), e.expected,
         format('login %s may %s: %s', l.login, d.deed, e.expected)
       )
  from deeds as d
 cross join unnest('{whole,momentum,elsewhere,stranger,member}'::text[]) as l(login)
 cross join lateral (select to_jsonb(d) ->> l.login as expected) as e;

-- What is for members of the owner alone, bound or not.
create temporary table owners_deeds as
  select d.deed, d.statement
    from (
      values ('create an account', $$select orderlatch.create_account('new', 'paper')$$),
             ('bind a login', $$select orderlatch.bind_login('stranger', 'paper')$$),
             ('unbind a login', $$select orderlatch.unbind_login('stranger', 'paper')$$)
    ) as d(deed, statement);
select is(pg_temp.try_as(l.login, d.statement), l.expected, format('login %s may %s: %s', l.login, d.deed, l.expected))
  from owners_deeds as d
 cross join (values ('whole', 'OL301'), ('member', 'allowed')) as l(login, expected);

-- In an array a strategy that is not its own costs only that element, and tells nothing of what others recorded.
create temporary table told (input_no integer, decision_id bigint, status text, outcome text, error_code text);
select test_support.act_as('momentum');
insert into told
select p.input_no, p.decision_id, p.status, p.outcome, p.error_code
  from known as k,
       orderlatch.propose_decisions(
         'paper',
         jsonb_build_array(
           k.momentum_next,
           k.reversal_next,
           jsonb_build_object(
             'strategy_id', 'reversal', 'symbol', 'GOOG', 'event_ts', '2026-03-02T14:30:02Z', 'timeframe', '1d', 'action', 'buy',
             'qty', '10'
           )
         )
       ) as p;
reset session authorization;
select results_eq(
  'select t.input_no, t.decision_id is not null, t.status, t.outcome, t.error_code from told as t order by t.input_no',
  $$ values (1, true, 'approved', 'created', null), (2, false, null, 'invalid', 'OL301'), (3, false, null, 'invalid', 'OL301') $$,
  'an element of another strategy is refused alone, though that strategy has recorded it'
);

select * from finish();
rollback;
