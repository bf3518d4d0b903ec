-- The record of what was decided and said is never changed or removed, not by its owner and not by a superuser.
begin;
select plan(35);

select test_support.hold_clock('2026-03-02 15:00:00Z');
select test.given_account();
create temporary table decision as select test.given_decision_in('submitted', test.given_worker()) as decision_hash;
insert into orderlatch_data.lost_requests (request_id, lost_at, cause)
select q.request_id, orderlatch_data.clock(), 'no_answer_in_time' from orderlatch_data.broker_requests as q;
create temporary table before as
  select (select count(*) from orderlatch_data.trade_decisions) as decisions,
         (select count(*) from orderlatch_data.decision_events) as events,
         (select count(*) from orderlatch_data.broker_requests) as requests,
         (select count(*) from orderlatch_data.broker_responses) as responses;

set local role orderlatch_owner;
select throws_ok(
         case d.deed
           when 'update' then format('update orderlatch_data.%I set %I = %I', t.table_name, t.column_name, t.column_name)
           when 'delete' then format('delete from orderlatch_data.%I', t.table_name)
           else format('truncate orderlatch_data.%I cascade', t.table_name)
         end,
         -- calls leave for the archive, with their answers: these hold them
         case when (d.deed, t.table_name) = ('delete', 'broker_requests') then '23503' else 'OL901' end, null,
         format('%s of %s is refused to its owner', d.deed, t.table_name)
       )
  from (
    values ('trade_decisions', 'rationale'), ('decision_events', 'reason'), ('broker_requests', 'body'),
           ('broker_responses', 'body'), ('lost_requests', 'cause'), ('risk_verdicts', 'reasons'), ('clusters', 'why'),
           ('sign_offs', 'reason')
  ) as t(table_name, column_name)
 cross join (values ('update'), ('delete'), ('truncate')) as d(deed);
reset role;

select throws_ok(
  'delete from orderlatch_data.decision_events', 'OL901', 'append_only: delete of decision_events is refused',
  'a superuser is refused too, and told which table it was'
);
select results_eq(
  $$ select (select count(*) from orderlatch_data.trade_decisions), (select count(*) from orderlatch_data.decision_events),
            (select count(*) from orderlatch_data.broker_requests), (select count(*) from orderlatch_data.broker_responses) $$,
  'select * from before', 'everything that was recorded is still there'
);

-- Open rows go when their decision settles, and not otherwise.
create temporary table planned as select test.given_decision() as decision_hash;
select throws_ok(
  'delete from orderlatch_data.open_decisions', 'OL902', null, 'the open row of a decision that has not settled cannot be deleted'
);
create temporary table noted (note text);
create function pg_temp.sweep() returns trigger language plpgsql
as $$ begin delete from orderlatch_data.open_decisions; return null; end $$;
create trigger sweeps after insert on noted for each statement execute function pg_temp.sweep();
select throws_ok(
  $$ insert into noted (note) values ('swept') $$, 'OL902', null, 'nor can it from within somebody''s trigger'
);
select throws_ok(
  'truncate orderlatch_data.open_decisions', 'OL901', null, 'open rows cannot be truncated away'
);
select is((select test.status(p.decision_hash) from planned as p), 'planned', 'the decision is still open');
select lives_ok(
  $$ delete from orderlatch_data.open_decisions as o where o.decision_id = -1 $$, 'deleting no row is no offence'
);

-- Outcomes follow events.
select throws_ok(
  $$ update orderlatch_data.decision_outcomes set status = 'lapsed' $$,
  'OL903', null, 'an outcome cannot be changed without a move'
);
select throws_ok(
  $$ update orderlatch_data.decision_outcomes as o
        set status = 'withdrawn',
            event_id = (select min(e.event_id) from orderlatch_data.decision_events as e where e.decision_id = o.decision_id) $$,
  'OL903', null, 'an outcome cannot be hung on an older event'
);
select throws_ok(
  $$ insert into orderlatch_data.decision_outcomes (decision_id, status, event_id, clean, settled_at)
     select e.decision_id, 'rejected', e.event_id, true, e.moved_at
       from planned as p
       join orderlatch_data.decision_events as e on e.decision_id = test.decision_id(p.decision_hash) $$,
  'OL903', null, 'an outcome cannot be made up for a decision that is open'
);
select throws_ok('delete from orderlatch_data.decision_outcomes', 'OL901', null, 'an outcome cannot be deleted');

select * from finish();
rollback;
