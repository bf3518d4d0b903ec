-- Fills are read by the id of the last one of a page; each is booked once, whoever shows it and however often.
begin;
select plan(26);

select test_support.hold_clock('2026-03-02 16:00:00Z');
select test.given_mirrored_account('paper', '{"reconcile_from": "2026-03-02T14:00:00Z", "on_foreign_order": "ignore", "drift_grace": "1 day"}');
select test.given_worker() as worker \gset
create function pg_temp.fills(p_count integer, p_first timestamptz, p_step interval, p_name text default 'x') returns jsonb
language sql volatile as $$
  select jsonb_agg(test.a_fill('o-1', p_name || lpad(n::text, 4, '0'), jsonb_build_object(
           'id', '2026' || lpad(n::text, 6, '0') || '::' || p_name || n, 'qty', '1', 'type', 'partial_fill',
           'transaction_time', orderlatch_data.canonical_time(p_first + (n - 1) * p_step))) order by n)
    from generate_series(1, p_count) as n
$$;
create function pg_temp.booked() returns text language sql volatile as $$
  select count(*) || ' rows, ' || coalesce(sum(f.qty), 0) || ' shares, sum ' || (select coalesce(sum(p.qty), 0) from orderlatch_data.position_sums as p)
    from orderlatch_data.fills as f
$$;
select jsonb_build_object('orders', jsonb_build_array(test.a_broker_order('o-1', '{"submitted_at": "2026-03-02T14:30:00Z", "qty": "1000"}')),
                          'fills', pg_temp.fills(250, '2026-03-02 14:31:00Z', '0'), 'positions', '[]'::jsonb) as book \gset
select test.serve_once(:worker, :'book');
select test.serve_once(:worker, :'book');
select is((test.standing_read('fills')).page_token, '2026000100::x100', 'the next page begins behind the last id');
select is(pg_temp.booked(), '100 rows, 100 shares, sum 100', 'a page of 100 is booked');
select c.query from test.claim(:worker) as c where c.kind = 'list_fills' \gset
select is(:'query'::jsonb, '{"after": "2026-03-02T14:00:00.000000Z", "direction": "asc", "page_size": "100", "page_token": "2026000100::x100"}'::jsonb,
          'within the same bounds');
select (test.standing_read('fills')).request_id as page \gset
select b.body as second from test.broker_says(:'book', 'list_fills', null, :'query') as b \gset

-- A batch that is rolled back booked nothing and moved nothing; told again it is booked once.
create function pg_temp.roll_back(p_page uuid, p_body text) returns text language plpgsql as $$
begin
  perform test.record(test.answer_status(p_page, 200, p_body));
  raise exception using errcode = 'ZZ000';
exception
  when sqlstate 'ZZ000' then
    return (test.standing_read('fills')).page_token;
end
$$;
select is(pg_temp.roll_back(:'page', :'second'), '2026000100::x100', 'a crash while a page is recorded moves nothing');
select is(pg_temp.booked(), '100 rows, 100 shares, sum 100', 'and books nothing');
select is(test.record(test.answer_status(:'page', 200, :'second')), 'fills_listed', 'recorded after it');
select is(pg_temp.booked(), '200 rows, 200 shares, sum 200', 'it is booked');
select is(test.record(test.answer_status(:'page', 200, :'second')), 'fills_listed', 'recorded twice');
select is(pg_temp.booked(), '200 rows, 200 shares, sum 200', 'it is booked once');
select test.serve(:worker, :'book');
select is(pg_temp.booked(), '250 rows, 250 shares, sum 250', 'the page of 50 is the last');
select is((test.standing_read('fills')).cursor_at, '2026-03-02 14:31:00Z'::timestamptz, 'the cursor is at the newest trade');

-- Read again with an overlap, or as a whole.
select test_support.advance_clock('2 minutes');
select test.serve(:worker, :'book');
select is(pg_temp.booked(), '250 rows, 250 shares, sum 250', 'the overlap of the next read books nothing twice');
select test_support.advance_clock('2 minutes');
select orderlatch.reconcile_account('paper', 'from the beginning', '2026-03-02 14:00:00Z');
select test.serve(:worker, :'book');
select is(pg_temp.booked(), '250 rows, 250 shares, sum 250', 'nor does a read of all of it');

