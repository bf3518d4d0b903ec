-- The streams of accounts, as people read them.
begin;
select plan(7);

select test_support.hold_clock('2026-03-02 15:00:00Z');
select test.given_account('paper');
select test.given_account('quiet');
create function pg_temp.state() returns text language sql volatile as $$
  select concat_ws(', ', s.state, 'updates ' || s.updates, 'unreadable ' || s.unreadable,
                   'lost ' || to_char(s.lost_at at time zone 'UTC', 'HH24:MI:SS'))
    from orderlatch.streams as s
   where s.account = 'paper'
$$;

select results_eq(
  $$ select s.account, s.state, s.worker_id from orderlatch.streams as s $$,
  $$ values ('paper', 'never heard', null::integer), ('quiet', 'never heard', null) $$,
  'every account is there, heard or not'
);
select test.given_worker('paper') as first \gset
select orderlatch.record_stream_state(:first, 'paper', true);
select is(pg_temp.state(), 'heard, updates 0, unreadable 0', 'a stream that was connected is heard');
select orderlatch.record_trade_update(:first, 'paper', '{');
select is(pg_temp.state(), 'heard, updates 0, unreadable 1', 'what it could not understand is counted');

select test_support.advance_clock('5 seconds');
select orderlatch.record_stream_state(:first, 'paper', false);
select is(pg_temp.state(), 'lost, updates 0, unreadable 1, lost 15:00:05', 'a stream that was lost says since when');

-- Two lives of workers: one that hears is enough.
select test.given_worker('paper') as second \gset
select orderlatch.record_stream_state(:first, 'paper', true);
select orderlatch.record_stream_state(:second, 'paper', false);
select is(
  (select s.worker_id from orderlatch.streams as s where s.account = 'paper'), :first, 'the one that hears is shown'
);
select orderlatch.release_worker(:first);
select is(pg_temp.state(), 'lost, updates 0, unreadable 0, lost 15:00:05', 'else the newest');
select orderlatch.record_stream_state(:second, 'paper', true);
select orderlatch.release_worker(:second);
select is(
  pg_temp.state(), 'lost: its worker is gone, updates 0, unreadable 0', 'nothing is heard by a worker that is gone'
);

select * from finish();
rollback;
