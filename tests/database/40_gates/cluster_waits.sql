-- After a restart, and longer after a change of the cluster, nothing is submitted before the orders have been read.
begin;
select plan(33);

select test_support.hold_clock('2026-03-02 15:00:00Z');
create temporary table worlds as select test.given_reconciled_worker() as worker_id;
create function pg_temp.kinds()
returns text[]
language sql
as $$ select test.kinds(w.worker_id) from worlds as w $$;
create function pg_temp.serve(p_orders jsonb default '[]')
returns text[]
language sql
as $$ select test.serve_reads(w.worker_id, p_orders) from worlds as w $$;
create function pg_temp.waits_for()
returns text
language sql
as $$ select r.submits_wait_for from orderlatch.reconciliation as r where r.account = 'paper' and r.purpose = 'orders' $$;

-- A restart ------------------------------------------------------------------------------------------------------------

create temporary table first as select test.given_approved_decision() as decision_hash;
select test_support.advance_clock('1 second');
select test.given_other_server();
select is(pg_temp.kinds(), '{list_orders,list_orders,list_fills,list_positions}', 'the claim that notices a restart grants reads, and no submit');
select is(pg_temp.waits_for(), 'restart', 'the account waits for that');
select results_eq(
  $$ select w.waits_for from orderlatch.waiting as w $$, $$ values ('its account to be reconciled') $$, 'and so does the decision'
);
select is(
  (select count(test.record(test.answer_status(r.request_id, 200, '[]')))
     from orderlatch_data.broker_requests as r
    where r.kind = 'list_orders' and r.query ->> 'status' = 'all' and r.claimed_at = orderlatch_data.clock()),
  1::bigint, 'the orders are read'
);
select is(pg_temp.waits_for(), null, 'then nothing is waited for');
select is(pg_temp.kinds(), '{submit_order}', 'and the decision is submitted');
select test.record(test.answer_order(test.holder(f.decision_hash))) from first as f;
select pg_temp.serve();

-- A read that was under way does not count.
select test_support.advance_clock('2 minutes');
create temporary table second as select test.given_approved_decision(p_members => '{"symbol": "KO"}') as decision_hash;
create temporary table under_way as
  select c.request_id
    from worlds as w
   cross join lateral test.claim(w.worker_id) as c
   where c.kind = 'list_orders' and c.query ->> 'status' = 'all';
select test.record(test.answer_order(test.holder(s.decision_hash))) from second as s;
create temporary table third as select test.given_approved_decision(p_members => '{"symbol": "KO"}') as decision_hash;
select test_support.advance_clock('1 second');
select test.given_other_server();
select is(pg_temp.kinds(), '{}', 'while a page of a read is on its way, that read does not begin anew');
select is(
  (select test.record(test.answer_status(u.request_id, 200, '[]')) from under_way as u), 'orders_listed', 'its answer is taken'
);
select is(pg_temp.waits_for(), 'restart', 'but it began before the restart');
select ok('submit_order' = any (pg_temp.serve()), 'another read begins at once, and then the decision is submitted');
select test.record(test.answer_order(test.holder(t.decision_hash))) from third as t;

-- Another cluster ------------------------------------------------------------------------------------------------------

create temporary table lost as
  select test.given_approved_decision(p_members => '{"symbol": "A", "valid_until": "2026-03-02T15:02:10Z"}') as found,
         test.given_approved_decision(p_members => '{"symbol": "B", "valid_until": "2026-03-02T15:02:10Z"}') as stale,
         test.given_approved_decision(p_members => '{"symbol": "C"}') as wished_found,
         test.given_approved_decision(p_members => '{"symbol": "D"}') as wished,
         test.given_decision(p_members => '{"symbol": "E"}') as wished_planned,
         test.given_approved_decision(p_members => '{"symbol": "F"}') as good;
create function pg_temp.statuses()
returns text[]
language sql
as $$
  select array[test.status(l.found), test.status(l.stale), test.status(l.wished_found), test.status(l.wished),
               test.status(l.wished_planned), test.status(l.good)]
    from lost as l
