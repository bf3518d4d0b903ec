-- A trade that the broker lists long after it happened is booked all the same, however much was traded meanwhile.
begin;
select plan(7);

select test_support.hold_clock('2026-03-02 16:00:00Z');
select test.given_mirrored_account('paper', '{"reconcile_from": "2026-03-02T14:00:00Z", "on_foreign_order": "ignore"}');
select test.given_worker() as worker \gset
create function pg_temp.order(p_id text, p_at timestamptz) returns jsonb language sql as $$
  select test.a_broker_order(p_id, jsonb_build_object('symbol', upper(p_id), 'filled_qty', '10', 'status', 'filled',
           'submitted_at', orderlatch_data.canonical_time(p_at), 'updated_at', orderlatch_data.canonical_time(p_at)))
$$;
create function pg_temp.fill(p_id text, p_at timestamptz) returns jsonb language sql as $$
  select test.a_fill(p_id, p_id, jsonb_build_object('symbol', upper(p_id), 'transaction_time', orderlatch_data.canonical_time(p_at)))
$$;
-- An order every five minutes; the fills of "late" are listed or not.
create function pg_temp.book(p_orders integer, p_late_is_listed boolean) returns jsonb language sql as $$
  select jsonb_build_object(
           'orders', jsonb_build_array(pg_temp.order('late', '2026-03-02 16:00:30Z')) || jsonb_agg(pg_temp.order('t' || n, '2026-03-02 16:00:00Z'::timestamptz + n * interval '5 minutes')),
           'fills', case when p_late_is_listed then jsonb_build_array(pg_temp.fill('late', '2026-03-02 16:00:30Z')) else '[]' end
             || jsonb_agg(pg_temp.fill('t' || n, '2026-03-02 16:00:00Z'::timestamptz + n * interval '5 minutes')),
           'positions', jsonb_build_array(test.a_position('LATE', '10')) || jsonb_agg(test.a_position('T' || n, '10')))
    from generate_series(1, p_orders) as n
$$;
create function pg_temp.booked() returns text language sql volatile as $$
  select coalesce(string_agg(p.symbol || ' ' || p.qty, ', ' order by p.symbol), 'nothing') from orderlatch_data.position_sums as p where p.symbol = 'LATE'
$$;
select test_support.advance_clock('5 minutes'), test.serve(:worker, pg_temp.book(n, false)) from generate_series(1, 8) as n;
select is(pg_temp.booked(), 'nothing', 'a trade that is not listed is not booked');
select is((select array_agg(i.subject) from orderlatch_data.incidents as i where i.incident = 'fill_mismatch' and i.closed_at is null), '{late}', 'its order is ahead of its fills');
select test_support.advance_clock('5 minutes'), test.serve(:worker, pg_temp.book(8, false)) from generate_series(1, 32) as n;
select is((select count(*)::integer from orderlatch_data.broker_requests as q where q.kind = 'list_fills' and q.query ->> 'after' = '2026-03-02T15:59:30.000000Z'), 5,
          'fills are read from before it ever more rarely');
select test_support.advance_clock('5 minutes'), test.serve(:worker, pg_temp.book(9, true));
select test_support.advance_clock('5 minutes'), test.serve(:worker, pg_temp.book(10, true)) from generate_series(1, 32) as n;
select is(pg_temp.booked(), 'LATE 10', 'listed at last, it is booked');
select is((select array_agg(i.subject) from orderlatch_data.incidents as i where i.incident = 'fill_mismatch' and i.closed_at is null), null, 'and its order adds up');
select is((select count(*)::integer from orderlatch_data.fill_differences), 0, 'nothing differs any more');
select is(test.broken_promises(), '{}', 'no promise is broken');
select * from finish();
rollback;
