-- What stands still shows, and nothing else does.
begin;
select plan(14);

-- Sessions tell the real time, so the held clock begins there.
select test_support.hold_clock();
select test.given_account();
create temporary table worlds as select test.given_worker() as worker_id;
create role an_auditor login in role orderlatch_auditor;
create function pg_temp.stuck(p_what text)
returns setof text
language sql
as $$ select s.detail from orderlatch.stuck as s where s.what = p_what $$;

create temporary table hashes as
  select test.given_decision_in('planned', w.worker_id) as planned,
         test.given_submitting_decision(w.worker_id) as submitting
    from worlds as w;
select is_empty($$ select s.* from orderlatch.stuck as s $$, 'nothing stands still at first');

-- This transaction holds the account, as it has proposed and claimed.
select test_support.advance_clock('4 seconds');
select is_empty($$ select s.* from orderlatch.stuck as s $$, 'a lock held for less than 5 seconds is work');
select test_support.advance_clock('2 seconds');
select bag_eq(
  $$ select substring(s.s, 'session [0-9]+ holds the [a-z]+ lock of [a-z ]+ for 00:00:0') from pg_temp.stuck('lock held') as s(s) $$,
  format(
    $$ select format('session %s holds the %%s for 00:00:0', l.lock)
         from unnest('{judging lock of account paper,granting lock of account paper,answering lock of account paper,
                       gate lock of account paper,gate lock of every account}'::text[]) as l(lock) $$,
    pg_backend_pid()
  ),
  'a lock held for 5 seconds shows with the session that holds it, its purpose and its account'
);
select test_support.act_as('an_auditor');
select isnt_empty(
  $$ select s.* from orderlatch.stuck as s where s.what = 'lock held' $$, 'an auditor sees it too, though the session is another login''s'
);
reset session authorization;

select test_support.advance_clock('20 seconds');
select is_empty($$ select pg_temp.stuck('unanswered') $$, 'a call that is just overdue will be lost by the next claim');
select test_support.advance_clock('10 seconds');
select is(
  (select s.s from pg_temp.stuck('unanswered') as s(s)),
  (
    select format('request %s (submit_order) was to be answered by %s', r.request_id, r.answer_by)
      from orderlatch_data.open_requests as r
  ),
  'a call that nobody answers and nobody loses shows'
);

select test.record(test.answer_maybe(test.holder(h.submitting))) from hashes as h;
select test_support.advance_clock('15 minutes');
select is_empty($$ select pg_temp.stuck('in doubt') $$, 'a doubt of 15 minutes is still one that ends by itself');
select is_empty($$ select pg_temp.stuck('unanswered') $$, 'an answered call is not stuck');
select test_support.advance_clock('2 seconds');
select is(
  (select s.s from pg_temp.stuck('in doubt') as s(s)),
  (select format('decision %s is in doubt for 00:15:02', h.submitting) from hashes as h), 'an older doubt shows'
);
select test_support.advance_clock('1 minute');
select is(
  (select s.s from pg_temp.stuck('overdue') as s(s)),
  (
    select format('decision %s should have lapsed at %s: is a worker alive?', h.planned, (test.open_row(h.planned)).lapse_at)
      from hashes as h
  ),
  'a decision that nobody lapses shows'
);
select test.claim(w.worker_id) from worlds as w;
select is_empty($$ select pg_temp.stuck('overdue') $$, 'until a claim lapses it');

select is_empty(
  $$ select s.* from orderlatch.stuck as s where s.what in ('advisory locks', 'lock times') $$, 'a superuser''s installation lacks nothing'
);
grant execute on function pg_advisory_lock(integer, integer) to public;
select is(
  (select s.s from pg_temp.stuck('advisory locks') as s(s)),
  'every login of this database may take advisory locks and so hold up trading', 'one that could not keep locks to itself says so'
);
revoke pg_read_all_stats from orderlatch_owner;
select is(
  (select s.s from pg_temp.stuck('lock times') as s(s)),
  'nobody can see how long locks are held: grant pg_read_all_stats to orderlatch_owner', 'and one that cannot see sessions'
);

select * from finish();
rollback;
