-- After hours of a halt, or without a worker, old decisions lapse by the database's clock and no burst of them leaves.
begin;
select plan(24);

select test_support.hold_clock('2026-03-02 15:00:00Z');
select test.given_account('paper', '{"rate_limit": 200, "burst": 20, "max_in_doubt": 100}');
select test.given_account('live', '{"max_in_doubt": 100}', 'live');
select test.given_worker('paper', 'live') as worker \gset
create function pg_temp.statuses() returns text language sql volatile as $$
  select string_agg(d.status || ' ' || d.n, ', ' order by d.status)
    from (select d.status, count(*) as n from orderlatch.decisions as d where d.account = 'paper' group by d.status) as d
$$;
create function pg_temp.lapsed_late() returns bigint language sql volatile as $$
  select count(*) from orderlatch_data.broker_requests as q
    join orderlatch_data.trade_decisions as t on t.decision_id = q.decision_id
   where q.kind = 'submit_order' and q.claimed_at >= t.recorded_at + interval '15 minutes'
$$;

-- A halt of three hours.
select test.given_halt('news', 'paper') as halt \gset
select count(p.outcome) from orderlatch.propose_decisions(
  'paper', (select jsonb_agg(test.a_decision(jsonb_build_object('symbol', 'S' || n))) from generate_series(1, 250) as n)) as p;
select is(test.kinds(:worker), '{}', 'under a halt 250 decisions wait');
select test_support.advance_clock('14 minutes');
select count(p.outcome) from orderlatch.propose_decisions(
  'paper', (select jsonb_agg(test.a_decision(jsonb_build_object('symbol', 'N' || n))) from generate_series(1, 5) as n)) as p;
select test_support.advance_clock('59.999999 seconds');
select is(test.kinds(:worker), '{}', 'up to their last microsecond');
select is(pg_temp.statuses(), 'approved 255', 'they are approved');
select test_support.advance_clock('1 microsecond');
select is(test.ask_again_ms(:worker), 20, 'a claim lapses a hundred of them, and says that there are more');
select is(pg_temp.statuses(), 'approved 155, lapsed 100', 'as it holds only so many locks');
select test_support.advance_clock('20 milliseconds');
select test.kinds(:worker);
select test_support.advance_clock('20 milliseconds');
select test.kinds(:worker);
select is(pg_temp.statuses(), 'approved 5, lapsed 250', 'with the third all that are old have lapsed');
select orderlatch.lift_halt(:halt, 'over');
select is((select count(*) from test.claim(:worker)), 5::bigint, 'when the halt is lifted only those that are young enough go');
select test.record(test.answer_order(r.request_id)) from orderlatch_data.open_requests as r;
select is(pg_temp.lapsed_late(), 0::bigint, 'none was granted after its time');

-- No worker at all for hours; the first claim is one of many calls, and still grants nothing that is old.
select count(p.outcome) from orderlatch.propose_decisions(
  'paper', (select jsonb_agg(test.a_decision(jsonb_build_object('symbol', 'T' || n))) from generate_series(1, 250) as n)) as p;
select test_support.advance_clock('5 hours');
select is((select d.detail ~ 'should have lapsed' from orderlatch.stuck as d where d.what = 'overdue' limit 1), true, 'people see that nobody lapses them');
select is(test.kinds(:worker, 1000), '{}', 'a claim that comes after five hours grants none, lapsed or not yet');
select is(pg_temp.statuses(), 'approved 150, lapsed 350, submitted 5', 'though it lapses only a hundred itself');
select test_support.advance_clock('20 milliseconds');
select test.kinds(:worker);
select test_support.advance_clock('20 milliseconds');
select test.kinds(:worker);
select is(pg_temp.statuses(), 'lapsed 500, submitted 5', 'the next ones the rest');
select is((select count(*) from orderlatch_data.broker_requests as q where q.kind = 'submit_order'), 5::bigint, 'nothing left but the five');

-- Decisions that are young enough do not leave in a burst either: the bucket is no fuller than ever.
select test.given_halt('a minute', 'paper') as halt \gset
select count(p.outcome) from orderlatch.propose_decisions(
  'paper', (select jsonb_agg(test.a_decision(jsonb_build_object('symbol', 'U' || n))) from generate_series(1, 100) as n)) as p;
select test_support.advance_clock('5 minutes');
select orderlatch.lift_halt(:halt, 'over');
select is((select count(*) from test.claim(:worker)), 18::bigint, 'after a halt no more leave at once than after any other rest');
select test.record(test.answer_order(r.request_id)) from orderlatch_data.open_requests as r;

-- A decision that lapses while it waits for the next one's turn, for a token, or behind a doubt.
select test_support.advance_clock('15 minutes');
select test.kinds(:worker);
select test.given_approved_decision('paper', '{"symbol": "GOOG", "valid_until": "2026-03-03T00:00:00Z"}') as first \gset
select test.given_approved_decision('paper', '{"symbol": "GOOG"}') as second \gset
select test.claim_one(:worker);
select test.record(test.answer_maybe(test.holder(:'first')));
select test_support.advance_clock('15 minutes');
select test.kinds(:worker);
select is(test.status(:'first') || ' ' || test.status(:'second'), 'in_doubt lapsed', 'what waits behind a doubt lapses in its own time');
select test.record(test.answer_order((test.open_row(:'first')).lookup_request_id));

-- Throttled: looked up first, then it lapses; it is not sent.
select test_support.advance_clock('1 minute');
select test.given_approved_decision('paper', '{"symbol": "GOOG"}') as throttled \gset
select test.claim_one(:worker);
select test.record(test.answer_error(test.holder(:'throttled'), 429, 42910000, 'rate limit exceeded', '{"retry-after": "3600"}'));
select test_support.advance_clock('1 hour');
select is(test.kinds(:worker), '{find_order}', 'one that was throttled is looked up before it lapses');
select test.record(test.answer_absent((test.open_row(:'throttled')).lookup_request_id));
select is(test.kinds(:worker), '{}', 'and not sent an hour later');
select is(test.status(:'throttled'), 'lapsed', 'it has lapsed');

-- A doubt that outlasts its decision ends in a lapse, never in a submit.
select test.given_approved_decision('paper', '{"symbol": "GOOG"}') as doubtful \gset
select test.claim_one(:worker);
select test.record(test.answer_maybe(test.holder(:'doubtful')));
select test_support.advance_clock('30 minutes');
select is(test.prove_absent(:worker, :'doubtful'), 'lapsed', 'proved absent after its time it lapses');
select is(test.kinds(:worker), '{}', 'and nothing leaves');

-- A live grant that ends in mid-queue stops the next claim.
select count(test.given_approved_decision('live', jsonb_build_object('symbol', 'L' || n))) from generate_series(1, 4) as n;
select orderlatch.grant_live('live', '10 seconds', 'tests');
select is(test.kinds(:worker, 2), '{submit_order,submit_order}', 'under a live grant two go');
select test_support.advance_clock('9 seconds');
select is((select array_agg(c.send_within_ms) from test.claim(:worker, 1) as c), '{1000}', 'a third one second before it ends, with a second to begin');
select test_support.advance_clock('1 second');
select is(test.kinds(:worker), '{}', 'the last one stays');
select is(test.broken_promises(), '{}', 'no promise is broken');

select * from finish();
rollback;
