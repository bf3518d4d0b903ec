-- Open orders that the broker does not list as open are read again: by a list where that is cheaper, else one by one.
begin;
select plan(43);

select test_support.hold_clock('2026-03-02 14:00:00Z');
select test.given_mirrored_account('paper', '{"on_foreign_order": "ignore", "absence_spacing": "30 seconds"}');
select test.given_worker() as worker \gset
-- The broker's book, and what it costs to read it.
create temporary table book (id text primary key, document jsonb not null);
create function pg_temp.order(p_id text, p_at text, p_status text default 'new') returns jsonb language sql as $$
  select test.a_broker_order(p_id, jsonb_build_object('submitted_at', p_at, 'updated_at', p_at, 'status', p_status))
$$;
create function pg_temp.put(p_id text, p_at text, p_status text default 'new') returns void language sql volatile as $$
  insert into book values (p_id, pg_temp.order(p_id, p_at, p_status)) on conflict (id) do update set document = excluded.document
$$;
create function pg_temp.put_many(p_name text, p_count integer, p_from timestamptz, p_step interval, p_status text default 'new') returns void language sql volatile as $$
  select pg_temp.put(p_name || n, orderlatch_data.canonical_time(p_from + n * p_step), p_status) from generate_series(1, p_count) as n
$$;
create function pg_temp.calls() returns jsonb language sql volatile as $$
  select coalesce(jsonb_object_agg(c.kind, c.calls), '{}')
    from (select k.kind, count(*) as calls from unnest(test.serve(1, (select jsonb_build_object('orders', jsonb_agg(b.document)) from book as b))) as k(kind) group by k.kind) as c
$$;
create function pg_temp.open() returns bigint language sql volatile as $$ select count(*) from orderlatch_data.broker_orders as b where b.is_open $$;
create function pg_temp.check_of(p_id text) returns orderlatch_data.order_checks language sql volatile as $$
  select k.* from orderlatch_data.order_checks as k where k.broker_order_id = p_id
$$;

-- One that ended unseen, older than any list reaches.
select pg_temp.put('gtc', '2026-03-02T14:00:01Z');
select pg_temp.calls();
select test_support.advance_clock('1 hour');
select pg_temp.put('new', '2026-03-02T14:59:00Z');
select pg_temp.calls();
select is((test.broker_order('gtc')).is_open, true, 'an old order that is listed as open is open');
select test_support.advance_clock('2 minutes');
select pg_temp.put('gtc', '2026-03-02T14:00:01Z', 'expired');
select is(pg_temp.calls() -> 'get_order', '1', 'one that is not is read by itself');
select is((test.broker_order('gtc')).status, 'expired', 'and is what it is shown to be');
select is((select count(*)::integer from orderlatch_data.order_checks), 0, 'then it need not be read again');
-- What changed after the read began was not open then, or is not known to be gone.
select test_support.advance_clock('2 minutes');
select test.claim(:worker);
select test_support.advance_clock('1 second');
select pg_temp.put('fresh', '2026-03-02T15:04:00Z');
select test.tell(:worker, 'new', b.document) from book as b where b.id = 'fresh';
select test.record(test.answer_status((test.standing_read('open_orders')).request_id, 200, jsonb_build_array(b.document)::text)) from book as b where b.id = 'new';
select is((select count(*)::integer from orderlatch_data.order_checks), 0, 'an order that was placed during the read is not missed by it');

-- Two pages: what the first showed is not missed by the second.
select test_support.advance_clock('10 minutes');
select pg_temp.put_many('p-', 700, '2026-03-02 15:10:00Z', '1 millisecond');
select pg_temp.calls();
select is(pg_temp.open(), 702::bigint, 'seven hundred orders are open on two pages');
select is((select count(*)::integer from orderlatch_data.read_sightings), 0, 'what a read saw is forgotten with its end');
select test_support.advance_clock('2 minutes');
select is(pg_temp.calls() -> 'get_order', null, 'none of them is read by itself');

