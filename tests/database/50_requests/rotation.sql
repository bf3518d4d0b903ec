-- Claims visit accounts in turn and deal the slots of a worker out fairly, so that none waits behind a busy one.
begin;
select plan(19);

select test_support.hold_clock('2026-03-02 15:00:00Z');
select test.given_account(a, '{"max_in_doubt": 100}') from unnest('{a,b,c}'::text[]) as a;
select test.given_worker('a', 'b', 'c') as worker \gset
select count(test.given_approved_decision(a, jsonb_build_object('symbol', 'S' || n)))
  from unnest('{a,b,c}'::text[]) as a, generate_series(1, 6) as n;

-- How many calls a claim is granted for each account: {a:1,b:1}.
create function pg_temp.dealt(p_worker_id integer, p_how_many integer) returns text[] language sql volatile as $$
  select array_agg(g.account || ':' || g.calls order by g.account)
    from (select c.account, count(*) as calls from test.claim(p_worker_id, p_how_many) as c group by c.account) as g
$$;

-- Rotation.
select is(pg_temp.dealt(:worker, 1), '{a:1}', 'one slot goes to one account');
select is(pg_temp.dealt(:worker, 1), '{b:1}', 'the next to the next');
select is(pg_temp.dealt(:worker, 1), '{c:1}', 'and to the last');
select is(pg_temp.dealt(:worker, 1), '{a:1}', 'before the first comes again');
-- Shares: a has two calls on its way, b and c one each, and there are five slots more.
select is(pg_temp.dealt(:worker, 5), '{a:1,b:2,c:2}', 'free slots make up for those that others hold');
select is(pg_temp.dealt(:worker, 7), '{a:2,b:3,c:2}', 'seven slots for three accounts are two, three and two');
select is(pg_temp.dealt(:worker, 7), '{a:1,c:1}', 'what one has no use for goes to the others');
select is(pg_temp.dealt(:worker, 7), null, 'and then nothing is left');

-- An account that holds every slot does not keep another one waiting when slots fall free.
select count(test.given_approved_decision('a', jsonb_build_object('symbol', 'T' || n))) from generate_series(1, 9) as n;
select is(pg_temp.dealt(:worker, 6), '{a:6}', 'an account that is alone gets every slot');
select count(test.given_approved_decision(a, jsonb_build_object('symbol', 'U' || n)))
  from unnest('{b,c}'::text[]) as a, generate_series(1, 3) as n;
select is(pg_temp.dealt(:worker, 4), '{b:3,c:1}', 'one that holds more than its share waits for those that hold less');
select is(pg_temp.dealt(:worker, 9), '{a:3,c:2}', 'and is served when they have what they want');

-- Another worker's slots are its own.
select test.given_worker('a', 'b', 'c') as other \gset
select count(test.given_approved_decision('a', jsonb_build_object('symbol', 'V' || n))) from generate_series(1, 3) as n;
select is(pg_temp.dealt(:other, 2), '{a:2}', 'what an account holds of one worker''s slots does not count with another''s');

-- Accounts with nothing to do are not visited, and a claim visits 50 of the others.
select test.given_account('m' || n) from generate_series(1, 60) as n;
select test.given_worker(variadic array(select 'm' || n from generate_series(1, 60) as n)) as many \gset
select test.record(test.answer_account(c.request_id, c.account || '-id')) from test.claim(:many, 60) as c;
delete from orderlatch_data.read_wishes;
select test.claim(:many), test.claim(:many);
select is((select cardinality(d.account_ids) from orderlatch_data.due_accounts(:many, null, '{}') as d), 0,
          'an account with nothing to do is not visited');
select count(test.given_approved_decision('m' || n)) from generate_series(1, 60) as n;
create temporary table first_claim as select c.* from orderlatch.claim_requests(:many, null, 100) as c;
select is((select count(distinct c.account) from first_claim as c), 50::bigint, 'a claim visits 50 accounts');
select is((select c.ask_again_ms from first_claim as c where c.request_id is null), 1, 'and says that there are more');
select is((select count(distinct c.account)
             from orderlatch.claim_requests(:many, null, 100) as c
            where not exists (select 1 from first_claim as f where f.account = c.account)),
          10::bigint, 'the next claim comes to them');
select is((select cardinality(d.account_ids) from orderlatch_data.due_accounts(:many, null, '{}') as d), 0, 'then all are served');
select count(test.given_approved_decision('m' || n, jsonb_build_object('symbol', 'W' || s)))
  from generate_series(1, 60) as n, generate_series(1, 2) as s;
select is((select array[count(c.request_id), count(distinct c.account)] from orderlatch.claim_requests(:many, null, 100) as c),
          '{100,50}'::bigint[], 'the slots are dealt to the 50 that are visited, not to all that wait');
select is(test.broken_promises(), '{}', 'no promise is broken');

select * from finish();
rollback;