$$;
select test_support.advance_clock('1 second');
select test.given_other_server(p_timeline => 7);
select ok(not 'submit_order' = any (pg_temp.serve()), 'a change of the cluster is noticed, and its reads are made at once');
select is(pg_temp.waits_for(), 'cluster', 'but those do not count: a call granted there may still be alive');
select results_eq(
  $$ select k.reads_from - orderlatch_data.clock() from orderlatch_data.reconcile_waits as k $$,
  $$ values (interval '20 seconds') $$,
  'it may begin within send_within and last call_timeout and answer_grace'
);
select results_eq(
  $$ select w.outcome
       from lost as l
      cross join lateral unnest(array[l.wished_found, l.wished, l.wished_planned]) as d(decision_hash)
      cross join lateral orderlatch.withdraw_decision(d.decision_hash, 'the signal is gone') as w $$,
  $$ values ('wish_noted'), ('wish_noted'), ('wish_noted') $$,
  'a wish to withdraw is noted: the order may have been submitted there'
);
select test_support.advance_clock('10 seconds');
select ok(pg_temp.kinds() = '{}', 'ten seconds later nothing is granted');
select is(
  pg_temp.statuses(), '{approved,approved,approved,approved,planned,approved}', 'and nothing lapses, though it is too late for two'
);
select cmp_ok(
  (select test.ask_again_ms(w.worker_id) from worlds as w), '>', 1000, 'the worker is not told to come again at once for that'
);
select is_empty(
  $$ select s.detail from orderlatch.stuck as s where s.what in ('overdue', 'unreconciled') $$, 'nor does anything count as stuck yet'
);
select test_support.advance_clock('10 seconds');
select ok(
  (select 'all' = any (array_agg(c.query ->> 'status')) from worlds as w cross join lateral test.claim(w.worker_id) as c),
  'when those calls have ended the orders are read again'
);
select is(
  (select test.record(test.answer_status(
            r.request_id, 200,
            jsonb_build_array(test.order_document(l.found), test.order_document(l.wished_found))::text
          ))
     from lost as l
    cross join orderlatch_data.broker_requests as r
    where r.kind = 'list_orders' and r.query ->> 'status' = 'all' and r.claimed_at = orderlatch_data.clock()),
  'orders_listed', 'and show two that were submitted there'
);
select is(pg_temp.waits_for(), null, 'then the account waits for nothing');
select ok('submit_order' = any (pg_temp.kinds()), 'and submits');
select is(
  pg_temp.statuses(), '{submitted,lapsed,submitted,withdrawn,withdrawn,submitting}',
  'what was submitted there is submitted, what was not lapses, is withdrawn, or is submitted now'
);
select is(test.incidents(), '{cluster_changed}', 'no order came despite a verdict');
select is(
  (select test.reason(l.wished) from lost as l), 'the signal is gone', 'the wish is the reason'
);
select test.record(test.answer_order(test.holder(l.good))) from lost as l;
select pg_temp.serve();

-- A restart does not shorten that wait.
create temporary table next as select test.given_approved_decision(p_members => '{"symbol": "G"}') as decision_hash;
select test_support.advance_clock('1 minute');
select test.given_other_server(p_timeline => 7);
select pg_temp.serve();
select test_support.advance_clock('1 second');
select test.given_other_server();
select ok(not 'submit_order' = any (pg_temp.serve()), 'a restart soon after a change has the account read at once');
select is(pg_temp.waits_for(), 'cluster', 'and does not shorten the wait');
select test_support.advance_clock('18 seconds');
select ok(not 'submit_order' = any (pg_temp.serve()), 'until 20 seconds after the change');
select test_support.advance_clock('1 second');
select ok('submit_order' = any (pg_temp.serve()), 'then it ends');
select test.record(test.answer_order(test.holder(n.decision_hash))) from next as n;

-- One account that cannot be read does not hold up the others.
create temporary table others as select test.given_reconciled_worker('second') as worker_id;
select test.given_approved_decision('second');
select test.given_approved_decision(p_members => '{"symbol": "H"}');
select test_support.advance_clock('1 second');
select test.given_other_server();
select ok('submit_order' = any (test.serve_reads(o.worker_id)), 'an account that was read submits') from others as o;
select results_eq(
  $$ select r.account, r.submits_wait_for from orderlatch.reconciliation as r where r.purpose = 'orders' order by r.account $$,
  $$ values ('paper', 'restart'), ('second', null) $$,
  'while another one waits'
);
select test_support.advance_clock('5 minutes');
select is_empty(
  $$ select s.* from orderlatch.stuck as s where s.what = 'unreconciled' $$, 'for five minutes that is no news'
);
select test_support.advance_clock('1 second');
select matches(
  (select s.detail from orderlatch.stuck as s where s.what = 'unreconciled'),
  '^account paper submits nothing before its orders are read \(restart\): due since ', 'then it shows as stuck'
);

select * from finish();
rollback;
