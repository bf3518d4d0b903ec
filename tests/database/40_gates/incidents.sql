-- Incidents: opened once, closed by a person.
begin;
select plan(18);

select test_support.hold_clock('2026-03-02 15:00:00Z');
select test.given_account();
select test.given_account('other');
create temporary table decisions as select test.decision_id(test.given_decision()) as decision_id from generate_series(1, 2);
create function pg_temp.open(p_incident text, p_account text, p_decision_id bigint, p_detail jsonb default '{}')
returns void
language sql
as $$
  select orderlatch_data.open_incident(
           p_incident, test.account_id(p_account), p_decision_id, '6f1c0c1e-0000-4000-8000-000000000000', p_detail
         )
$$;

select pg_temp.open('order_mismatch', 'paper', (select min(d.decision_id) from decisions as d), '{"qty": 1}');
select results_eq(
  $$ select i.incident, i.account_id, i.decision_id, i.request_id, i.detail, i.opened_at, i.closed_at, i.closed_by, i.resolution
       from orderlatch_data.incidents as i $$,
  $$ select 'order_mismatch', test.account_id(), min(d.decision_id), '6f1c0c1e-0000-4000-8000-000000000000'::uuid, '{"qty": 1}'::jsonb,
            '2026-03-02 15:00:00Z'::timestamptz, null::timestamptz, null::text, null::text
       from decisions as d $$,
  'an incident keeps what it is about'
);

select pg_temp.open('order_mismatch', 'paper', (select min(d.decision_id) from decisions as d), '{"qty": 2}');
select results_eq(
  'select i.detail from orderlatch_data.incidents as i', $$ values ('{"qty": 1}'::jsonb) $$, 'an incident that is open is not opened again'
);
select pg_temp.open('duplicate_order', 'paper', (select min(d.decision_id) from decisions as d));
select pg_temp.open('order_mismatch', 'paper', (select max(d.decision_id) from decisions as d));
select pg_temp.open('order_mismatch', 'paper', null);
select pg_temp.open('order_mismatch', 'other', null);
select pg_temp.open('order_mismatch', null, null, null);
select is((select count(*) from orderlatch_data.incidents), 6::bigint, 'another kind, decision or account is another incident');
select pg_temp.open('order_mismatch', 'paper', null);
select pg_temp.open('order_mismatch', null, null);
select is((select count(*) from orderlatch_data.incidents), 6::bigint, 'those too are opened once');
select is(
  (select i.detail from orderlatch_data.incidents as i where i.account_id is null), '{}', 'an incident without detail has an empty one'
);

-- Closing.
create temporary table first as select min(i.incident_id) as incident_id from orderlatch_data.incidents as i;
select orderlatch_data.halt_account(test.account_id(), 'order_mismatch');
select test_support.advance_clock('1 hour');
select orderlatch.close_incident(f.incident_id, 'adopted by hand') from first as f;
select results_eq(
  $$ select i.closed_at, i.closed_by, i.resolution from orderlatch_data.incidents as i join first as f on f.incident_id = i.incident_id $$,
  $$ values ('2026-03-02 16:00:00Z'::timestamptz, 'postgres', 'adopted by hand') $$, 'a person closes an incident and signs for it'
);
select ok(orderlatch_data.is_halted(test.account_id(), null, null), 'closing an incident lifts no halt');
select pg_temp.open('order_mismatch', 'paper', (select min(d.decision_id) from decisions as d), '{"qty": 3}');
select is((select count(*) from orderlatch_data.incidents), 7::bigint, 'what happens again after that is a new incident');

select throws_ok(format('select orderlatch.close_incident(%s)', c.arguments), c.sqlstate, null, format('closing %s is refused', c.title))
  from (
    values
      ($$null, 'why'$$, 'OL131', 'no incident'),
      ($$0, 'why'$$, 'OL131', 'an incident that does not exist'),
      (format('%s, %L', (select f.incident_id from first as f), 'again'), 'OL131', 'an incident that is closed'),
      (format('%s, null', (select max(i.incident_id) from orderlatch_data.incidents as i)), 'OL131', 'an incident without a resolution'),
      (format('%s, %L', (select max(i.incident_id) from orderlatch_data.incidents as i), ' '), 'OL131', 'an incident with a blank one'),
      (format('%s, %L', (select max(i.incident_id) from orderlatch_data.incidents as i), repeat('x', 2001)), 'OL131',
       'an incident with one of 2,001 characters')
  ) as c(arguments, sqlstate, title);
select lives_ok(
  format('select orderlatch.close_incident(%s, %L)', (select max(i.incident_id) from orderlatch_data.incidents as i), repeat('x', 2000)),
  'a resolution of 2,000 characters is taken'
);
select throws_ok(
  'update orderlatch_data.incidents set closed_at = now() where closed_at is null', '23514', null,
  'an incident cannot be closed without a signature'
);
-- It never raises for want of a name, or it would take the incident with it.
select lives_ok(
  $$ select pg_temp.open('never_heard_of', 'nobody', -1, null) $$, 'an incident of an unknown kind and decision is opened all the same'
);
select is(
  (select count(*) from orderlatch_data.incidents as i where i.incident = 'never_heard_of'), 1::bigint, 'and it is there'
);

select * from finish();
rollback;
