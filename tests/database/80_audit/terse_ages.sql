-- Ages on a terminal: two units at most, and a word where there is no moment to count from.
begin;
select plan(5);

select test_support.hold_clock('2026-03-02 15:00:00Z');
select bag_eq(
  $$ select a.at, orderlatch_data.terse_age(a.at::timestamptz)
       from unnest('{2026-03-02 14:59:48Z,2026-03-02 14:56:40Z,2026-03-02 12:45:00Z,2026-02-27 11:00:00Z,2026-03-02 15:00:05Z}'::text[]) as a(at) $$,
  $$ values ('2026-03-02 14:59:48Z', '12 s'), ('2026-03-02 14:56:40Z', '3 min 20 s'), ('2026-03-02 12:45:00Z', '2 h 15 min'),
            ('2026-02-27 11:00:00Z', '3 d 4 h'), ('2026-03-02 15:00:05Z', '-5 s') $$,
  'an age has two units at most');
select is(orderlatch_data.terse_age(null), null, 'what never was has no age');

-- An account that nobody has read yet.
select test.given_mirrored_account('paper', '{"reconcile_from": "2026-03-02T14:00:00Z"}');
select matches((select b.line from orderlatch.terse_live_board as b where b.what = 'paper'), ', read never, stream ', 'the board says so');
select is((select array_agg(distinct r.behind) from orderlatch.terse_reconciliation as r), array[null]::text[], 'and of its reads none is behind');
select test.serve(test.given_worker(), '{"orders": [], "fills": [], "positions": []}');
select matches((select b.line from orderlatch.terse_live_board as b where b.what = 'paper'), ', read 0 s ago, stream ', 'once it was read the board says when');

select * from finish();
rollback;
