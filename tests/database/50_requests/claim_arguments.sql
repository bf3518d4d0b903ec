-- A claim that makes no sense is refused with a code of its own, and grants nothing.
begin;
select plan(18);

select test.given_account();
select test.given_account('other');
select test.given_worker() as worker \gset
select test.given_approved_decision() as decision \gset
select orderlatch_data.clock() as now \gset

select throws_ok(format('select orderlatch.claim_requests(%s, %L, %s)', :worker, '{paper}', n.how_many), 'OL131',
                 'argument_invalid: p_how_many must be from 1 to 1000', format('a claim of %s calls is refused', n.how_many))
  from (values ('0'), ('-1'), ('1001'), ('null')) as n(how_many);
select throws_ok(format('select orderlatch.claim_requests(%s, %L, 1)', :worker, n.accounts), 'OL102', null, n.title)
  from (
    values ('{other}', 'an account that the worker did not register is refused'),
           ('{paper,nobody}', 'an account that does not exist is refused, whoever else is named'),
           ('{NULL}', 'an account without a name is refused')
  ) as n(accounts, title);
select throws_ok('select orderlatch.claim_requests(null, ''{paper}'', 1)', 'OL101', null, 'no worker is refused');
select throws_ok('select orderlatch.claim_requests(-7, ''{paper}'', 1)', 'OL101', null,
                 'a worker that nobody registered is refused');

insert into orderlatch_data.workers (worker_name, login, registered_at)
values ('impostor', session_user, orderlatch_data.clock())
returning worker_id as unheld \gset
insert into orderlatch_data.worker_accounts (worker_id, account_id, environment, verified_at)
values (:unheld, test.account_id(), 'paper', orderlatch_data.clock());
select throws_ok(format('select orderlatch.claim_requests(%s, ''{paper}'', 1)', :unheld), 'OL101', null,
                 'a worker whose lock nobody holds is refused');

select test.given_worker() as dead \gset
select test.kill_worker(:dead);
select throws_ok(format('select orderlatch.claim_requests(%s, ''{paper}'', 1)', :dead), 'OL101', null,
                 'a worker whose listening connection has ended is refused');

select test.given_worker() as gone \gset
select orderlatch.release_worker(:gone);
select throws_ok(format('select orderlatch.claim_requests(%s, ''{paper}'', 1)', :gone), 'OL101', null,
                 'a worker that has said goodbye is refused');
select throws_ok(format('select orderlatch.release_worker(%s)', :gone), 'OL101', null, 'a worker says goodbye once');

create role carrier login;
grant orderlatch_worker to carrier;
select test_support.act_as('carrier');
select throws_ok(format('select orderlatch.claim_requests(%s, ''{paper}'', 1)', :worker), 'OL101', null,
                 'a worker that another login registered is refused');
reset session authorization;

select is_empty('select 1 from orderlatch_data.broker_requests as r where r.kind = ''submit_order''', 'nothing was granted');
select is(test.status(:'decision'), 'approved', 'the decision still waits');
select is((select count(*)::integer from orderlatch.claim_requests(:worker, '{}', 1)), 0,
          'a claim for no account grants nothing');
select is((select array_agg(c.kind) from orderlatch.claim_requests(:worker, null, 1) as c), '{submit_order}',
          'a claim for null is one for every account that the worker registered');

select * from finish();
rollback;
