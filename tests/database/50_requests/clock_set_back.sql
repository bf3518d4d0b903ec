-- A clock that was an hour ahead and is set back: nothing waits out that hour, and no read of then lets submits go on.
begin;
select plan(14);

select test_support.hold_clock('2026-03-02 16:00:00Z');
select test.given_reconciled_worker(p_settings => '{"rate_limit": 1000000, "burst": 500000, "max_decision_age": "3 hours"}') as worker \gset
create function pg_temp.on_its_way(p_kind text) returns uuid language sql volatile as $$
  select r.request_id from orderlatch_data.open_requests as r where r.kind = p_kind order by r.answer_by, r.request_id limit 1
$$;
select test.given_decision_in('submitted', :worker, '{"symbol": "KNOWN"}') as known \gset
select test.given_decision_in('in_doubt', :worker, '{"symbol": "DOUBT"}') as doubtful \gset
select test.kinds(:worker);
select test.record(test.answer_maybe(pg_temp.on_its_way('find_order')));
select test.given_approved_decision('paper', '{"symbol": "UNSENT"}') as unsent \gset
update orderlatch_data.open_decisions set tries = 1, next_try_at = orderlatch_data.clock() + interval '1 second' where status = 'approved';
select test.given_approved_decision('paper', '{"symbol": "UNTRIED"}') as untried \gset
select orderlatch.withdraw_decision(:'known', 'tests', true);
select test.kinds(:worker);
select test.record(test.answer_maybe(pg_temp.on_its_way('cancel_order')));
update orderlatch_data.order_checks set next_try_at = orderlatch_data.clock() + interval '1 second';
update orderlatch_data.account_states set paused_until = orderlatch_data.clock() + interval '1 minute';

-- The hour is taken back ----------------------------------------------------------------------------------------------------

select test_support.hold_clock('2026-03-02 15:00:00Z');
select is(test.kinds(:worker), '{}', 'the first claim after that finds nothing to do yet');
select is((select d.first_absent_at from orderlatch_data.doubts as d), null, 'and takes nothing for seen that was not');
select is((select o.lapse_at - orderlatch_data.clock() from test.open_row(:'unsent') as o), '3 hours', 'a decision grows no older than it may');
select test_support.advance_clock('1 minute');
create temporary table granted as select c.* from test.claim(:worker) as c;
select is((select array_agg(distinct g.kind order by g.kind) from granted as g),
          '{cancel_order,find_order,get_order,list_fills,list_orders,list_positions,submit_order}',
          'a minute later all is done that was to be done when it was ahead');
select is((select array_agg(test.decision_of(g.request_id) order by q.symbol desc) from granted as g
             join orderlatch_data.open_decisions as q on q.holder_request_id = g.request_id),
          array[:'untried', :'unsent'], 'what had not been sent is sent');
select test.record(test.answer_order(test.holder(d.hash))) from (values (:'unsent'), (:'untried')) as d(hash);

-- An outage begins before anything of the broker was read: nothing read when the clock was ahead is newer than its doubts.
select count(test.given_approved_decision('paper', jsonb_build_object('symbol', 'S' || n))) from generate_series(1, 20) as n;
create function pg_temp.submits(p_minutes integer) returns bigint language plpgsql as $$
declare
  v_submits bigint := 0;
  v_granted orderlatch_data.granted_request;
begin
  for v_minute in 1 .. p_minutes loop
    for v_granted in select c.* from test.claim((select max(w.worker_id) from orderlatch_data.workers as w)) as c loop
      v_submits := v_submits + (v_granted.kind = 'submit_order')::integer;
      perform test.record(test.answer_maybe(v_granted.request_id));
    end loop;
    perform test_support.advance_clock('1 minute');
  end loop;
  return v_submits;
end
$$;
select test.record(test.answer_maybe(g.request_id)) from granted as g where g.kind <> 'submit_order';
select is(pg_temp.submits(20), 2::bigint, 'in an outage after that there are three decisions in doubt, and no more');
select is((select count(*) from orderlatch.in_doubt), 3::bigint, 'the one from before among them');

-- The broker answers again.
select test.kinds(:worker);
select test.record(test.answer_absent(r.request_id)) from orderlatch_data.open_requests as r where r.kind = 'find_order';
select cmp_ok((select s.last_read_at from orderlatch_data.account_states as s), '<=', orderlatch_data.clock(), 'a read of now counts');
select is((select count(*) from test.claim(:worker) as c where c.kind = 'submit_order'), 3::bigint, 'and lets submits go on');
select test.record(test.answer_order(r.request_id)) from orderlatch_data.open_requests as r where r.kind = 'submit_order';
select is((select bool_and(d.believe_after < orderlatch_data.clock()) from orderlatch_data.doubts as d), true, 'the quiet time is over');
select test.given_absent_twice(:worker, :'doubtful');
select cmp_ok(orderlatch_data.clock(), '<', '2026-03-02 15:25:00Z'::timestamptz, 'that an order is absent is believed within that hour too');
select test_support.advance_clock('5 minutes');
select test.serve_reads(:worker);
select is(test.status(:'doubtful'), 'approved', 'and ends its doubt: it is sent again');
select is(test.incidents(), '{}', 'no incident is open');
select is(test.broken_promises(), '{}', 'no promise is broken');

select * from finish();
rollback;
