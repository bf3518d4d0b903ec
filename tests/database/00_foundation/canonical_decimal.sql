begin;
select plan(3);

select results_eq(
  $$ select n.number, orderlatch_data.canonical_decimal(n.number::numeric)
       from unnest(array['1', '-1', '0', '-0', '-0.00', '10', '10.0', '1e1', '0.5', '.5', '5.', '0190.2500', '+7', '1e-7',
                         '120000', '1.5e3', '0.000001000']) with ordinality as n(number, place)
      order by n.place $$,
  $$ values ('1', '1'), ('-1', '-1'), ('0', '0'), ('-0', '0'), ('-0.00', '0'), ('10', '10'), ('10.0', '10'),
            ('1e1', '10'), ('0.5', '0.5'), ('.5', '0.5'), ('5.', '5'), ('0190.2500', '190.25'), ('+7', '7'),
            ('1e-7', '0.0000001'), ('120000', '120000'), ('1.5e3', '1500'), ('0.000001000', '0.000001') $$,
  'a number has one spelling: no exponent, plus sign, needless zero or point, and no negative zero'
);
select results_eq(
  $$ select orderlatch_data.canonical_decimal(n.number) is not null
       from (values (1, 1e64 - 1), (2, -1e64 + 1), (3, 1e-64), (4, 1e63), (5, 12.5 + 1e-62), (6, 1.000::numeric * 1e60))
            as n(place, number)
      order by n.place $$,
  $$ select true from generate_series(1, 6) $$,
  'a number of 64 digits before and after the point together has a spelling'
);
select results_eq(
  $$ select orderlatch_data.canonical_decimal(n.number::numeric)
       from unnest(array['1e64', '-1e64', '1e-65', '12.' || repeat('3', 63), '1e100000', '1e-16383', 'NaN', 'Infinity',
                         '-Infinity']) as n(number) $$,
  $$ select null::text from generate_series(1, 9) $$,
  'a number of more digits, and what is no number, has none'
);

select * from finish();
rollback;
