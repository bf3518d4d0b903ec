-- No setting of a session changes what a broker's document is taken for.
begin;
select plan(5);

set local standard_conforming_strings = off;
set local escape_string_warning = off;
set local backslash_quote = on;
set local timezone = 'America/St_Johns';
set local datestyle = 'SQL, DMY';
set local intervalstyle = 'sql_standard';
set local extra_float_digits = -15;
set local bytea_output = 'escape';
set local quote_all_identifiers = on;

-- A function keeps what it parsed under the settings of its first call: these must be the first calls of the session.
select is(
  orderlatch_data.read_broker_time('"2026-03-02T10:00:00.123456789-05:00"'), '2026-03-02T15:00:00.123456Z'::timestamptz,
  'a time with nine digits is cut to six'
);
select is(orderlatch_data.read_decimal('"1.5"'), 1.5, 'a decimal is read');
select is(orderlatch_data.read_decimal('"1x5"'), null, 'what is none is not');
select throws_ok(
  format('select orderlatch.verify_against(%L)', '1x2x' || repeat('a', 64)), 'OL131', null, 'a head has dots between its parts'
);
set local standard_conforming_strings = on;
select is_empty(
  $$ select p.oid::regprocedure
       from pg_proc as p
      where p.pronamespace in ('orderlatch'::regnamespace, 'orderlatch_data'::regnamespace)
        and strpos(regexp_replace(p.prosrc, 'E''([^'']|'''')*''|--[^[:cntrl:]]*', '', 'g'), chr(92)) > 0 $$,
  'in no function does a backslash mean what the session says'
);

select * from finish();
rollback;
