begin;
select plan(2);

select ok(
  (select c.before <= c.clock and c.clock <= c.after
     from (select clock_timestamp() as before, orderlatch_data.clock() as clock, clock_timestamp() as after) as c),
  'the clock is the server''s clock'
);
select ok(
  (select max(c.at) > min(c.at) from (select orderlatch_data.clock() as at from generate_series(1, 10000)) as c),
  'the clock moves within a statement'
);
select * from finish();
rollback;
