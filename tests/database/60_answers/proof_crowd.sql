-- When more than ten decisions are in doubt, lookups slow down, and one list serves them all.
begin;
select plan(13);

select test_support.hold_clock('2026-03-02 15:00:00Z');
select test.given_account('paper', '{"max_in_doubt": 100, "max_decision_age": "1 day"}');
select test.given_worker() as worker \gset
create temporary table crowd as
  select n, test.given_submitting_decision(:worker, jsonb_build_object('symbol', 'S' || n)) as decision_hash
     from generate_series(1, 11) as n;
select test.record(test.answer_maybe(test.holder(c.decision_hash))) from crowd as c where c.n <= 10;
select test.record(test.answer_absent(r.request_id)) from test.claim(:worker, 1) as r;
select is((select min(d.next_lookup_at) filter (where d.lookups = 1) - orderlatch_data.clock() from orderlatch_data.doubts as d),
          '1 second', 'ten are no crowd');
select test.record(test.answer_maybe(test.holder(c.decision_hash))) from crowd as c where c.n = 11;
select is(test.look_in_vain(:worker), 10::bigint, 'each that came into doubt is looked up at once');
select is((select array_agg(distinct d.next_lookup_at - orderlatch_data.clock()) from orderlatch_data.doubts as d
            where d.lookups = 1),
          '{1 second,5 minutes}', 'eleven are a crowd: they wait five minutes for the next');
select test_support.advance_clock('1 second');
select is(test.look_in_vain(:worker), 1::bigint, 'the one that was looked up before joins them');
select test_support.advance_clock('5 minutes');
select is(test.look_in_vain(:worker), 11::bigint, 'then all are looked up again');
select test_support.advance_clock('5 minutes');
select is(test.look_in_vain(:worker), 11::bigint, 'and a second time');

select * from test.claim(:worker) \gset
select is(:'kind'::text, 'list_orders', 'one list is read');
select is(:'query'::jsonb ? 'symbols', false, 'of all symbols');
select is((select count(distinct d.read_id) || ' ' || count(*) from orderlatch_data.doubts as d where d.read_id is not null),
          '1 11', 'it serves them all');
select is(:'query'::jsonb ->> 'after', '2026-03-02T14:55:00.000000Z', 'from five minutes before the first submit of all');
select test.record(test.answer_status(:'request_id', 200, (
  select jsonb_agg(test.order_document(c.decision_hash) order by c.n) from crowd as c where c.n in (3, 7))::text));
select is((select array_agg(c.n order by c.n) from crowd as c where test.status(c.decision_hash) = 'submitted'), '{3,7}',
          'what it shows is submitted');
select is((select count(*)::integer from crowd as c where test.status(c.decision_hash) = 'approved'), 9,
          'the rest is proved absent');
select is(test.broken_promises(), '{}', 'no promise is broken');

select * from finish();
rollback;
