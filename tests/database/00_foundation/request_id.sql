begin;
select plan(6);

create temporary view made as select n, orderlatch_data.new_request_id() as id from generate_series(1, 1000) as n;

select is((select count(distinct m.id) from made as m), 1000::bigint, 'every request id is new');
select matches(
  orderlatch_data.new_request_id()::text, '^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$',
  'a request id is a uuid of version 7, random but for its time: no counter that a restore could set back'
);
select ok(
  (select bool_and(m.id > m.before) from (select m.id, lag(m.id) over (order by m.n) as before from made as m) as m),
  'each is greater than the one before'
);

select cmp_ok(
  (select count(distinct orderlatch_data.request_lock_key(m.id)) from made as m), '>', 990::bigint,
  'requests of one moment are guarded by locks of their own'
);

select test_support.hold_clock('2026-03-02 12:00:00.1235Z');
select is((select count(distinct m.id) from made as m), 1000::bigint, 'also while time stands still');
select matches(
  orderlatch_data.new_request_id()::text, '^019cae6b-667b-7800-',
  'its time are the milliseconds since 1970, and 4,096ths of one'
);

select * from finish();
rollback;
