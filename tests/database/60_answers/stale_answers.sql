-- A negative answer of a request that no longer holds the decision is noted, and has no effect.
begin;
select plan(28);

select test_support.hold_clock('2026-03-02 15:00:00Z');
select test.given_account('paper', '{"max_in_doubt": 100, "max_decision_age": "1 day"}');
select test.given_worker() as worker \gset
create temporary table negatives (no integer, status integer, code integer, message text, sent text, title text);
insert into negatives values
  (1, 403, 40310000, 'insufficient buying power', 'yes', 'a refusal'),
  (2, null, null, null, 'no', 'a call that was not sent'),
  (3, null, null, null, 'maybe', 'a time-out'),
  (4, 422, 40010001, 'client_order_id must be unique', 'yes', 'a duplicate'),
  (5, 500, 50010000, 'internal server error occurred', 'yes', 'a 500');
create function pg_temp.answer(p_request_id uuid, p_no integer) returns jsonb language sql volatile as $$
  select case when n.status is null then test.answer(p_request_id, n.sent)
              else test.answer_error(p_request_id, n.status, n.code, n.message) end
    from negatives as n where n.no = p_no
$$;

-- The first submit was lost, its order proved absent, and a second one is on its way.
create temporary table lost as
  select n.no, test.given_submitting_decision(:worker,
    jsonb_build_object('symbol', 'S' || n.no)) as decision_hash from negatives as n;
alter table lost add first uuid;
update lost set first = test.holder(decision_hash);
select test_support.advance_clock('20 seconds');
select test.look_in_vain(:worker);
select test_support.hold_clock('2026-03-02 15:02:00Z');
select test.look_in_vain(:worker);
select test_support.hold_clock('2026-03-02 15:02:30Z');
select test.look_in_vain(:worker);
select count(test.record(test.answer_status(c.request_id, 200, '[]'))) from test.claim(:worker) as c where c.kind = 'list_orders';
select is((select array_agg(distinct test.status(l.decision_hash)) from lost as l), '{approved}',
          'five orders are proved absent');
select is(test.record(pg_temp.answer(l.first, l.no)), 'stale', n.title || ' that comes after the proof is stale')
  from lost as l join negatives as n on n.no = l.no where l.no in (1, 2, 4) order by l.no;
select is((select array_agg(distinct (o.status, o.clean, o.submits)::text) from orderlatch_data.open_decisions as o),
          '{"(approved,f,1)"}', 'it changes nothing');
select test_support.advance_clock('1 minute');
select count(*) from test.claim(:worker);
select is((select array_agg(distinct test.status(l.decision_hash)) from lost as l), '{submitting}', 'all are sent again');
select is(test.record(pg_temp.answer(l.first, l.no)), 'stale',
          n.title || ' of the first submit is stale while the second is on its way')
  from lost as l join negatives as n on n.no = l.no where l.no in (3, 5) order by l.no;
select is((select array_agg(distinct (test.status(l.decision_hash), test.holder(l.decision_hash) = (test.open_row(l.decision_hash)).holder_request_id)::text) from lost as l),
          '{"(submitting,t)"}', 'the second still holds the decision');
select is((select count(*)::integer from orderlatch_data.broker_responses as r where r.meaning = 'stale'), 5,
          'stale answers are kept');
select is((select array_agg(r.code order by r.code) from orderlatch_data.broker_responses as r
            where r.meaning = 'stale' and r.code is not null),
          '{40010001,40310000,50010000}', 'with what they said');

-- A submit that was answered in doubt has said all that it can.
select test.record(test.answer_maybe(test.holder(l.decision_hash))) from lost as l where l.no = 1;
select is(test.record(test.answer_error(test.holder(l.decision_hash), 403, 40310000, 'no')), 'in_doubt',
          'a second answer to the same request is the first')
  from lost as l where l.no = 1;
-- A settled decision.
select test.record(test.answer_order(test.holder(l.decision_hash))) from lost as l where l.no > 1;
select count(*) from test.claim(:worker);
select test_support.advance_clock('1 second');
select test.given_submitting_decision(:worker, '{"symbol": "FOUND"}') as found \gset
select test.record(test.answer_status(gen_random_uuid(), 200, test.order_document(:'found')::text));
select is(test.status(:'found'), 'submitted', 'an order is found while its submit is on its way');
select is(test.broken_promises(), '{}', 'that breaks no promise');
select is(test.record(pg_temp.answer(test.holder(:'found'), 1)), 'stale', 'the no to its submit is stale');
select is(test.status(:'found'), 'submitted', 'the order is there');

-- Lookups: one that was on its way when the decision was sent again says nothing of the second submit.
select test_support.advance_clock('10 minutes');
select l.decision_hash as again, l.first as first from lost as l where l.no = 1 \gset
select test.given_absent_twice(:worker, :'again');
select test_support.advance_clock('30 seconds');
select (test.claim_one(:worker, 'find_order')).request_id as old_lookup \gset
select (test.claim_one(:worker, 'list_orders')).request_id as page \gset
select is(test.record(test.answer_status(:'page', 200, '[]')), 'orders_listed', 'the proof ends while a lookup is on its way');
select (test.claim_one(:worker)).request_id as third \gset
select test_support.advance_clock('1 second');
select is(test.record(test.answer_absent(:'old_lookup')), 'stale', 'its word of absence is stale');
select is(test.status(:'again'), 'submitting', 'and says nothing of the third submit');
select test.record(test.answer_maybe(:'third'));
select is((test.doubt(:'again')).first_absent_at, null, 'the new doubt begins without proof');
select (test.open_row(:'again')).submits as submits \gset
select is(:submits, 3, 'three submits are behind it');

-- A lookup that finds the order is welcome however old.
select (test.claim_one(:worker, 'find_order')).request_id as lookup \gset
select test_support.advance_clock('21 seconds');
select count(*) from test.claim(:worker);
select test_support.advance_clock('2 seconds');
select count(*) from test.claim(:worker);
select isnt((test.open_row(:'again')).lookup_request_id, :'lookup'::uuid, 'a newer lookup has taken its place');
select is(test.record(test.answer_absent(:'lookup')), 'stale', 'an older lookup''s word of absence is stale');
select is(test.record(test.answer_order(:'lookup')), 'order_exists', 'but its order exists');
select is(test.status(:'again'), 'submitted', 'and ends the doubt');
select is(test.record(test.answer_absent(r.request_id)), 'stale',
          'what is on its way then is stale') from orderlatch_data.open_requests as r;
select is(test.incidents(), '{}', 'nothing of this is an incident');
select is(test.broken_promises(), '{}', 'no promise is broken');

select * from finish();
rollback;
