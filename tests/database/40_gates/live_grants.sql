-- A live account submits only under a grant, and no call begins after its end.
begin;
select plan(35);

select test_support.hold_clock('2026-03-02 15:00:00Z');
select test.given_account('live', '{"max_decision_age": "10 days"}', 'live');
select test.given_account();
create temporary table worker as select test.given_worker('live') as worker_id;
select test.given_approved_decision('live');
-- What a claim is granted; it is taken back.
create function pg_temp.granted()
returns text
language plpgsql
as $$
declare
  v_granted text;
begin
  select string_agg(format('%s within %s ms', c.kind, c.send_within_ms), ', ') into v_granted
    from worker as w, test.claim(w.worker_id) as c;
  raise exception using errcode = 'ZZZZZ', message = coalesce(v_granted, 'nothing');
exception
  when sqlstate 'ZZZZZ' then
    return sqlerrm;
end
$$;

select is(pg_temp.granted(), 'nothing', 'without a grant nothing is submitted for a live account');
select is(
  orderlatch.grant_live('live', '10 minutes', 'opening auction'), '2026-03-02 15:10:00Z'::timestamptz, 'a grant says when it ends'
);
select results_eq(
  'select g.account_id, g.granted_at, g.granted_until, g.granted_by, g.reason from orderlatch_data.live_grants as g',
  $$ values (test.account_id('live'), '2026-03-02 15:00:00Z'::timestamptz, '2026-03-02 15:10:00Z'::timestamptz, 'postgres',
             'opening auction') $$,
  'a grant is signed, with its reason'
);
select is(pg_temp.granted(), 'submit_order within 5000 ms', 'under a grant the submit goes');
select test_support.advance_clock('9 minutes 58 seconds');
select is(pg_temp.granted(), 'submit_order within 2000 ms', 'a call never begins after the end of the grant');
select test_support.advance_clock('1.999 seconds');
select is(pg_temp.granted(), 'submit_order within 1 ms', 'up to its last millisecond a grant is one');
select test_support.advance_clock('1 millisecond');
select is(pg_temp.granted(), 'nothing', 'a grant that has ended is none');

-- Of several grants the longest counts.
select orderlatch.grant_live('live', '1 hour', 'longer'), orderlatch.grant_live('live', '1 second', 'shorter');
select is(pg_temp.granted(), 'submit_order within 5000 ms', 'a short grant does not cut a long one');

-- Revoked.
select orderlatch.revoke_live('live');
select is(pg_temp.granted(), 'nothing', 'revoked, no grant is left');
select results_eq(
  'select g.granted_until from orderlatch_data.live_grants as g order by g.grant_id',
  $$ values ('2026-03-02 15:10:00Z'::timestamptz), ('2026-03-02 15:10:00Z'), ('2026-03-02 15:10:00Z') $$,
  'a revoked grant ends now; one that had ended keeps its end'
);
select lives_ok($$ select orderlatch.revoke_live('live') $$, 'revoking what is revoked changes nothing');
select lives_ok($$ select orderlatch.revoke_live('paper') $$, 'revoking where nothing is granted changes nothing');
select orderlatch.grant_live('live', '1 hour', 'once more');
select test_support.advance_clock('-1 minute');
select lives_ok($$ select orderlatch.revoke_live('live') $$, 'a clock that was set back does not keep a grant from being revoked');
select test_support.advance_clock('1 minute');
select is(pg_temp.granted(), 'nothing', 'and it is revoked');

-- Of one account, and of what has not ended: what a grant was stays as it was.
select test.given_account('second', '{}', 'live');
select orderlatch.grant_live('second', '1 hour', 'of another account');
create temporary table granted_before as select g.account_id, g.granted_at, g.granted_until from orderlatch_data.live_grants as g;
select orderlatch.revoke_live('live');
select set_eq(
  'select g.account_id, g.granted_at, g.granted_until from orderlatch_data.live_grants as g', 'table granted_before',
  'what has ended, and what another account was granted, no revocation changes');

-- A halt stops what a grant allows.
select orderlatch.grant_live('live', '7 days', 'the longest');
select is(pg_temp.granted(), 'submit_order within 5000 ms', 'a grant may last seven days');
select orderlatch.halt('stop', 'live');
select is(pg_temp.granted(), 'nothing', 'a halt stops what a grant allows');

create temporary table counts as select count(*) as grants from orderlatch_data.live_grants;
select throws_ok(format('select orderlatch.grant_live(%s)', c.arguments), c.sqlstate, null, format('a grant %s is refused', c.title))
  from (
    values
      ($$'nobody', '1 hour', 'why'$$, 'OL102', 'for an unknown account'),
      ($$null, '1 hour', 'why'$$, 'OL102', 'for no account'),
      ($$'paper', '1 hour', 'why'$$, 'OL131', 'for a paper account, which needs none,'),
      ($$'live', null, 'why'$$, 'OL131', 'for no time'),
      ($$'live', '0', 'why'$$, 'OL131', 'for no time at all'),
      ($$'live', '-1 hour', 'why'$$, 'OL131', 'for the past'),
      ($$'live', '7 days 1 microsecond', 'why'$$, 'OL131', 'for more than seven days'),
      ($$'live', '12 months -353 days', 'why'$$, 'OL131', 'for more than seven days, though a month counts as thirty,'),
      ($$'live', '1 hour', null$$, 'OL131', 'without a reason'),
      ($$'live', '1 hour', ' '$$, 'OL131', 'with a blank reason'),
      ($$'live', '1 hour', repeat('x', 501)$$, 'OL131', 'with a reason of 501 characters')
  ) as c(arguments, sqlstate, title);
select is((select count(*) from orderlatch_data.live_grants), c.grants, 'what was refused has left nothing behind') from counts as c;
select throws_ok($$ select orderlatch.revoke_live('nobody') $$, 'OL102', null, 'nothing is revoked of an unknown account');
select throws_ok(
  $$ insert into orderlatch_data.live_grants (account_id, granted_at, granted_until, granted_by, reason)
     values (test.account_id('live'), now(), now() - interval '1 second', 'me', 'why') $$,
  '23514', null, 'the table itself refuses a grant that ends before it begins'
);

-- A day of a grant has 24 hours, also where the session's clocks change meanwhile.
set local timezone = 'America/New_York';
select test_support.hold_clock('2026-10-30 15:00:00Z');
select is(orderlatch.grant_live('live', '7 days', 'over the weekend'), '2026-11-06 15:00:00Z'::timestamptz, 'seven days are no hour more in autumn');
select test_support.hold_clock('2027-03-12 15:00:00Z');
select is(orderlatch.grant_live('live', '7 days', 'over the weekend'), '2027-03-19 15:00:00Z'::timestamptz, 'and no hour less in spring');
select test_support.hold_clock('2026-03-02 15:00:00Z');

-- Paper needs none.
create temporary table paper as select test.given_worker() as worker_id;
select test.given_approved_decision();
select is((select c.kind from paper as p, test.claim_one(p.worker_id) as c), 'submit_order', 'a paper account needs no grant');
select is_empty('select i.promise from orderlatch.invariants as i where i.violations > 0', 'every invariant holds');

select * from finish();
rollback;