-- A page of exactly 100, and one whose request is out of turn.
select test_support.advance_clock('2 minutes');
select jsonb_set(:'book', '{fills}', pg_temp.fills(100, '2026-03-02 15:10:00Z', '1 millisecond', 'y')) as book \gset
select orderlatch.reconcile_account('paper', 'a hundred', '2026-03-02 15:00:00Z');
select test.serve(:worker, :'book');
select is((test.standing_read('fills')).pages, 2, 'after a page of 100 one more is read');
select test_support.advance_clock('2 minutes');
select test.claim(:worker);
select (test.standing_read('fills')).request_id as late \gset
select test_support.advance_clock('1 minute');
select test.serve(:worker, :'book');
select is(test.record(test.answer_status(:'late', 200, jsonb_build_array(test.a_fill('o-1', 'late'))::text)), 'stale', 'a page that was lost is out of turn');
select is(pg_temp.booked(), '351 rows, 360 shares, sum 360', 'but its trade is a fact');

-- A token that the broker takes no more.
select test_support.advance_clock('2 minutes');
select jsonb_set(:'book', '{fills}', (:'book'::jsonb -> 'fills') || pg_temp.fills(150, '2026-03-02 16:00:00Z', '0', 'z')) as book \gset
select orderlatch.reconcile_account('paper', 'far back', '2026-03-02 14:00:00Z');
select test.serve_once(:worker, :'book');
create function pg_temp.fail(p_status integer, p_body text) returns void language sql as $$
  select test_support.advance_clock('10 minutes');
  select test.claim(1);
  select test.record(test.answer_status((test.standing_read('fills')).request_id, p_status, p_body));
$$;
select isnt((test.standing_read('fills')).page_token, null, 'a read is under way');
select pg_temp.fail(504, '<html>') from generate_series(1, 6);
select isnt((test.standing_read('fills')).page_token, null, 'an outage leaves it where it was');
select pg_temp.fail(422, '{"code": 42210000, "message": "page_token is invalid"}');
select is((test.standing_read('fills')).page_token, null, 'a token that is refused is given up');
select is(test.incidents(), '{read_stuck}', 'with an incident');
select test_support.advance_clock('10 minutes');
select c.query as query from test.claim(:worker) as c where c.kind = 'list_fills' \gset
select is(:'query'::jsonb, '{"after": "2026-03-02T14:00:00.000000Z", "direction": "asc", "page_size": "100"}'::jsonb, 'the read begins anew');
select b.body as first from test.broker_says(:'book', 'list_fills', null, :'query') as b \gset
select test.record(test.answer_status((test.standing_read('fills')).request_id, 200, :'first'));
select test.serve(:worker, :'book');
select is(pg_temp.booked(), '501 rows, 510 shares, sum 510', 'and books what was missing');
select is(test.incidents(), '{}', 'its incident is closed');

-- What is no trade.
select test_support.advance_clock('10 minutes');
select orderlatch.reconcile_account('paper', 'odd ones', '2026-03-02 16:10:00Z');
select jsonb_set(:'book', '{fills}', jsonb_build_array(
  test.a_fill('o-1', 'n1', '{"transaction_time": "2026-03-02T16:10:01Z", "type": "trade_moved"}'),
  test.a_fill('o-1', 'n2', '{"transaction_time": "2026-03-02T16:10:02Z", "qty": null}'),
  test.a_fill('o-1', 'n3', '{"transaction_time": "2026-03-02T16:10:03Z", "type": "trade_correct"}'),
  test.a_fill('o-1', 'n4', '{"transaction_time": "2026-03-02T16:10:04Z"}'))) as book \gset
select test.serve(:worker, :'book');
select is(pg_temp.booked(), '502 rows, 520 shares, sum 520', 'what can be booked is');
select is((select i.detail -> 'activities' from orderlatch_data.incidents as i where i.incident = 'activity_unread'), '3',
          'an unknown type, a trade without a quantity and a correction of nothing are an incident');
select is(test.broken_promises(), '{}', 'no promise is broken');

select * from finish();
rollback;