-- The end of a day: a thousand orders end at once, and one of long before.
select test_support.advance_clock('6 hours');
select pg_temp.put_many('p-', 700, '2026-03-02 15:10:00Z', '1 millisecond', 'canceled');
select pg_temp.put_many('d-', 1000, '2026-03-02 16:00:00Z', '10 seconds');
select orderlatch.reconcile_account('paper', 'all of the day', '2026-03-02 14:00:00Z');
select pg_temp.calls();
select is(pg_temp.open(), 1002::bigint, 'a day of a thousand orders');
select test_support.advance_clock('2 minutes');
select pg_temp.put_many('d-', 1000, '2026-03-02 16:00:00Z', '10 seconds', 'expired');
select pg_temp.put('new', '2026-03-02T14:59:00Z', 'expired');
select is(pg_temp.calls(), '{"list_orders": 5, "list_fills": 1, "get_order": 1}'::jsonb,
          'their end costs two lists of the cadence, three pages from the oldest of the day on, and one call for the one of long before');
select is(pg_temp.open(), 1::bigint, 'then all have ended but one');
select is((select count(*)::integer from orderlatch_data.order_checks), 0, 'and nothing is left to be read');
-- Those that the list does not show either are read one by one.
select test_support.advance_clock('10 minutes');
select pg_temp.put_many('e-', 5, '2026-03-02 21:30:00Z', '1 second');
select pg_temp.calls();
select test_support.advance_clock('10 minutes');
select pg_temp.put('last', '2026-03-02T21:40:00Z');
select pg_temp.calls();
select test_support.advance_clock('2 minutes');
select pg_temp.put_many('e-', 5, '2026-03-02 21:30:00Z', '1 second', 'canceled');
delete from book where id = 'e-3';
select is(pg_temp.calls() -> 'get_order', null, 'a list shows four of five');
select is((select array_agg(k.broker_order_id || ' ' || (k.next_try_at - orderlatch_data.clock())) from orderlatch_data.order_checks as k), '{"e-3 00:01:00"}', 'the fifth is read by itself a little later');
select test_support.advance_clock('1 minute');
select pg_temp.put('e-3', '2026-03-02T21:30:03Z', 'canceled');
select pg_temp.calls();
select is((test.broker_order('e-3')).status, 'canceled', 'and has ended too');
delete from book where id not in ('fresh', 'last');

-- Failures of the call prove nothing.
select pg_temp.put('s-1', '2026-03-02T21:50:00Z');
select test_support.advance_clock('2 minutes');
select pg_temp.calls();
select orderlatch_data.check_order(test.account_id(), 's-1', 'wanted');
create function pg_temp.answer(p_status integer, p_body text) returns text language plpgsql as $$
declare
  v_meaning text;
begin
  perform test_support.advance_clock('5 minutes');
  perform test.claim(1);
  select test.record(test.answer_status(c.request_id, p_status, p_body)) into v_meaning from pg_temp.check_of('s-1') as c;
  return v_meaning || ' ' || (test.broker_order('s-1')).status;
end
$$;
select is(pg_temp.answer(a.status, a.body), a.wanted, a.title)
  from (
    values (500, '{"code": 50010000, "message": "internal server error occurred"}', 'in_doubt new', 'a 500 says nothing of an order'),
           (404, '<html>not found</html>', 'in_doubt new', 'nor does a proxy''s 404'),
           (404, '{"code": 40410000, "message": "endpoint not found."}', 'in_doubt new', 'nor one about the endpoint'),
           (200, pg_temp.order('another', '2026-03-02T21:50:00Z', 'filled')::text, 'in_doubt new', 'nor another order'),
           (200, '{"id": "s-1"}', 'in_doubt new', 'nor half of one')
  ) as a(status, body, wanted, title);
