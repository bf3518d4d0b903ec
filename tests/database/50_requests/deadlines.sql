-- A decision is sent in time or lapses; no call may begin after its end.
begin;
select plan(18);

select test_support.hold_clock('2026-03-02 15:00:00Z');
select test.given_account('paper', '{"max_in_doubt": 100}');
select test.given_worker() as worker \gset
create function pg_temp.until(p_ms numeric) returns jsonb language sql volatile as $$
  select jsonb_build_object('valid_until', orderlatch_data.canonical_time(orderlatch_data.clock() + p_ms * interval '1 millisecond'))
$$;

select test.given_approved_decision('paper', '{"symbol": "LONG"}' || pg_temp.until(3600000)) as long \gset
select test.given_approved_decision('paper', '{"symbol": "SHORT"}' || pg_temp.until(1234.567)) as short \gset
select test.given_approved_decision('paper', '{"symbol": "LAST"}' || pg_temp.until(1)) as last \gset
select test.given_approved_decision('paper', '{"symbol": "LATE"}' || pg_temp.until(0.999)) as late \gset
select test.given_approved_decision('paper', '{"symbol": "OVER"}' || pg_temp.until(0)) as over \gset
select results_eq(
  format('select r.decision_hash, r.send_within_ms from (select test.decision_of(c.request_id) as decision_hash, c.send_within_ms
                from test.claim(%s) as c) as r', :worker),
  format('values (%L, 5000), (%L, 1234), (%L, 1)', :'long', :'short', :'last'),
  'the time to send ends with the decision, to the millisecond below');
select is(test.status(:'late'), 'approved', 'a decision with less than a millisecond left is not granted');
select is(test.status(:'over'), 'lapsed', 'one at its end has lapsed');
select is(test.reason(:'over'), 'not sent in time', 'and says why');
select is((select r.answer_by - r.claimed_at from orderlatch_data.broker_requests as r where r.request_id = test.holder(:'last')),
          '20 seconds', 'the time to answer is the same for all');

-- The account's greatest age lapses what says nothing itself, approved or not yet judged.
select test.given_decision('paper', '{"symbol": "PLAN"}') as planned \gset
select test.record(test.answer_not_sent(test.holder(:'long')));
select test.record(test.answer_maybe(test.holder(:'short')));
select orderlatch.halt('tests');
select test_support.advance_clock('14 minutes 59.999 seconds');
select test.look_in_vain(:worker);
select is(test.status(:'planned') || ', ' || test.status(:'long'), 'planned, approved', 'fifteen minutes are not over');
select is(test.status(:'late'), 'lapsed', 'its own end is');
select test_support.advance_clock('1 millisecond');
select count(*) from test.claim(:worker);
select is(test.status(:'planned'), 'lapsed', 'a decision that nobody judged lapses');
select is(test.status(:'long'), 'lapsed', 'one that is valid for longer lapses at the account''s greatest age too');
select is(test.status(:'short'), 'in_doubt', 'one in doubt does not lapse');
select is(test.moves(:'long'), '{none>planned,planned>approved,approved>submitting,submitting>approved,approved>lapsed}',
          'lapsing is a move like any other');

-- The account's setting counts as it was when the decision was recorded.
select orderlatch.lift_halt(h.halt_id, 'tests') from orderlatch_data.halts as h;
select orderlatch.update_account('paper', '{"max_decision_age": "2 seconds"}');
select test.given_approved_decision('paper', '{"symbol": "FRESH"}') as fresh \gset
select orderlatch.update_account('paper', '{"max_decision_age": "1 hour"}');
select is((select c.send_within_ms from test.claim(:worker) as c where test.decision_of(c.request_id) = :'fresh'), 2000,
          'a decision keeps the greatest age of its recording');

-- Many at once, and none of them is lost from sight.
select count(*) from orderlatch.propose_decisions(
  'paper', (select jsonb_agg(test.a_decision(pg_temp.until(1))) from generate_series(1, 150)));
select test_support.advance_clock('1 second');
select count(*) from test.claim(:worker, 1);
select is((select count(*)::integer from orderlatch_data.open_decisions as o where o.lapse_at <= orderlatch_data.clock()
              and o.status = 'approved'), 50, 'one claim lapses at most 100');
select is((select count(*)::integer from orderlatch.claim_requests(:worker, '{paper}', 1) as c where c.kind = 'submit_order'), 0,
          'what is late and was not lapsed yet is not granted');
select count(*) from test.claim(:worker);
select is((select count(*)::integer from orderlatch_data.open_decisions as o where o.lapse_at <= orderlatch_data.clock()
              and o.status = 'approved'), 0, 'the next lapses the rest');
select is((select count(*)::integer from orderlatch_data.decision_outcomes as o where o.status = 'lapsed' and not o.clean), 0,
          'all of them clean');
select is((select count(*)::integer from orderlatch_data.broker_requests as r where r.kind = 'submit_order'), 4, 'none was sent');
select is(test.broken_promises(), '{}', 'no promise is broken');

select * from finish();
rollback;
