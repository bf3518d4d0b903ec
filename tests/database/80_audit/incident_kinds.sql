-- The list of incidents is what the functions open, and says truly which of them halt the account.
begin;
select plan(4);

-- What stands in the functions: the kind is always written out where an incident is opened.
create temporary table opened as
  select distinct m.found[2] as incident, m.found[1] = 'report_order' as reported
    from pg_proc as p
   cross join regexp_matches(p.prosrc, '(open_incident|report_order)\(\s*''([a-z_]+)''', 'g') as m(found)
   where p.pronamespace in ('orderlatch'::regnamespace, 'orderlatch_data'::regnamespace);
create temporary table halting as
  select distinct m.found[1] as incident
    from pg_proc as p
   cross join regexp_matches(p.prosrc, 'halt_account\([^;]*''([a-z_]+)''', 'g') as m(found)
   where p.pronamespace in ('orderlatch'::regnamespace, 'orderlatch_data'::regnamespace);

select set_eq(
  $$ select o.incident from opened as o $$, $$ select k.incident from orderlatch.incident_kinds as k $$,
  'every incident that a function opens is in the list, and back'
);
select is(
  (
    select count(*)
      from pg_proc as p
     cross join regexp_matches(p.prosrc, '(open_incident|report_order)\(', 'g')
     where p.pronamespace in ('orderlatch'::regnamespace, 'orderlatch_data'::regnamespace)
  ),
  -- all but the one in report_order, which hands its argument on
  (
    select count(*) + 1
      from pg_proc as p
     cross join regexp_matches(p.prosrc, '(open_incident|report_order)\(\s*''([a-z_]+)''', 'g')
     where p.pronamespace in ('orderlatch'::regnamespace, 'orderlatch_data'::regnamespace)
  ),
  'no function opens an incident whose kind is not written out'
);
select set_eq(
  $$ select o.incident from opened as o where o.reported
     union
     select h.incident from halting as h $$,
  $$ select k.incident from orderlatch.incident_kinds as k where k.halts_account $$,
  'the kinds that say so halt the account, and no other does'
);
select is_empty(
  $$ select k.incident from orderlatch.incident_kinds as k where length(k.meaning) > 80 or k.meaning !~ '^[a-z].*[^.]$' $$,
  'what each means fits into a line'
);

select * from finish();
rollback;
