-- After a change of the cluster nothing is proved absent by what was seen before: it may have been sent again there.
begin;
select plan(6);

select test_support.hold_clock('2026-03-02 15:00:00Z');
create temporary table worlds as select test.given_reconciled_worker() as worker_id;
create temporary table doubts as
  select test.given_decision_in('in_doubt', w.worker_id, '{"valid_until": "2026-03-02T15:03:00Z"}') as decision_hash
    from worlds as w;
create function pg_temp.proof_pages()
returns bigint
language sql
as $$
  select count(*)
    from orderlatch_data.broker_requests as q
    join orderlatch_data.broker_reads as r on r.read_id = q.read_id and r.purpose = 'proof'
$$;
select test.given_absent_twice(w.worker_id, d.decision_hash) from worlds as w, doubts as d;
select cmp_ok(orderlatch_data.clock(), '>', '2026-03-02 15:01:00Z'::timestamptz, 'it was looked for in vain, twice');
select test_support.advance_clock('1 minute');
select test.given_other_server(p_timeline => 7);
select ok(
  'list_orders' = any (test.serve_reads(w.worker_id)), 'the cluster changes, and the account''s orders are read'
)
  from worlds as w;
select is(pg_temp.proof_pages(), 0::bigint, 'but not yet those that would prove it absent');
select is(test.status(d.decision_hash), 'in_doubt', 'so it stays in doubt, though it is too late for it')
  from doubts as d;
select test_support.advance_clock('20 seconds');
select test.serve_reads(w.worker_id) from worlds as w;
select is(pg_temp.proof_pages(), 1::bigint, 'when calls of the cluster before have ended, the proof goes on');
select is(test.status(d.decision_hash), 'lapsed', 'and ends the doubt') from doubts as d;

select * from finish();
rollback;
