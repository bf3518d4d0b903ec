-- An answer to a request that a failover has lost: the order in it is a fact, anything else is stale.
begin;
select plan(28);

select test_support.hold_clock('2026-03-02 15:00:00Z');
select test.given_account('paper', '{"max_in_doubt": 100}');
select test.given_worker() as worker \gset
create function pg_temp.unknown(p_status integer, p_body text) returns text language sql volatile as $$
  select test.record(test.answer_status(gen_random_uuid(), p_status, p_body))
$$;

select is(pg_temp.unknown(s.status, s.body), 'stale', s.title)
  from (
    values (200, '', 'an empty answer is stale'), (200, '[]', 'a list is stale'), (200, '{"id": "x"}', 'half an order is stale'),
           (404, '{"code": 40410000, "message": "order not found for x"}', 'an absence is stale'),
           (401, '{"message": "unauthorized."}', 'a bad key is stale'),
           (429, '{"code": 42910000, "message": "rate limit exceeded"}', 'a limit is stale')
  ) as s(status, body, title);
select is(test.record(test.answer_not_sent(gen_random_uuid())), 'stale', 'a call that was not sent is stale');
select is(pg_temp.unknown(500, test.order_document(test.given_decision())::text), 'stale', 'an order in a 500 is stale');
select is(test.incidents() || test.halts(), '{}', 'none of them means anything');
select is((select count(*)::integer from orderlatch_data.broker_responses), 1,
          'nor is it kept, as nothing is known that it answers');

-- An order of ours, whatever its decision's status.
select test.given_decision_in(s.status, :worker) as decision_hash, s.status
  into temporary table ours
  from unnest('{submitting,in_doubt,approved,planned}'::text[]) as s(status);
select is(pg_temp.unknown(200, test.order_document(o.decision_hash)::text), 'order_exists',
          format('the order of a decision that is %s exists', o.status))
  from ours as o;
select is((select array_agg(distinct test.status(o.decision_hash)) from ours as o), '{submitted}', 'the decisions are submitted');
select is((select array_agg(distinct x.found_in_request_id) from orderlatch_data.broker_orders as x), '{NULL}',
          'found in no request that is known');
select is(test.incidents(), '{}', 'that is no incident');
select is(test.broken_promises(), '{}', 'no promise is broken');

-- An order of a decision that is lost too: it waits for the decision to be proposed again.
select jsonb_build_object('strategy_id', 'lost', 'symbol', 'LOST', 'event_ts', '2026-03-02T14:00:00Z', 'timeframe', '1d',
  'action', 'sell', 'qty', '5') as lost \gset
select orderlatch.decision_hash('paper', :'lost') as lost_hash \gset
select jsonb_build_object('id', 'o-1', 'client_order_id', :'lost_hash', 'status', 'accepted', 'symbol', 'LOST', 'side', 'sell',
  'type', 'market',
                          'time_in_force', 'day', 'qty', '5', 'submitted_at', '2026-03-02T14:00:01Z') as document \gset
select is(pg_temp.unknown(200, :'document'), 'order_exists', 'an order of nobody exists');
select is(pg_temp.unknown(200, :'document'), 'order_exists', 'also when it is said twice');
select results_eq('select f.broker_order_id, f.client_order_id, f.document from orderlatch_data.seen_orders as f',
                  format('values (''o-1'', %L, %L::jsonb)', :'lost_hash', :'document'), 'it is kept');
select is((select e.status || ' ' || e.outcome from orderlatch.propose_decision('paper', :'lost') as e), 'submitted created',
          'proposed again, its decision has its order');
select is(test.moves(:'lost_hash'), '{none>planned,planned>submitted}', 'before any call');
select test_support.advance_clock('1 minute');
select is((select count(*)::integer from test.claim(:worker) as c where test.decision_of(c.request_id) = :'lost_hash'), 0,
          'none is made');

-- One with other terms is held for a person.
select :'lost'::jsonb || '{"symbol": "ODD"}' as odd \gset
select orderlatch.decision_hash('paper', :'odd') as odd_hash \gset
select pg_temp.unknown(200, (:'document'::jsonb || jsonb_build_object('id', 'o-2', 'client_order_id', :'odd_hash', 'symbol', 'ODD', 'qty', '6'))::text);
select is((select e.status from orderlatch.propose_decision('paper', :'odd') as e), 'in_doubt',
          'an order with other terms is not adopted');
select is(test.incidents() || test.halts(), '{order_mismatch,order_mismatch}', 'a person is asked, and the account halted');
select orderlatch.lift_halt(h.halt_id, 'tests') from orderlatch_data.halts as h;
select is(orderlatch.resolve_in_doubt(:'odd_hash', 'absent', '{"note": "it was a test order"}'), 'lapsed',
          'declared absent it lapses');
select is(test.reason(:'odd_hash'), 'declared absent by postgres: it was never approved', 'as risk never saw it');

select * from finish();
rollback;
