-- Strategies follow their decisions: every move once, in order, in steps of any size.
-- What is followed must be committed, so the world is made before the transaction of the test begins.
select test.given_account();
select test.given_account('second');
select test.given_worker() as worker_id \gset
select test.given_submitting_decision(:worker_id, '{"strategy_id": "one", "symbol": "KO"}') as one \gset
select test.record(test.answer_order(test.holder(:'one')));
select test.given_decision('paper', '{"strategy_id": "two"}') as two \gset
select test.given_decision('second', '{"strategy_id": "one"}') as three \gset
select cursor as after_three from orderlatch.events_since('now') \gset

begin;
select plan(32);
create function pg_temp.given(p_cursor text, p_how_many integer default 100)
returns table (event_id bigint, to_status text, caught_up boolean)
language sql
as $$ select e.event_id, e.to_status, e.caught_up from orderlatch.events_since(p_cursor, p_how_many) as e $$;

select results_eq(
  'select * from pg_temp.given(null)',
  $$ values (1::bigint, 'planned', false), (2, 'approved', false), (3, 'submitting', false), (4, 'submitted', false),
            (5, 'planned', false), (6, 'planned', false), (null, null, true) $$,
  'without a cursor every event comes, the first first, and a row that says that there are no more'
);
select results_eq(
  $$ select e.event_id, e.decision_hash, e.account, e.strategy_id, e.symbol, e.from_status, e.to_status, e.moved_at, e.reason,
            e.request_id, e.event_key
       from orderlatch.events_since() as e
      where e.event_id is not null $$,
  $$ select v.event_id, v.decision_hash, v.account, d.strategy_id, v.symbol, v.from_status, v.to_status, v.moved_at, v.reason,
            v.request_id, to_hex((extract(epoch from pg_postmaster_start_time()) * 1000000)::bigint) || '-' || v.event_id
       from orderlatch.events as v
       join orderlatch_data.trade_decisions as d on d.decision_id = v.decision_id
      order by v.event_id $$,
  'each row is what the view events shows, with a key that names the server that wrote it'
);
select results_eq(
  $$ select c.n, g.event_id, g.caught_up
       from (select row_number() over () as n, e.cursor from orderlatch.events_since() as e) as c
      cross join lateral (select * from pg_temp.given(c.cursor, 1) as e order by e.event_id limit 1) as g $$,
  $$ values (1::bigint, 2::bigint, false), (2, 3, false), (3, 4, false), (4, 5, false), (5, 6, false), (6, null, false), (7, null, true) $$,
  'the cursor of each row goes on behind that row'
);
create temporary table followed (place integer, event_id bigint, caught_up boolean);
create procedure pg_temp.follow(p_how_many integer)
language plpgsql
as $$
declare
  v_cursor text;
  v_row record;
begin
  for v_place in 1 .. 20 loop
    for v_row in select e.* from orderlatch.events_since(v_cursor, p_how_many) as e loop
      insert into followed values (v_place, v_row.event_id, v_row.caught_up);
      v_cursor := v_row.cursor;
    end loop;
    exit when v_row.caught_up;
  end loop;
end
$$;
call pg_temp.follow(1);
select results_eq(
  'select f.place, f.event_id, f.caught_up from followed as f order by f.place, f.event_id nulls last',
  $$ values (1, 1::bigint, false), (2, 2, false), (3, 3, false), (4, 4, false), (5, 5, false), (6, 6, false),
            (7, null, false), (8, null, true) $$,
  'one by one they come in six calls, one to end the batch and one to see that there is nothing new'
);
delete from followed;
call pg_temp.follow(6);
select results_eq(
  'select f.place, f.event_id from followed as f order by f.place, f.event_id nulls last',
  $$ values (1, 1::bigint), (1, 2), (1, 3), (1, 4), (1, 5), (1, 6), (2, null), (3, null) $$,
  'a call that is full says nothing of the end'
);
delete from followed;
call pg_temp.follow(4);
select is((select max(f.place) from followed as f), 3, 'the last of several calls ends it');
select results_eq(
  format('select * from pg_temp.given(%L)', :'after_three'), 'values (null::bigint, null::text, true)', 'now begins behind all that was'
);

