-- A used account is taken on from a moment, with its positions as they were then: nobody is flooded, and nothing drifts.
begin;
select plan(26);

select test_support.hold_clock('2026-03-02 16:00:00Z');
select test.given_mirrored_account('paper', '{"reconcile_from": "2026-03-02T15:00:00Z"}');
select test.given_worker() as worker \gset
-- A past: 10,000 orders of 20 symbols, a split that no fill tells of, open orders, and positions.
create function pg_temp.old(p_count integer) returns jsonb language sql as $$
  select jsonb_agg(test.a_broker_order('old-' || n, jsonb_build_object(
           'submitted_at', orderlatch_data.canonical_time('2026-03-02 14:59:59Z'::timestamptz - n * interval '1 minute'),
           'symbol', 'S' || n % 20, 'status', case when n % 1000 = 0 then 'new' else 'filled' end, 'filled_qty', case when n % 1000 = 0 then '0' else '10' end)))
    from generate_series(1, p_count) as n
$$;
select jsonb_build_object(
  'orders', pg_temp.old(10000),
  'fills', (select jsonb_agg(test.a_fill('old-' || n, 'x' || n, jsonb_build_object('symbol', 'S' || n % 20, 'transaction_time', orderlatch_data.canonical_time('2026-03-02 14:59:59Z'::timestamptz - n * interval '1 minute'))))
              from generate_series(1, 500) as n),
  'positions', (select jsonb_agg(test.a_position('S' || n, '10000')) from generate_series(0, 19) as n)) as book \gset

select (select count(*) from unnest(test.serve(:worker, :'book')) as k) as calls \gset
select is(:calls, 5, 'taking it on costs five calls, whatever its past');
select is((select count(*)::integer from orderlatch_data.broker_orders), 10, 'of its orders only those that are open are known');
select is((select count(*)::integer from orderlatch_data.fills), 0, 'none of its trades');
select is(test.incidents() || test.halts(), '{}', 'nobody is told anything of them');
select is((select count(*)::integer from orderlatch.positions as p where p.state = 'differs, being looked at'), 20, 'its positions are not explained');

-- An operator who does nothing is told once for each symbol; one who accepts is told nothing more.
select test_support.advance_clock('31 seconds');
select test.serve(:worker, :'book');
select test_support.advance_clock('1 second');
select orderlatch.reconcile_account('paper', 'fills first');
select test.serve(:worker, :'book');
select is((select count(*)::integer from orderlatch.accept_positions('paper', 'opening', 'taken on in March')), 20, 'accepted, they are opening positions');
select test_support.advance_clock('10 minutes');
select test.serve(:worker, :'book');
select is(test.incidents(), '{}', 'and nothing was an incident');
select is((select array_agg(distinct p.state) from orderlatch.positions as p), '{agrees}', 'all agree');

-- What happens from then on.
select jsonb_agg(o.document) as resting from jsonb_array_elements(:'book'::jsonb -> 'orders') as o(document)
 where o.document ->> 'status' = 'new' and o.document ->> 'id' <> 'old-1000' \gset
create function pg_temp.doc(p_id text, p_members jsonb) returns jsonb language sql volatile as $$
  select test.a_broker_order(p_id, p_members || jsonb_build_object('updated_at', orderlatch_data.canonical_time(orderlatch_data.clock())))
$$;
-- An order of the past fills: its trade counts, what it had filled before does not.
select jsonb_build_object(
  'orders', :'resting'::jsonb || jsonb_build_array(pg_temp.doc('old-1000', '{"symbol": "S0", "submitted_at": "2026-03-01T22:19:59Z", "status": "filled", "filled_qty": "10"}'),
                              pg_temp.doc('new-1', '{"symbol": "S1", "side": "sell", "submitted_at": "2026-03-02T16:05:00Z", "status": "filled", "filled_qty": "10"}')),
  'fills', jsonb_build_array(test.a_fill('old-1000', 'y1', '{"symbol": "S0", "qty": "4", "transaction_time": "2026-03-02T16:04:00Z"}'),
                             test.a_fill('new-1', 'y2', '{"symbol": "S1", "side": "sell", "transaction_time": "2026-03-02T16:05:00Z"}')),
  'positions', (select jsonb_agg(test.a_position('S' || n, case n when 0 then '10004' when 1 then '9990' else '10000' end)) from generate_series(0, 19) as n)) as book \gset
