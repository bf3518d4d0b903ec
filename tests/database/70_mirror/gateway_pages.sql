-- A gateway that answers everything with a page of its own, as a success: no more is put in doubt than in any outage.
begin;
select plan(5);

select test_support.hold_clock('2026-03-02 15:00:00Z');
select test.given_reconciled_worker(p_settings => '{"max_decision_age": "2 hours"}') as worker \gset
create temporary table known as
  select n, test.given_decision_in('submitted', :worker, jsonb_build_object('symbol', 'K' || n)) as decision_hash
    from generate_series(1, 5) as n;
select count(test.given_approved_decision('paper', jsonb_build_object('symbol', 'S' || n))) from generate_series(1, 20) as n;
do $$
begin
  for v_second in 1 .. 300 loop
    perform test_support.advance_clock('1 second');
    perform orderlatch.withdraw_decision(k.decision_hash, 'too late', true) from known as k where k.n * 30 = v_second;
    perform test.record(test.answer_status(c.request_id, 200, '<html>We will be back soon</html>'))
       from test.claim((select max(w.worker_id) from orderlatch_data.workers as w)) as c;
  end loop;
end
$$;
select is((select count(*) from orderlatch.in_doubt), 3::bigint, 'after five minutes the ceiling is in doubt');
select is((select count(*) from orderlatch_data.broker_requests as q where q.kind = 'submit_order'), 8::bigint, 'no other submit has left');
select cmp_ok((select count(*) from orderlatch_data.broker_requests as q where q.kind = 'cancel_order'), '>', 5::bigint, 'cancels are asked for again');
select is((select count(c.accepted_at) from orderlatch_data.order_cancels as c), 0::bigint, 'and nobody has accepted one');
select is(test.broken_promises(), '{}', 'no promise is broken');

select * from finish();
rollback;
