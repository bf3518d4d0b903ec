-- When the mirror is read: at first, on a cadence, at a start, after an outage, on demand; never twice at once.
begin;
select plan(37);

select test_support.hold_clock('2026-03-02 15:00:00Z');
select test.given_mirrored_account('paper', '{"reconcile_every": "1 minute", "positions_every": "5 minutes", "reconcile_overlap": "5 minutes"}');
select test.given_worker() as worker \gset
-- The query of the newest page of a read, and when a read covers the broker.
create function pg_temp.query(p_purpose text) returns jsonb language sql volatile as $$
  select q.query from orderlatch_data.broker_requests as q
   where q.read_id = (test.standing_read(p_purpose)).read_id order by q.claimed_at desc limit 1
$$;
create function pg_temp.covered() returns jsonb language sql volatile as $$
  select jsonb_object_agg(r.purpose, to_char(r.covered_at at time zone 'UTC', 'HH24:MI:SS')) from orderlatch_data.broker_reads as r
$$;

-- The first reads: orders, then fills and open orders, then positions.
select is(test.serve_once(:worker, '{}'), '{list_orders}', 'a new account is read from its orders on');
select is(pg_temp.query('orders'),
          '{"status": "all", "limit": "500", "direction": "asc", "nested": "true", "after": "2026-03-02T15:00:00.000000Z"}'::jsonb,
          'all of them since it was created, oldest first, with their legs');
select is(test.serve_once(:worker, '{}'), '{list_orders,list_fills}', 'fills and open orders make sense only then');
select is(pg_temp.query('open_orders'), '{"status": "open", "limit": "500", "direction": "asc", "nested": "false"}'::jsonb,
          'open orders all, legs as orders of their own');
select is(pg_temp.query('fills'), '{"direction": "asc", "page_size": "100", "after": "2026-03-02T15:00:00.000000Z"}'::jsonb,
          'fills since it was created');
select is(test.serve_once(:worker, '{}'), '{list_positions}', 'positions make sense only with the fills');
select is(pg_temp.query('positions'), null, 'they come in one page');
select is(test.serve(:worker, '{}'), '{}', 'then nothing is to be read');
select is(pg_temp.covered(), '{"orders": "15:00:00", "open_orders": "15:00:00", "fills": "15:00:00", "positions": "15:00:00"}'::jsonb,
          'what the broker showed at the first claim is covered');
select is((select array_agg(distinct r.reason) from orderlatch_data.broker_reads as r), '{"a worker started"}', 'because a worker began');

-- The cadence.
select is(test.kinds(:worker), '{}', 'nothing more is granted');
select test_support.advance_clock('59 seconds');
select is(test.serve(:worker, '{}'), '{}', 'a second before the minute nothing is read');
select test_support.advance_clock('1 second');
select bag_eq($$ select unnest(test.serve(1, '{}')) $$, $$ values ('list_orders'), ('list_orders'), ('list_fills') $$,
              'after a minute orders, open orders and fills are');
select is((test.standing_read('orders')).reason, 'cadence', 'for the cadence');
select test_support.advance_clock('4 minutes');
select is((select count(*)::integer from unnest(test.serve(:worker, '{}')) as k where k = 'list_positions'), 1, 'positions are after five');

-- The cursor: the newest order that was read, less the overlap.
select jsonb_build_object('orders', jsonb_build_array(
  test.a_broker_order('o-1', '{"submitted_at": "2026-03-02T15:04:00.123456789Z"}'),
  test.a_broker_order('o-2', '{"submitted_at": "2026-03-02T15:04:30.5Z", "status": "filled", "filled_qty": "10"}')),
  'fills', jsonb_build_array(test.a_fill('o-2', 'x2', '{"transaction_time": "2026-03-02T15:04:31.25Z"}')),
  'positions', jsonb_build_array(test.a_position('GOOG', '10'))) as book \gset
