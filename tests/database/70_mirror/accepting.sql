-- What cannot be accepted yet, because fills were not read since the last list of positions, can be a moment later.
begin;
select plan(7);

select test_support.hold_clock('2026-03-02 15:30:00Z');
select test.given_mirrored_account('paper', '{"positions_every": "1 minute", "reconcile_every": "10 minutes"}');
select test.given_worker() as worker \gset
select jsonb_build_object('orders', '[]'::jsonb, 'fills', '[]'::jsonb, 'positions', jsonb_build_array(test.a_position('GOOG', '10'))) as book \gset
create function pg_temp.accepted() returns text language sql volatile as $$
  select coalesce(string_agg(a.symbol || ' ' || a.adjusted_by, ', '), 'nothing') from orderlatch.accept_positions('paper', 'split', 'seen', 'GOOG') as a
$$;
create function pg_temp.wished() returns text language sql volatile as $$
  select coalesce(string_agg(w.purpose, ', '), 'nothing') from orderlatch_data.read_wishes as w where w.account_id = test.account_id()
$$;
select test.serve(:worker, :'book');
select test_support.advance_clock('61 seconds'), test.serve(:worker, :'book') from generate_series(1, 4) as n;
select is(test.incidents(), '{position_drift}', 'a position that no fill explains drifts');
select is(pg_temp.wished(), 'nothing', 'nothing is to be read for it any more');
select is(pg_temp.accepted(), 'nothing', 'no fills were read since the newest list of positions');
select is(pg_temp.wished(), 'fills', 'so they are read now');
select test_support.advance_clock('2 seconds'), test.serve(:worker, :'book');
select is(pg_temp.accepted(), 'GOOG 10', 'and what differs is accepted');
select is(pg_temp.wished() || test.incidents()::text, 'nothing{}', 'which ends it');
select is(pg_temp.accepted() || ', ' || pg_temp.wished(), 'nothing, nothing', 'where nothing differs nothing is read');

select * from finish();
rollback;
