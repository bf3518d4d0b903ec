-- A bust that nobody heard of on the stream, and that bears the time of its trade, is found when the position differs.
begin;
select plan(6);

select test_support.hold_clock('2026-03-02 15:30:00Z');
select test.given_mirrored_account('paper', '{"reconcile_from": "2026-03-02T14:00:00Z", "on_foreign_order": "ignore"}');
select test.given_worker() as worker \gset
create function pg_temp.order(p_id text, p_at text) returns jsonb language sql as $$
  select test.a_broker_order(p_id, jsonb_build_object('symbol', upper(p_id), 'filled_qty', '10', 'status', 'filled', 'submitted_at', p_at, 'updated_at', p_at))
$$;
create function pg_temp.fill(p_id text, p_at text, p_members jsonb default '{}') returns jsonb language sql as $$
  select test.a_fill(p_id, p_id, jsonb_build_object('symbol', upper(p_id), 'transaction_time', p_at) || p_members)
$$;
select jsonb_build_object(
  'orders', jsonb_build_array(pg_temp.order('bust', '2026-03-02T15:00:00Z'), pg_temp.order('other', '2026-03-02T15:20:00Z')),
  'fills', jsonb_build_array(pg_temp.fill('bust', '2026-03-02T15:00:01Z'), pg_temp.fill('other', '2026-03-02T15:20:01Z')),
  'positions', jsonb_build_array(test.a_position('BUST', '10'), test.a_position('OTHER', '10'))) as book \gset
create function pg_temp.state() returns text language sql volatile as $$
  select coalesce(string_agg(p.symbol || ' ' || p.qty || ' ' || p.state, ', ' order by p.symbol), 'nothing') from orderlatch.positions as p
$$;
select test.serve(:worker, :'book');
select is(pg_temp.state(), 'BUST 10 agrees, OTHER 10 agrees', 'two trades');

select jsonb_set(jsonb_set(:'book', '{positions}', jsonb_build_array(test.a_position('OTHER', '10'))), '{fills}',
  (:'book'::jsonb -> 'fills') || jsonb_build_array(pg_temp.fill('bust', '2026-03-02T15:00:01Z', '{"id": "20260302100001378::b", "type": "trade_bust", "previous_execution_id": "bust"}'))) as after \gset
select test_support.advance_clock('5 minutes'), test.serve(:worker, :'after') from generate_series(1, 2) as n;
select test_support.advance_clock('1 minute'), test.serve(:worker, :'after') from generate_series(1, 3) as n;
select is(pg_temp.state(), 'OTHER 10 agrees', 'the bust of the older one is booked');
select is((select i.closed_by from orderlatch_data.incidents as i where i.incident = 'position_drift' and i.closed_at is null), null, 'and nothing drifts');
select is((select count(*)::integer from orderlatch_data.position_differences), 0, 'nor differs');
-- What no bust explains costs one such read.
select test_support.advance_clock('5 minutes'), test.serve(:worker, jsonb_set(:'after', '{positions}', jsonb_build_array(test.a_position('OTHER', '20')))) from generate_series(1, 20) as n;
select is((select count(*)::integer from orderlatch_data.broker_requests as q where q.kind = 'list_fills' and q.query ->> 'after' = '2026-03-02T14:00:00.000000Z'), 3,
          'fills are read from a day before once for each difference');
select is(test.broken_promises(), '{}', 'no promise is broken');

select * from finish();
rollback;