select test_support.advance_clock('1 minute');
select test.serve(:worker, :'book');
select is((test.standing_read('orders')).cursor_at, '2026-03-02 15:04:30.5Z'::timestamptz, 'the cursor is at the newest order');
select is((test.standing_read('fills')).cursor_at, '2026-03-02 15:04:31.25Z'::timestamptz, 'and at the newest fill');
select test_support.advance_clock('1 minute');
select test.serve(:worker, :'book');
select is(pg_temp.query('orders') ->> 'after', '2026-03-02T15:00:00.000000Z', 'no read begins before the account does');
select test_support.advance_clock('1 minute');
select orderlatch.update_account('paper', '{"reconcile_overlap": "1 minute"}');
select test.serve(:worker, :'book');
select is(pg_temp.query('orders') ->> 'after', '2026-03-02T15:03:30.500000Z', 'else it overlaps the one before');
select is(pg_temp.query('fills') ->> 'after', '2026-03-02T15:03:31.250000Z', 'so does that of fills');

-- On demand; a wish during a read begins another one.
select test_support.advance_clock('1 second');
select orderlatch.reconcile_account('paper', 'I want to see');
select is((select array_agg(c.kind order by c.kind) from test.claim(:worker) as c),
          '{list_fills,list_orders,list_orders,list_positions}', 'an operator has all four read');
select is((test.standing_read('orders')).reason, 'I want to see', 'with a reason');
select is(test.kinds(:worker), '{}', 'one page of each at a time');
select test.given_worker() as second \gset
select is((select count(*)::integer from test.claim(:second) as c), 0, 'for whichever worker');
select (test.standing_read('orders')).request_id as page \gset
select test.record(test.answer_status(:'page', 200, '[]'));
select is((select array_agg(c.kind) from test.claim(:second) as c), '{list_orders}',
          'the start of that worker wished for a read: it begins when the one under way has ended');
select is((test.standing_read('orders')).reason, 'a worker started', 'and says why');
select is((select count(*)::integer from orderlatch_data.read_wishes as w where w.purpose = 'orders'), 0, 'the wish is served');

-- From earlier than the cursor, when somebody knows better.
select test.record(test.answer_status((test.standing_read('orders')).request_id, 200, '[]'));
select test_support.advance_clock('1 second');
select orderlatch.reconcile_account('paper', 'a late order', '2026-03-02 15:00:30Z');
select test.serve_once(:worker, :'book');
select is(pg_temp.query('orders') ->> 'after', '2026-03-02T15:00:30.000000Z', 'a wish may begin earlier');
select throws_ok($$ select orderlatch.reconcile_account('paper', 'x', '2026-03-02 14:59:59Z') $$, 'OL131', null,
                 'but not before the account');
select throws_ok($$ select orderlatch.reconcile_account('paper', '') $$, 'OL131', null, 'nor without a reason');
select throws_ok($$ select orderlatch.reconcile_account('nobody', 'x') $$, 'OL102', null, 'nor of nobody');
select test_support.advance_clock('1 second');
select orderlatch.update_account('paper', '{"reconcile_from": "2026-03-01T00:00:00Z"}');
select test.serve_once(:worker, :'book');
select is(pg_temp.query('orders') ->> 'after', '2026-03-01T00:00:00.000000Z', 'an account that is taken on from earlier is read from there');

-- A time that lies ahead of the broker's clock hides nothing.
select test_support.advance_clock('1 minute');
select jsonb_set(:'book', '{orders,2}', test.a_broker_order('o-3', '{"submitted_at": "2099-01-01T00:00:00Z"}')) as book \gset
select test.serve(:worker, :'book');
select test_support.advance_clock('1 minute');
select test.serve(:worker, :'book');
select ok((pg_temp.query('orders') ->> 'after')::timestamptz < orderlatch_data.clock(), 'an order from the future moves no read into it');

-- After an outage.
select test_support.advance_clock('1 minute');
select test.record(test.answer_maybe(c.request_id)) from test.claim(:worker) as c;
select test_support.advance_clock('30 seconds');
select test.serve(:worker, :'book');
select is((test.standing_read('orders')).covered_at, orderlatch_data.clock(), 'what failed is read as soon as it can be');
select ok((select count(*) from orderlatch_data.broker_requests as q where q.kind = 'list_positions' and q.claimed_at = orderlatch_data.clock()) > 0,
          'and everything else, when the broker answers again');
select is(test.incidents(), '{foreign_order}', 'an outage of lists is no incident');
select is(test.broken_promises(), '{}', 'no promise is broken');

select * from finish();
rollback;
