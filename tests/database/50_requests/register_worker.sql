-- A life of a worker begins with a check of everything that it says of itself, and is proved by a lock.
begin;
select plan(24);

select test_support.hold_clock('2026-03-02 15:00:00Z');
select test.given_account();
select test.given_account('live', p_environment => 'live');

select throws_ok(format('select orderlatch.register_worker(%L, %L, %s)', r.name, r.accounts, r.version), r.code, null, r.title)
  from (
    values ('w', '[]', '0', 'OL306', 'a worker that speaks an older version is refused'),
           ('w', '[]', '2', 'OL306', 'a worker that speaks a newer version is refused'),
           ('w', '[]', 'null', 'OL306', 'a worker that speaks no version is refused'),
           ('', '[]', '1', 'OL131', 'a worker without a name is refused'),
           ('a b', '[]', '1', 'OL131', 'a name with a blank is refused'),
           (repeat('w', 129), '[]', '1', 'OL131', 'a name of 129 characters is refused'),
           ('w', '{}', '1', 'OL131', 'accounts that are no array are refused'),
           ('w', '[{"account": "nobody", "environment": "paper"}]', '1', 'OL102', 'an unknown account is refused'),
           ('w', '["paper"]', '1', 'OL102', 'an account that is no object is refused'),
           ('w', '[{"environment": "paper"}]', '1', 'OL102', 'an account without a name is refused'),
           ('w', '[{"account": "paper", "environment": "live"}]', '1', 'OL302', 'a live base URL for a paper account is refused'),
           ('w', '[{"account": "live", "environment": "paper"}]', '1', 'OL302', 'a paper base URL for a live account is refused'),
           ('w', '[{"account": "paper"}]', '1', 'OL302', 'a base URL of no environment is refused')
  ) as r(name, accounts, version, code, title);
select throws_ok(format('select orderlatch.register_worker(null, ''[]'', 1)'), 'OL131', null, 'a name that is null is refused');
select is_empty('select 1 from orderlatch_data.workers', 'a refused worker leaves nothing behind');
select throws_ok(
  format('select orderlatch.register_worker(''w'', %L, 1)', (select jsonb_agg('x'::text) from generate_series(1, 1001))),
  'OL134', null, 'more than 1000 accounts are refused');

select orderlatch.register_worker('w-1', '[{"account": "paper", "environment": "paper"}]', 1) as first \gset
select orderlatch.register_worker('w-1', jsonb_agg('{"account": "paper", "environment": "paper"}'::jsonb), 1) as second
  from generate_series(1, 2) \gset
select isnt(:first, :second, 'each life of a worker has an id of its own');
select results_eq(
  'select w.worker_name, w.login, w.registered_at, w.released_at from orderlatch_data.workers as w order by w.worker_id',
  $$ values ('w-1', 'postgres', '2026-03-02 15:00:00Z'::timestamptz, null::timestamptz),
            ('w-1', 'postgres', '2026-03-02 15:00:00Z', null) $$,
  'a life is written down');
select results_eq(
  format('select c.worker_id, c.environment, c.verified_at from orderlatch_data.worker_accounts as c order by c.worker_id'),
  format('values (%s, ''paper''::text, null::timestamptz), (%s, ''paper'', null)', :first, :second),
  'an account that is named twice is carried once, and is not verified yet');
select ok(not orderlatch_data.worker_is_gone(:first), 'a registered worker lives');
select lives_ok(format('select orderlatch.release_worker(%s)', :first), 'it says goodbye');
select ok(orderlatch_data.worker_is_gone(:first), 'then its life has ended');
select ok(not orderlatch_data.worker_is_gone(:second), 'and its next life goes on');
select is((select w.released_at from orderlatch_data.workers as w where w.worker_id = :first), '2026-03-02 15:00:00Z',
          'when it said goodbye is written down');

select * from finish();
rollback;
