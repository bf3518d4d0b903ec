-- Whoever wakes many accounts leaves room in the server's table of locks, which is for all sessions.
select count(test.given_account(format('m%s', a))) from generate_series(1, 102) as a \g /dev/null

begin;
select plan(2);

create temporary table many as select array_agg(a.account_id order by a.account_id) as account_ids from orderlatch_data.accounts as a;
select orderlatch_data.wake_accounts(m.account_ids) from many as m;
select is(count(*)::integer, 100, 'it holds the rows of a hundred')
  from pg_locks as l
 where l.locktype = 'advisory' and l.pid = pg_backend_pid() and l.classid = orderlatch_data.lock_class('agenda')::oid;
select results_eq('select w.account_id from orderlatch_data.account_wakes as w order by 1',
                  'select m.account_ids[place] from many as m, generate_series(101, 102) as place', 'and leaves rows for the others');

select * from finish();
rollback;
