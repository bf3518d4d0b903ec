-- Each kind of call that fails waits 1, 2, 4 … seconds and at most five minutes, for its account alone.
begin;
select plan(25);

select test_support.hold_clock('2026-03-02 15:00:00Z');
select test.given_account('paper', '{"max_in_doubt": 100, "max_decision_age": "30 days"}');
select test.given_account('other');
select test.given_worker('paper', 'other') as worker \gset

create function pg_temp.wait(p_kind text) returns interval language sql volatile as $$
  select b.next_try_at - orderlatch_data.clock() from orderlatch_data.kind_backoffs as b
   where b.kind = p_kind and b.account_id = test.account_id('paper')
$$;
create function pg_temp.claim_of(p_kind text) returns uuid language sql volatile as $$
  select c.request_id from test.claim((select max(w.worker_id) from orderlatch_data.workers as w)) as c
     where c.kind = p_kind limit 1
$$;
-- Fails p_times in a row, each time at the first moment that is allowed, and says how long each failure made it wait.
create function pg_temp.failures(p_kind text, p_times integer) returns text[] language plpgsql as $$
declare
  v_waits text[] := '{}';
  v_request_id uuid;
begin
  for n in 1 .. p_times loop
    v_request_id := pg_temp.claim_of(p_kind);
    if v_request_id is null then
      return v_waits || 'not granted'::text;
    end if;
    perform test_support.advance_clock('100 milliseconds');
    perform test.record(test.answer_not_sent(v_request_id));
    v_waits := v_waits || extract(epoch from pg_temp.wait(p_kind))::integer::text;
    perform test_support.advance_clock(pg_temp.wait(p_kind) - interval '1 microsecond');
    if pg_temp.claim_of(p_kind) is not null then
      return v_waits || 'too soon'::text;
    end if;
    perform test_support.advance_clock('1 microsecond');
  end loop;
  return v_waits;
end
$$;

-- submit_order
select test.given_approved_decision() as decision \gset
select is(pg_temp.failures('submit_order', 11), '{1,2,4,8,16,32,64,128,256,300,300}', 'submits that fail wait longer each time');
select is((select b.failures || ' ' || (test.open_row(:'decision')).tries from orderlatch_data.kind_backoffs as b), '11 11',
          'and are counted');
select test.given_approved_decision('other') as elsewhere \gset
select is(test.kinds(:worker), '{submit_order,submit_order}', 'another account does not wait');
select is(test.record(test.answer_order(test.holder(:'decision'))), 'order_exists', 'a success');
select is(pg_temp.wait('submit_order'), null, 'ends the back-off');
select test.record(test.answer_order(test.holder(:'elsewhere')));

-- Calls that were on their way together fail together: they count once.
select test.given_approved_decision('paper', jsonb_build_object('symbol', 'T' || n)) from generate_series(1, 5) as n;
create temporary table together as select c.request_id from test.claim(:worker) as c;
select test_support.advance_clock('100 milliseconds');
select test.record(test.answer_not_sent(t.request_id)) from together as t limit 4;
select test_support.advance_clock('500 milliseconds');
select test.record(test.answer_not_sent(t.request_id)) from together as t
  join orderlatch_data.open_requests as o on o.request_id = t.request_id;
select is(pg_temp.wait('submit_order'), '500 milliseconds', 'five calls that failed together wait one second together');
select is((select b.failures from orderlatch_data.kind_backoffs as b), 1::smallint, 'as one failure');
select test_support.advance_clock('500 milliseconds');
select test.given_approved_decision('paper', '{"symbol": "U"}') as untried \gset
select c.request_id from test.claim(:worker) as c where test.decision_of(c.request_id) = :'untried' \gset
select isnt(:'request_id'::uuid, null, 'a decision that was not among them need not wait longer');
select test.record(test.answer_maybe(:'request_id'));
select is(pg_temp.wait('submit_order'), '2 seconds', 'what is in doubt counts as a failure');

-- find_order: what is in doubt, not sent or unreadable
select test.record(test.answer_order(o.request_id)) from orderlatch_data.open_requests as o where o.kind = 'submit_order';
update orderlatch_data.open_decisions set next_try_at = orderlatch_data.clock() + interval '1 day' where status = 'approved';
select test_support.advance_clock('2 seconds');
select test.record(test.answer_status(pg_temp.claim_of('find_order'), 502, '<html>'));
select is(pg_temp.wait('find_order'), '1 second', 'a lookup that fails waits');
select is(pg_temp.wait('submit_order'), null, 'for its kind alone');
select test_support.advance_clock('1 hour');
select test.record(test.answer_absent(pg_temp.claim_of('find_order')));
select is(pg_temp.wait('find_order'), null, 'the broker''s word that an order is absent is a success of a lookup');
select orderlatch.update_account('paper', '{"lookup_first_wait": "1 millisecond", "lookup_max_wait": "1 millisecond"}');
select test_support.advance_clock('1 minute');
select is(pg_temp.failures('find_order', 10), '{1,2,4,8,16,32,64,128,256,300}', 'lookups that fail wait longer each time');

-- list_orders
select test_support.advance_clock('5 minutes');
select test.look_in_vain(:worker);
select isnt((test.doubt(:'untried')).second_absent_at, null, 'a list is wanted');
update orderlatch_data.doubts set next_lookup_at = orderlatch_data.clock() + interval '1 day';
select is(pg_temp.failures('list_orders', 10), '{1,2,4,8,16,32,64,128,256,300}', 'lists that fail wait longer each time');
select is(test.record(test.answer_status(pg_temp.claim_of('list_orders'), 200, '[]')), 'orders_listed', 'a list that succeeds');
select is(pg_temp.wait('list_orders'), null, 'ends the back-off');

-- get_account
select test.given_stranger('paper') as stranger \gset
select is(pg_temp.failures('get_account', 10), '{1,2,4,8,16,32,64,128,256,300}',
          'questions who the account is that fail wait longer each time');
select is(test.record(test.answer_account(pg_temp.claim_of('get_account'), 'paper-id')), 'account_verified', 'an answer');
select is(pg_temp.wait('get_account'), null, 'ends the back-off');

-- Its times are settings.
select orderlatch.update_account('paper', '{"backoff_first": "3 seconds", "backoff_max": "5 seconds"}');
select test.given_approved_decision('paper', '{"symbol": "V"}') as decision \gset
select is(pg_temp.failures('submit_order', 3), '{3,5,5}', 'first and longest back-off are settings of the account');
select is((test.open_row(:'decision')).next_try_at <= orderlatch_data.clock(), true, 'for the decision itself too');
select is(test.record(test.answer_error(pg_temp.claim_of('submit_order'), 401, null, 'unauthorized.')), 'unauthorized',
          'a key that is not accepted');
select is(pg_temp.wait('submit_order'), '5 seconds', 'is a failure');
select is(test.broken_promises(), '{}', 'no promise is broken');

select * from finish();
rollback;
