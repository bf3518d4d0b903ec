-- What is old moves into the archive, whole, and whoever explains or verifies reads it there as before.
begin;
select plan(53);

select test_support.hold_clock('2026-03-02 15:00:00Z');
create role tidy_operator login in role orderlatch_operator;
select test.given_account();
create temporary table worlds as select test.given_worker() as worker_id;

-- An old past: decisions in every status, one that was in doubt and sent again, and one whose order is still open.
create temporary table decisions as
  select s.status as name, test.given_decision_in(s.status, w.worker_id) as decision_hash
    from worlds as w, unnest('{rejected,withdrawn,lapsed,submitted,refused}'::text[]) as s(status);
insert into decisions select 'traded', test.given_submitting_decision(w.worker_id, '{"symbol": "TRADED"}') from worlds as w;
insert into decisions select 'doubted', test.given_submitting_decision(w.worker_id, '{"symbol": "DOUBTED"}') from worlds as w;
create function pg_temp.hash_of(p_name text)
returns text
language sql
as $$ select d.decision_hash from decisions as d where d.name = p_name $$;
create function pg_temp.id_of(p_name text)
returns bigint
language sql
as $$ select test.decision_id(pg_temp.hash_of(p_name)) $$;
create temporary table answers as
  select test.answer_order(test.holder(pg_temp.hash_of('traded')), '{"status": "filled", "filled_qty": "10", "filled_avg_price": "1.5"}')
           as answer;
select is(test.record(a.answer), 'order_exists', 'one is traded at once') from answers as a;
-- Given up, and looked for until it was found.
select test_support.advance_clock('1 minute');
select is((test.claim_one(w.worker_id, 'find_order')).kind, 'find_order', 'the doubted one is lost, and looked for') from worlds as w;
select is(
  test.record(test.answer_order((select o.lookup_request_id from test.open_row(pg_temp.hash_of('doubted')) as o),
    '{"status": "canceled"}')), 'order_exists', 'and found');
create temporary table lost as select q.request_id from orderlatch_data.lost_requests as q;
-- A read of the mirror that was lost, and nobody ever answered.
insert into orderlatch_data.broker_requests
  (request_id, account_id, worker_id, kind, method, path, claimed_at, send_within_ms, timeout_ms, answer_by)
select md5('unanswered')::uuid, a.account_id, w.worker_id, 'get_account', 'GET', '/v2/account', orderlatch_data.clock(), 1, 1,
       orderlatch_data.clock()
  from orderlatch_data.accounts as a, worlds as w;
insert into orderlatch_data.lost_requests (request_id, lost_at, cause)
values (md5('unanswered')::uuid, orderlatch_data.clock(), 'worker_gone');
create temporary table heads as select orderlatch.audit_head() as head;
-- Stories as they are told now: without the line that says where they were read.
create temporary table stories as
  select d.name, s.at, s.story from decisions as d cross join orderlatch.explain_decision(d.decision_hash) as s
   where s.story not like 'verified%';
create temporary table wires as select w.* from orderlatch.wire as w;

-- What may not be archived -----------------------------------------------------------------------------------------------------

select test_support.advance_clock('30 days');
insert into decisions select 'new', test.given_submitting_decision(w.worker_id, '{"symbol": "NEW"}') from worlds as w;
insert into decisions select 'in_doubt', test.given_submitting_decision(w.worker_id, '{"symbol": "DOUBT"}') from worlds as w;
select is(test.record(test.answer_maybe(test.holder(pg_temp.hash_of('in_doubt')))), 'in_doubt', 'one is in doubt');
select test_support.advance_clock('1 second');
select is(test.kinds(w.worker_id), '{find_order}', 'and a lookup is on its way') from worlds as w;
select throws_ok($$ select orderlatch.archive_before(orderlatch_data.clock() - interval '6 days', 'tidy') $$, 'OL131', null,
  'what is younger than 7 days stays');
select throws_ok($$ select orderlatch.archive_before(null, 'tidy') $$, 'OL131', null, 'a moment is asked for');
select throws_ok($$ select orderlatch.archive_before('-infinity', ' ') $$, 'OL131', null, 'a reason is asked for');
select throws_ok($$ select orderlatch.archive_before('2026-03-10Z', 'tidy', null, 0) $$, 'OL131', null, 'a step moves something');
select throws_ok($$ select orderlatch.archive_before('2026-03-10Z', 'tidy', null, 10001) $$, 'OL131', null, 'and is bounded');
select throws_ok($$ select orderlatch.archive_before('2026-03-10Z', 'tidy', 'nobody') $$, 'OL102', null, 'an account must exist');
select test_support.act_as('tidy_operator');
select throws_ok($$ select orderlatch.archive_before('2026-03-10Z', 'tidy') $$, 'OL301', null, 'every account takes the owner');
select throws_ok($$ select orderlatch.archive_before('2026-03-10Z', 'tidy', 'paper') $$, 'OL301', null, 'an account takes a binding');
reset session authorization;
select is_empty('select a.act_no from orderlatch_data.operator_acts as a where a.act like ''archivings%''', 'what was refused is no act');