select test_support.advance_clock('5 minutes');
select test.serve(:worker, :'book');
select test_support.advance_clock('5 minutes');
select test.serve(:worker, :'book');
select is((select array_agg(distinct p.state) from orderlatch.positions as p), '{agrees}', 'fills of old orders and of new ones are booked');
select is(test.incidents(), '{foreign_order}', 'a new order of somebody else is told of');
select is((select i.detail ->> 'for_example' from orderlatch_data.incidents as i where i.closed_at is null), 'new-1', 'an old one is not');
select is((test.broker_order('old-1000')).status, 'filled', 'an old open order is followed to its end');
-- A fill of an old order that was not open then.
select test_support.advance_clock('5 minutes');
select jsonb_build_object(
  'orders', :'resting'::jsonb || jsonb_build_array(pg_temp.doc('old-7', '{"symbol": "S7", "submitted_at": "2026-03-02T14:52:59Z", "status": "filled", "filled_qty": "10"}')),
  'fills', jsonb_build_array(test.a_fill('old-7', 'y3', '{"symbol": "S7", "qty": "1", "transaction_time": "2026-03-02T16:15:00Z"}')),
  'positions', jsonb_set(:'book'::jsonb -> 'positions', '{7,qty}', '"10001"')) as book \gset
select test.serve(:worker, :'book');
select test_support.advance_clock('5 minutes');
select test.serve(:worker, :'book');
select is((select p.state || ' ' || p.qty from orderlatch.positions as p where p.symbol = 'S7'), 'agrees 10001', 'a late trade of an old order counts');
select is((select i.detail ->> 'for_example' from orderlatch_data.incidents as i where i.closed_at is null), 'new-1', 'and the order is told of by nobody');
-- A split.
select jsonb_set(:'book', '{positions,3,qty}', '"20000"') as book \gset
select test_support.advance_clock('5 minutes');
select test.serve(:worker, :'book');
select test_support.advance_clock('2 minutes');
select test.serve(:worker, :'book');
select is((select i.subject from orderlatch_data.incidents as i where i.incident = 'position_drift' and i.closed_at is null), 'S3', 'a split is a drift');
select is(orderlatch.adjust_position('paper', 'S3', 10000, 'split', 'two for one'), 20000::numeric, 'until it is entered');
select test_support.advance_clock('5 minutes');
select test.serve(:worker, :'book');
select is(test.incidents() && '{position_drift}', false, 'then it is none any more');

-- Opening positions that are entered at once: there is not even a difference.
select test.given_mirrored_account('second', '{"reconcile_from": "2026-03-02T15:00:00Z"}');
select orderlatch.adjust_position('second', 'S' || n, 10000, 'opening', 'taken on') from generate_series(0, 19) as n;
select test.given_worker('second') as second \gset
select test.serve(:second, jsonb_build_object('positions', (select jsonb_agg(test.a_position('S' || n, '10000')) from generate_series(0, 19) as n)));
select is((select count(*)::integer from orderlatch_data.position_differences as d where d.account_id = test.account_id('second')), 0, 'opening positions that were entered before agree from the first');

-- A new account submits nothing before its orders have been read; another is not held up by it.
select test.given_mirrored_account('third');
select test.given_worker('third') as third \gset
select test.given_approved_decision('third') as decision \gset
select is(test.kinds(:third), '{list_orders}', 'before its orders were read a new account submits nothing');
select is((select r.submits_wait_for from orderlatch.reconciliation as r where r.account = 'third' and r.purpose = 'orders'), 'new', 'the view says why');
select test.record(test.answer_status((test.standing_read('orders', 'third')).request_id, 503, '<html>'));
select test_support.advance_clock('10 seconds');
select is(test.kinds(:third), '{list_orders}', 'a read that failed is none');
select test.given_approved_decision('second') as other \gset
select is(test.kinds(:second) @> '{submit_order}', true, 'one account does not wait for another');
select test.record(test.answer_status((test.standing_read('orders', 'third')).request_id, 200, (
  select jsonb_agg(test.a_broker_order('t-' || n, jsonb_build_object('submitted_at', orderlatch_data.canonical_time(orderlatch_data.clock() + n * interval '1 millisecond')))) from generate_series(1, 500) as n)::text));
select is(test.kinds(:third) @> '{submit_order}', false, 'nor is one that has a page to go');
select test.record(test.answer_status((test.standing_read('orders', 'third')).request_id, 200, '[]'));
select is(test.kinds(:third) @> '{submit_order}', true, 'once all were read it submits');
select is((select r.submits_wait_for from orderlatch.reconciliation as r where r.account = 'third' and r.purpose = 'orders'), null, 'the view has nothing to say');
select is(test.broken_promises(), '{}', 'no promise is broken');

select * from finish();
rollback;
