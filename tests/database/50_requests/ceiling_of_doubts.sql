-- An account in an outage puts few orders in doubt: above its ceiling it submits nothing until a read has succeeded.
begin;
select plan(15);

select test_support.hold_clock('2026-03-02 15:00:00Z');
select test.given_account();
select test.given_worker() as worker \gset
select test_support.advance_clock('1 minute');
create function pg_temp.submits() returns bigint language sql volatile as $$
  select count(*) from test.claim((select max(w.worker_id) from orderlatch_data.workers as w)) as c where c.kind = 'submit_order'
$$;
select count(test.given_approved_decision('paper', jsonb_build_object('symbol', 'S' || n))) from generate_series(1, 20) as n;
create function pg_temp.on_its_way() returns uuid language sql volatile as $$
  select r.request_id from orderlatch_data.open_requests as r
    join orderlatch_data.open_decisions as o on o.decision_id = r.decision_id
   where r.kind = 'submit_order' order by o.approval_no limit 1
$$;

select is(pg_temp.submits(), 3::bigint, 'three submits go out at once: each may come back in doubt');
select is(pg_temp.submits(), 0::bigint, 'no further one while they are on their way');
select test.record(test.answer_order(pg_temp.on_its_way()));
select is(pg_temp.submits(), 1::bigint, 'one that succeeded makes room for one');
select test.record(test.answer_error(pg_temp.on_its_way(), 403, 40310000, 'insufficient buying power'));
select is(pg_temp.submits(), 1::bigint, 'so does one that was refused');
select test.record(test.answer_maybe(pg_temp.on_its_way()));
select test_support.advance_clock('1 second');
select is(pg_temp.submits(), 0::bigint, 'one in doubt does not');
select test.record(test.answer_maybe(pg_temp.on_its_way()));
select test.record(test.answer_maybe(pg_temp.on_its_way()));
select test_support.advance_clock('10 seconds');
select is((select count(*) from orderlatch_data.open_decisions as o where o.status = 'in_doubt'), 3::bigint,
          'three are in doubt');
select is(pg_temp.submits(), 0::bigint, 'nothing more is submitted');

-- Reads that fail change nothing; the first that succeeds, if it was granted after the doubt, lets submits go on.
select test.record(test.answer_maybe(r.request_id)) from orderlatch_data.open_requests as r where r.kind = 'find_order';
select test_support.advance_clock('1 minute');
select is(pg_temp.submits(), 0::bigint, 'a read that failed does not release them');
select min(r.request_id::text) as lookup from orderlatch_data.open_requests as r where r.kind = 'find_order' \gset
select test.record(test.answer_absent(:'lookup'));
select is((select s.last_read_at from orderlatch_data.account_states as s), orderlatch_data.clock(),
          'a read that succeeded does,');
select is(pg_temp.submits(), 3::bigint, 'though the doubts are still there');
select is((select count(*) from orderlatch_data.open_decisions as o where o.status = 'in_doubt'), 3::bigint, 'all of them');

-- A read that was granted before the newest doubts says nothing of the broker since then.
select test_support.advance_clock('5 seconds');
select test.record(test.answer_maybe(pg_temp.on_its_way())) from generate_series(1, 3);
select test.record(test.answer_absent(r.request_id)) from orderlatch_data.open_requests as r where r.kind = 'find_order';
select test_support.advance_clock('5 seconds');
select is(pg_temp.submits(), 0::bigint, 'a read that was granted before the doubt does not release it');
select min(r.request_id::text) as lookup from orderlatch_data.open_requests as r where r.kind = 'find_order' \gset
select test.record(test.answer_order(:'lookup'));
select is(pg_temp.submits(), 3::bigint, 'one that was granted since does');
select test.record(test.answer_order(r.request_id)) from orderlatch_data.open_requests as r;

select test_support.advance_clock('10 minutes');
select orderlatch.update_account('paper', '{"max_in_doubt": 5}');
select is(pg_temp.submits(), 5::bigint, 'the ceiling is a setting of the account');
select is(test.broken_promises(), '{}', 'no promise is broken');

select * from finish();
rollback;