-- Steps ------------------------------------------------------------------------------------------------------------------------

select results_eq(
  $$ select a.archived, a.more from orderlatch.archive_before('2026-03-10Z', 'a month is enough', 'paper', 3) as a $$,
  $$ values (3, true) $$, 'a step moves as many calls as it may'
);
select is(
  (select max(c.claimed_at) from orderlatch_data.archived_calls as c) <= (
    select min(q.claimed_at) from orderlatch_data.broker_requests as q
     where q.decision_id is distinct from pg_temp.id_of('submitted')
  ), true, 'the oldest first'
);
select results_eq(
  $$ select a.more from orderlatch.archive_before('2026-03-10Z', 'a month is enough', 'paper', 100) as a $$,
  $$ values (false) $$, 'the last step says so'
);
select results_eq(
  $$ select a.archived, a.through_at, a.more from orderlatch.archive_before('2026-03-10Z', 'a month is enough', 'paper', 100) as a $$,
  $$ values (0, null::timestamptz, false) $$, 'after it nothing is left'
);
select is(
  (select jsonb_agg(jsonb_build_array(a.account, a.reason, a.ordered_by)) from orderlatch.archivings as a),
  jsonb_build_array(jsonb_build_array('paper', 'a month is enough', session_user)), 'all steps are one order'
);
select results_eq(
  $$ select a.act, a.detail ->> 'reason' from orderlatch_data.operator_acts as a where a.act like 'archivings%' $$,
  $$ values ('archivings insert', 'a month is enough') $$, 'and one act'
);
select set_eq(
  $$ select distinct d.name from orderlatch_data.broker_requests as q join decisions as d on test.decision_id(d.decision_hash) = q.decision_id $$,
  $$ values ('submitted'), ('new'), ('in_doubt') $$,
  'calls of what is open, in doubt, or has an order that is open at the broker stay'
);
select is_empty(
  $$ select r.request_id from orderlatch_data.broker_responses as r
      where not exists (select 1 from orderlatch_data.broker_requests as q where q.request_id = r.request_id)
     union all
     select l.request_id from orderlatch_data.lost_requests as l
      where not exists (select 1 from orderlatch_data.broker_requests as q where q.request_id = l.request_id) $$,
  'answers and losses went with their calls'
);
select ok(exists (select 1 from orderlatch_data.archived_calls as c where c.request_id = md5('unanswered')::uuid),
  'so did the call that nobody answered');

-- Nothing is lost to those who read --------------------------------------------------------------------------------------------

select is_empty(
  $$ (select s.name, s.at, s.story from stories as s
      except
      select d.name, s.at, s.story from decisions as d cross join orderlatch.explain_decision(d.decision_hash) as s) $$,
  'every decision is explained as before'
);
select is(
  (select array_agg(s.story) from orderlatch.explain_decision(pg_temp.hash_of('traded')) as s where s.story like '%archive%'),
  array[format('1 of its calls are in the archive, by order of %s: a month is enough', session_user)],
  'and its story says what of it is in the archive'
);
select is_empty(
  $$ select s.story from orderlatch.explain_decision(pg_temp.hash_of('submitted')) as s where s.story like '%archive%' $$,
  'or nothing, where nothing is'
);
select is_empty(
  $$ (select to_jsonb(w) - 'archived' from wires as w except select to_jsonb(w) - 'archived' from orderlatch.wire as w) $$,
  'the wire shows every call as before'
);
select set_eq(
  $$ select w.request_id from orderlatch.wire as w where w.archived $$,
  $$ select c.request_id from orderlatch_data.archived_calls as c $$, 'and says which are archived'
);
select is(test.status(pg_temp.hash_of('traded')), 'submitted', 'the status of an archived decision is what it was');
select is_empty($$ select i.* from orderlatch.invariants as i where i.violations <> 0 $$, 'no promise is broken');
select results_eq(
  $$ select v.what, v.finding from orderlatch.verify_all((select h.head from heads as h)) as v $$,
  $$ select 'all', format('%s decisions verified, 0 findings', count(*)) from orderlatch_data.trade_decisions as t $$,
  'every chain verifies, also against a head from before'
);
select is_empty(
  $$ select d.name, v.* from decisions as d cross join orderlatch.verify_decision_events(d.decision_hash) as v where not v.intact $$,
  'and each by itself'
);

-- A decision that comes again --------------------------------------------------------------------------------------------------