-- The broker says that it has none: once it may lag.
select is(pg_temp.answer(404, '{"code": 40410000, "message": "order not found for s-1"}'), 'absent new', 'once the broker says that it has no such order');
select is(test.incidents() && '{order_vanished}', false, 'which may be a read that lags');
select test_support.advance_clock('29 seconds');
select is(test.kinds(:worker) && '{get_order}', false, 'it is asked again no sooner than absence_spacing later');
select test_support.advance_clock('1 second');
select test.claim(:worker);
select test.tell(:worker, 'new', pg_temp.order('s-1', '2026-03-02T21:50:00Z', 'accepted'));
select is((pg_temp.check_of('s-1')).absent_at, null, 'shown in between it was not missing');
select is(pg_temp.answer(404, '{"code": 40410000, "message": "order not found for s-1"}'), 'absent new', 'so that counts anew');
select is(pg_temp.answer(404, '{"code": 40410000, "message": "order not found for s-1"}'), 'absent vanished', 'said twice it has vanished');
select is((select i.subject || ' ' || (i.detail ->> 'symbol') from orderlatch_data.incidents as i where i.incident = 'order_vanished' and i.closed_at is null), 's-1 GOOG', 'which is an incident');
select is((test.broker_order('s-1')).is_open, false, 'it is not open');
select is((pg_temp.check_of('s-1')).broker_order_id, null, 'nor looked for any more');
select test_support.advance_clock('2 minutes');
select pg_temp.calls();
select is((test.broker_order('s-1')).status || ' ' || (test.broker_order('s-1')).is_open, 'new true', 'shown again it is as it is shown');
select is(test.incidents() && '{order_vanished}', false, 'and the incident is closed');
-- Of an order that was never shown.
select orderlatch_data.check_order(test.account_id(), 'nobody', 'wanted');
select test_support.advance_clock('1 minute');
select pg_temp.calls();
select test_support.advance_clock('1 minute');
select pg_temp.calls();
select is((select count(*)::integer from orderlatch_data.order_checks), 0, 'one that nobody knows is looked for twice');
select is(test.incidents() && '{order_vanished}', false, 'and no incident');
select orderlatch_data.check_order(test.account_id(), i.id, 'wanted') from (values ('../account'), ('a b'), (''), (repeat('x', 129)), (null)) as i(id);
select is((select count(*)::integer from orderlatch_data.order_checks), 0, 'an id that no path could hold is asked for nowhere');

-- A lost call, a stale answer, an unverified worker.
select orderlatch_data.check_order(test.account_id(), 's-1', 'wanted', '1 hour');
select is((pg_temp.check_of('s-1')).next_try_at, orderlatch_data.clock() + interval '1 hour', 'an order may be read later');
select orderlatch_data.check_order(test.account_id(), 's-1', 'wanted');
select is((pg_temp.check_of('s-1')).next_try_at, orderlatch_data.clock(), 'or, on another wish, at once');
select test.claim(:worker);
select (pg_temp.check_of('s-1')).request_id as first \gset
select is(test.kinds(:worker) && '{get_order}', false, 'it is read once at a time');
select test_support.advance_clock('21 seconds');
select is(test.kinds(:worker) && '{get_order}', true, 'a call that nobody answers is made again');
select is(test.record(test.answer_status(:'first', 200, pg_temp.order('s-1', '2026-03-02T21:50:00Z', 'filled')::text)), 'stale', 'its late answer is out of turn');
select is((test.broker_order('s-1')).status, 'filled', 'but a fact');
update orderlatch_data.worker_accounts set verified_at = null;
select is(test.record(test.answer_status((pg_temp.check_of('s-1')).request_id, 200, pg_temp.order('s-1', '2026-03-02T21:50:00Z', 'canceled') ::text)), 'in_doubt',
          'what a life shows whose keys are not proved');
select is((test.broker_order('s-1')).status, 'filled', 'is not believed');
select is(test.broken_promises(), '{}', 'no promise is broken');

select * from finish();
rollback;
