-- Advisory locks: which keys are taken, in which class, and that none outlives its transaction.
select test.given_account() \g /dev/null
create temporary table known as
  select test.given_decision() as decision_hash, test.given_approved_decision() as approved_hash, test.a_decision() as decision,
         test.given_worker() as worker_id;
alter table known add column request_id uuid;
-- a call without a decision, on its way
update known set request_id = (test.claim_one(test.given_stranger(), 'get_account')).request_id;

begin;
select plan(29);

-- Held by this transaction; the session lock of each worker's life is another matter.
create function pg_temp.held()
returns setof text
language sql
as $$
  select format('%s %s %s', c.name, l.objid::bigint::bit(32)::integer, case l.mode when 'ExclusiveLock' then 'alone' else 'shared' end)
    from pg_locks as l
    join unnest('{judging,shutting,gate,granting,answering,decision,agenda}'::text[]) as c(name)
      on l.classid = orderlatch_data.lock_class(c.name)::oid
   where l.locktype = 'advisory' and l.objsubid = 2 and l.pid = pg_backend_pid()
     and l.database = (select d.oid from pg_database as d where d.datname = current_database())
$$;

select results_eq(
  $$ select orderlatch_data.lock_class(c.name)
       from unnest('{worker,judging,shutting,gate,granting,answering,decision,agenda,following}'::text[]) with ordinality as c(name, place)
      order by c.place $$,
  'values (20300), (20301), (20306), (20305), (20302), (20303), (20304), (20308), (20309)', 'each class has its own number'
);
select is(orderlatch_data.lock_class('nothing'), null, 'there is no other class');

select is(
         orderlatch_data.decision_lock_key(decode(c.decision_hash, 'hex')), c.lock_key,
         format('the key of %s… is %s', left(c.decision_hash, 8), c.lock_key)
       )
  from (
    values (repeat('00', 32), 0), ('00000001' || repeat('ff', 28), 1), ('7fffffff' || repeat('00', 28), 2147483647),
           ('80000000' || repeat('00', 28), -2147483648), (repeat('ff', 32), -1)
  ) as c(decision_hash, lock_key);

-- Each taker takes what it says.
savepoint fresh;
select orderlatch_data.lock_account('judging', 7);
select orderlatch_data.lock_account('answering', 7);
select set_eq('select held from pg_temp.held() as held', $$ values ('judging 7 alone'), ('answering 7 alone') $$,
              'an account is held for one purpose at a time');
select lives_ok($$ select orderlatch_data.lock_account('judging', 7) $$, 'what is held can be taken again');
rollback to savepoint fresh;
select is_empty('select held from pg_temp.held() as held', 'locks end with their transaction');

select ok(pg_try_advisory_xact_lock(orderlatch_data.lock_class('granting'), 7), 'an account that nobody holds is granted for');
select set_eq('select held from pg_temp.held() as held', $$ values ('granting 7 alone') $$, 'under a class of its own');
rollback to savepoint fresh;

select ok(orderlatch_data.try_lock_decision(-5), 'a decision that nobody holds can be held');
select orderlatch_data.lock_decisions('{3,-1,null,3,2147483647,-2147483648}');
select set_eq(
  'select held from pg_temp.held() as held',
  $$ values ('decision -5 alone'), ('decision -2147483648 alone'), ('decision -1 alone'), ('decision 3 alone'),
            ('decision 2147483647 alone') $$,
  'decisions are held each once, and null is none'
);
rollback to savepoint fresh;
select lives_ok($$ select orderlatch_data.lock_decisions('{}') $$, 'no decision takes no lock');
select lives_ok($$ select orderlatch_data.lock_decisions(null) $$, 'nor does null');
select is_empty('select held from pg_temp.held() as held', 'nothing is held');

-- A halt that the core has set.
create function pg_temp.a_halt() returns bigint language sql volatile as $$
  select orderlatch_data.halt_account(test.account_id(), 'tests');
  select max(h.halt_id) from orderlatch_data.halts as h
$$;

-- What the public functions hold until they commit.
create function pg_temp.held_after(p_statement text)
returns text[]
language plpgsql
as $$
declare
  v_held text[];
begin
  execute p_statement;
  select array_agg(h order by h) into v_held from pg_temp.held() as h;
  raise exception using errcode = 'ZZZZZ', message = coalesce(v_held, '{}')::text;
exception
  when sqlstate 'ZZZZZ' then
    return sqlerrm::text[];
end
$$;
select is(pg_temp.held_after(d.statement), d.held, format('%s holds %s', d.deed, d.held))
  from known as k
 cross join lateral (
   select format('judging %s alone', test.account_id()) as judging, format('granting %s alone', test.account_id()) as granting,
          format('answering %s alone', test.account_id()) as answering,
          format('decision %s alone', orderlatch_data.decision_lock_key(decode(k.decision_hash, 'hex'))) as decision,
          format('decision %s alone', orderlatch_data.decision_lock_key(decode(k.approved_hash, 'hex'))) as approved,
          format('decision %s alone', orderlatch_data.request_lock_key(k.request_id)) as request,
          format('gate %s shared', test.account_id()) as inside, format('agenda %s alone', test.account_id()) as agenda
 ) as l
 cross join lateral (
   values
     ('proposing', format('select orderlatch.propose_decision(%L, %L)', 'paper', k.decision), array[l.agenda, l.judging]),
     ('judging', format('select orderlatch.evaluate_decision(%L)', k.decision_hash), array[l.agenda, l.decision, l.judging]),
     ('withdrawing', format('select orderlatch.withdraw_decision(%L, %L)', k.decision_hash, 'why'), array[l.agenda, l.decision]),
     ('limiting an account', 'select orderlatch.set_limit(''order_quantity'', 1, ''paper'')', array[l.judging]),
    ('limiting all accounts', 'select orderlatch.set_limit(''order_quantity'', 1)', array[l.judging]),
    ('claiming', format('select orderlatch.claim_requests(%s, %L, 10)', k.worker_id, '{paper}'), array[l.agenda, l.approved, 'gate 0 shared', l.inside, l.granting]),
     ('recording a failure', format('select test.record(test.answer_maybe(%L))', k.request_id), array[l.agenda, l.answering, l.request]),
     ('halting an account', 'select orderlatch.halt(''why'', ''paper'')',
      array[format('gate %s alone', test.account_id()), format('shutting %s alone', test.account_id())]),
     ('halting a symbol', 'select orderlatch.halt(''why'', p_symbol => ''GOOG'')', '{gate 0 alone,shutting 0 alone}'),
     ('lifting a halt', 'select orderlatch.lift_halt(pg_temp.a_halt(), ''why'')', array[l.agenda]),
     ('revoking a live grant', 'select orderlatch.revoke_live(''paper'')',
      array[format('gate %s alone', test.account_id()), format('shutting %s alone', test.account_id())]),
     ('asking for a status', format('select orderlatch.decision_status(%L)', k.decision_hash), '{}')
 ) as d(deed, statement, held);

select * from finish();
rollback;