select results_eq(
  $$ select p.outcome, p.status from orderlatch.propose_decision('paper', (
       select t.intent::jsonb - 'v' - 'account' from orderlatch_data.trade_decisions as t where t.decision_id = pg_temp.id_of('traded')
     )) as p $$,
  $$ values ('existing', 'submitted') $$, 'an archived decision that is proposed again is found'
);
select results_eq(
  $$ select p.outcome from orderlatch.propose_decision('paper', (
       select (t.intent::jsonb - 'v' - 'account') || '{"qty": "11"}' from orderlatch_data.trade_decisions as t
        where t.decision_id = pg_temp.id_of('traded')
     )) as p $$,
  $$ values ('conflict') $$, 'its signal stays taken'
);
select is_empty(
  $$ select c.kind from worlds as w cross join test.claim(w.worker_id) as c where c.kind = 'submit_order' $$, 'and nothing is sent for it'
);
select is(test.record(a.answer), 'order_exists', 'its answer, told again years later, is the fact that it was') from answers as a;
select is(test.record(test.answer_maybe(l.request_id)), 'stale', 'and that of a lost call says nothing any more') from lost as l;
select is(test.record(test.answer_maybe(md5('unanswered')::uuid)), 'stale', 'of whatever kind');
select is(test.incidents(), '{}', 'nobody is called for it');
select is(
  (select count(*) from orderlatch_data.broker_orders as b where b.decision_id = pg_temp.id_of('traded')), 1::bigint,
  'its order is one order');

-- The archive is written once, and tampering shows -----------------------------------------------------------------------------

select throws_ok($$ update orderlatch_data.archived_calls set status = 500 $$, 'OL901', null, 'archived calls are not changed');
select throws_ok($$ delete from orderlatch_data.archived_calls $$, 'OL901', null, 'nor removed');
select throws_ok($$ truncate orderlatch_data.archived_calls $$, 'OL901', null, 'nor all at once');
select throws_ok($$ update orderlatch_data.archivings set reason = 'x' $$, 'OL901', null, 'nor is the order to archive');
select throws_ok(
  $$ with q as (delete from orderlatch_data.broker_responses as r returning r.request_id) select count(*) from q $$, 'OL901', null,
  'an answer does not leave without the archive'
);
select test_support.advance_clock('1 minute');
select test.claim(w.worker_id) from worlds as w;
select throws_ok($$ delete from orderlatch_data.lost_requests $$, 'OL901', null, 'nor does a loss');
select throws_ok(
  $$ delete from orderlatch_data.broker_requests as q where q.decision_id = pg_temp.id_of('submitted') $$, '23503', null,
  'nor a call without its answer');

-- What verify_all finds after a deed done behind the back of all triggers. It is undone.
create function pg_temp.found_after(p_deed text)
returns text[]
language plpgsql
as $$
declare
  v_found text[];
begin
  begin
    set local session_replication_role = replica;
    execute p_deed;
    select array_agg(distinct v.what order by v.what) into v_found from orderlatch.verify_all() as v where v.what <> 'all';
    raise exception using errcode = 'ZZ000';
  exception
    when sqlstate 'ZZ000' then
      null;
  end;
  return v_found;
end
$$;
select is(pg_temp.found_after($$ update orderlatch_data.archived_calls set answer_body = 'x' where decision_id = pg_temp.id_of('traded') $$),
  '{events}', 'an archived answer that was edited is found');
select is(pg_temp.found_after($$ update orderlatch_data.archived_calls set body = '{}' where decision_id = pg_temp.id_of('refused') $$),
  '{events,promises}', 'so is an archived request');
select is(pg_temp.found_after($$ delete from orderlatch_data.archived_calls where decision_id = pg_temp.id_of('doubted') $$),
  '{events}', 'so is one that is gone');
select is(pg_temp.found_after($$ update orderlatch_data.archivings set reason = 'another' $$), '{acts}', 'so is an order with another reason');
select is(
  pg_temp.found_after($$ insert into orderlatch_data.broker_requests
    select a.* from orderlatch_data.archived_requests as a where a.decision_id = pg_temp.id_of('traded') $$),
  '{archive}', 'so is a call that is in two places');

-- A column of a call that the archive would lose ---------------------------------------------------------------------------------

select is(
  (
    select array_agg(r.relname || '.' || c.attname order by 1)
      from (values ('broker_requests', 'archived_requests'), ('broker_responses', 'archived_responses'),
                   ('lost_requests', 'archived_losses')) as r(relname, archived_as)
      join pg_attribute as c on c.attrelid = ('orderlatch_data.' || r.relname)::regclass and c.attnum > 0 and not c.attisdropped
      left join pg_attribute as v
        on v.attrelid = ('orderlatch_data.' || r.archived_as)::regclass and v.attname = c.attname and v.atttypid = c.atttypid
     where v.attname is null and c.attgenerated = ''
  ), null, 'every column of a call, its answer and its loss has its place in the archive'
);

select * from finish();
rollback;