-- Rights ----------------------------------------------------------------------------------------------------------------

create role strategy_one login in role orderlatch_strategy;
create role strategy_two login in role orderlatch_strategy;
create role strategy_any login in role orderlatch_strategy;
create role strategy_none login in role orderlatch_strategy;
create role a_worker login in role orderlatch_worker;
create role a_risk_engine login in role orderlatch_risk;
create role an_operator login in role orderlatch_operator;
create role an_auditor login in role orderlatch_auditor;
select orderlatch.bind_login('strategy_one', 'paper', 'one');
select orderlatch.bind_login('strategy_two', 'paper', 'two');
select orderlatch.bind_login('strategy_any', 'second');
select orderlatch.bind_login('a_worker', 'paper');
create function pg_temp.ids(p_how_many integer default 100)
returns bigint[]
language sql
as $$ select array_agg(e.event_id order by e.event_id) filter (where e.event_id is not null) from orderlatch.events_since(null, p_how_many) as e $$;

select test_support.act_as('strategy_one');
select is(pg_temp.ids(), '{1,2,3,4}', 'a strategy''s login sees the events of its decisions');
select is(pg_temp.ids(2), '{1,2}', 'as many as it asks for');
reset session authorization;
select test_support.act_as('strategy_two');
select is(pg_temp.ids(), '{5}', 'those of another one are not among them');
select results_eq(
  'select * from pg_temp.given(null, 1)', 'values (5::bigint, ''planned'', false)', 'even when it asks for one only'
);
reset session authorization;
select test_support.act_as('strategy_any');
select is(pg_temp.ids(), '{6}', 'one that is bound to an account sees that account''s');
reset session authorization;
select test_support.act_as('strategy_none');
select results_eq(
  'select * from pg_temp.given(null)', 'values (null::bigint, null::text, true)', 'one that is bound to nothing sees nothing, and is told so'
);
reset session authorization;
select test_support.act_as('a_risk_engine');
select is(pg_temp.ids(), '{1,2,3,4,5,6}', 'a risk engine sees all');
reset session authorization;
select test_support.act_as('an_operator');
select is(pg_temp.ids(), '{1,2,3,4,5,6}', 'an operator too');
reset session authorization;
select test_support.act_as('an_auditor');
select is(pg_temp.ids(), '{1,2,3,4,5,6}', 'and an auditor');
reset session authorization;
select test_support.act_as('a_worker');
select throws_ok('select orderlatch.events_since()', '42501', null, 'a worker has no business with them');
reset session authorization;

-- Arguments -------------------------------------------------------------------------------------------------------------

select throws_ok(
  format('select * from orderlatch.events_since(%L)', c.cursor), 'OL131',
  'argument_invalid: p_cursor is no cursor that events_since has returned', format('%L is no cursor', c.cursor)
)
  from (
    values (''), ('yesterday'), ('1'), ('1.2.3.4'), ('1.2.3.4.5:6:7.8'), ('1.2.3.4.6:5:'), ('1.2.3.4.5:6:/1.2.3.4.5:6:'),
           ('1.2.3.4.5:6:/1.2.3/4'), ('1.2.3.4.5:6:/1.2.3.4.5:6:/x'), ('1.2.3.4.5:6:/1.2.3.4.5:6:/1/1'),
           ('1.99999999999999999999.3.4.5:6:'), ('9999999999999999999.2.3.4.5:6:')
  ) as c(cursor);
select throws_ok(
  format('select * from orderlatch.events_since(null, %L)', n.how_many), 'OL131', 'argument_invalid: p_how_many must be from 1 to 1000',
  format('%L is no number of events', n.how_many)
)
  from (values (null::integer), (0), (1001)) as n(how_many);

select * from finish();
rollback;
