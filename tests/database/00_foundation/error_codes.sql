begin;
select plan(3);

select is_empty(
  $$ select e.sqlstate from orderlatch.error_codes as e group by e.sqlstate having count(*) > 1 $$,
  'every code is there once'
);
select is_empty(
  $$ select e.name from orderlatch.error_codes as e group by e.name having count(*) > 1 $$,
  'every name is there once'
);
select is_empty(
  $$ select e.sqlstate from orderlatch.error_codes as e
      where e.sqlstate !~ '^OL[1239][0-9]{2}$' or e.name !~ '^[a-z]+(_[a-z]+)*$'
         or e.meaning !~ '^[A-Z].*[.]$' or e.next_step !~ '^[A-Z].*[.]$' $$,
  'every code has a class, a name, and a sentence each for its meaning and the next step'
);

select * from finish();
rollback;
