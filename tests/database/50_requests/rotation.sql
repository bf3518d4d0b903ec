-- Each claim begins with another account, so that none waits behind a busy one for ever.
begin;
select plan(9);

select test_support.hold_clock('2026-03-02 15:00:00Z');
select test.given_account(a, '{"max_in_doubt": 100}') from unnest('{a,b,c}'::text[]) as a;
select test.given_worker('a', 'b', 'c') as worker \gset
select count(test.given_approved_decision(a, jsonb_build_object('symbol', 'S' || n)))
  from unnest('{a,b,c}'::text[]) as a, generate_series(1, 6) as n;

create temporary table grants (turn integer, accounts text[]);
insert into grants select 1, array_agg(c.account) from test.claim(:worker, 2) as c;
insert into grants select 2, array_agg(c.account) from test.claim(:worker, 2) as c;
insert into grants select 3, array_agg(c.account) from test.claim(:worker, 2) as c;
select set_eq('select g.accounts[1] from grants as g', array['a', 'b', 'c'], 'three claims begin with three accounts');
select is_empty('select 1 from grants as g where g.accounts[1] <> g.accounts[2]',
  'each fills itself from the account that it begins with');
insert into grants select 4, array_agg(c.account) from test.claim(:worker, 2) as c;
select is((select g.accounts from grants as g where g.turn = 4), (select g.accounts from grants as g where g.turn = 1),
          'the fourth begins where the first did');
select results_eq(
  format('select c.account, count(*) from test.claim(%s) as c group by c.account order by c.account', :worker),
  (select format('select a, 6 - (select 2 * count(*) from grants as g where g.accounts[1] = a) from unnest(%L::text[]) as a order by a', '{a,b,c}')),
  'a large claim visits them all');

-- Accounts with nothing to do are not visited, and a claim visits 50 of the others.
select test.given_account('m' || n) from generate_series(1, 60) as n;
select test.given_worker(variadic array(select 'm' || n from generate_series(1, 60) as n)) as many \gset
select test.record(test.answer_account(c.request_id, c.account || '-id')) from test.claim(:many, 60) as c;
delete from orderlatch_data.read_wishes;
select is((select count(*) from orderlatch_data.accounts_in_turn(:many, array(select 'm' || n from generate_series(1, 60) as n), 50)),
          0::bigint, 'an account with nothing to do is not visited');
select count(test.given_approved_decision('m' || n)) from generate_series(1, 60) as n;
create temporary table first_claim as
  select c.* from orderlatch.claim_requests(:many, array(select 'm' || n from generate_series(1, 60) as n), 100) as c;
select is((select count(distinct c.account) from first_claim as c), 50::bigint, 'a claim visits 50 accounts');
select is((select c.ask_again_ms from first_claim as c where c.request_id is null), 100, 'and says that there may be more');
select is((select count(distinct c.account)
             from orderlatch.claim_requests(:many, array(select 'm' || n from generate_series(1, 60) as n), 100) as c
            where not exists (select 1 from first_claim as f where f.account = c.account)),
          10::bigint, 'the next claims come to them');
select is(test.broken_promises(), '{}', 'no promise is broken');

select * from finish();
rollback;
