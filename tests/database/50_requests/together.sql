-- Accounts for which nothing is due but submits are visited all at once; everything else is left for a visit of its own.
begin;
select plan(38);

select test_support.hold_clock('2026-03-02 15:00:00Z');
select test.given_account(a, '{"max_in_doubt": 100}') from unnest('{a,b,c,d}'::text[]) as a;
select test.given_worker('a', 'b', 'c', 'd') as worker \gset
select test.kinds(:worker);
select test.given_decision_in('in_doubt', :worker, '{"symbol": "DOUBT"}');
update orderlatch_data.doubts set next_lookup_at = orderlatch_data.clock() + interval '1 hour';
select count(test.given_approved_decision(a, jsonb_build_object('symbol', 'S' || n)))
  from unnest('{a,b,c}'::text[]) as a, generate_series(1, 4) as n;

-- What is visited together of a queue of all accounts, three calls for each: {a:3,d:0}. Nothing of it stays.
create function pg_temp.visited(p_worker_id integer, p_before text default 'select 1', p_share integer default 3, p_how_many integer default 100)
returns text[]
language plpgsql
as $$
declare
  v_visited text[];
begin
  execute p_before;
  select coalesce(array_agg(
           a.account || ':' || (select count(*) from unnest(v.granted) as g where g.account = a.account)
             || case when a.account_id = any (v.cut_ids) then '+' else '' end
             || case when a.account_id = any (v.waiting_ids) then '*' else '' end order by a.account
         ), '{}')
    into v_visited
    from orderlatch_data.visit_together(
           p_worker_id, array(select k.account_id from orderlatch_data.accounts as k order by k.account_id),
           array(select p_share from orderlatch_data.accounts as k), p_how_many, 50, '{}', '{}'
         ) as v
    join orderlatch_data.accounts as a on a.account_id = any (v.visited_ids);
  raise exception using errcode = 'ZZ000';
exception when sqlstate 'ZZ000' then
  return v_visited;
end
$$;
select is(pg_temp.visited(:worker), '{a:0,b:3+,c:3+,d:0}', 'while submits back off none is granted');
delete from orderlatch_data.kind_backoffs;
select is(pg_temp.visited(:worker), '{a:3+,b:3+,c:3+,d:0}', 'each gets its share, and is cut where that is used up');
select is(pg_temp.visited(:worker, p_share => 9), '{a:4,b:4,c:4,d:0}', 'and all that is due where its share is larger');
select is(pg_temp.visited(:worker, p_share => 9, p_how_many => 11), '{a:4,b:2+}', 'shares that do not fit are cut, those that come last first');
select is(pg_temp.visited(:worker, p_share => 0), '{}', 'a share of nothing is no visit');

-- What keeps an account out.
update orderlatch_data.doubts set next_lookup_at = orderlatch_data.clock();
select is(pg_temp.visited(:worker), '{b:3+,c:3+,d:0}', 'a lookup that is due keeps an account out');
select is(pg_temp.visited(:worker, s.statement), s.visited, s.title)
  from (
    values
      ($$insert into orderlatch_data.read_wishes (account_id, purpose, reason, due_at)
         values (test.account_id('b'), 'orders', 'tests', orderlatch_data.clock())$$, '{c:3+,d:0}'::text[], 'a read that is due keeps it out'),
      ($$select orderlatch.halt('tests', 'b', p_cancel_open => true)$$, '{c:3+,d:0}', 'orders that may have to be canceled do'),
      ($$insert into orderlatch_data.order_checks (account_id, broker_order_id, reason, next_try_at)
         values (test.account_id('b'), 'x', 'open', orderlatch_data.clock())$$, '{c:3+,d:0}', 'an order to be read alone does'),
      ($$update orderlatch_data.account_agenda set visited_at = orderlatch_data.clock() + interval '1 second'
          where account_id = test.account_id('b')$$, '{c:3+,d:0}', 'a clock that was set back does'),
      ($$update orderlatch_data.worker_accounts set verified_at = null where account_id = test.account_id('b')$$, '{c:3+,d:0}',
       'a worker that is not verified does'),
      ($$update orderlatch_data.open_decisions set wish = 'withdraw' where account_id = test.account_id('b') and symbol = 'S1'$$, '{c:3+,d:0}',
       'a decision to withdraw does'),
      ($$select test_support.advance_clock('1 day')$$, '{d:0}', 'decisions to lapse do'),
      ($$select orderlatch.halt('tests', 'b')$$, '{b:0,c:3+,d:0}', 'a halt does not: nothing is granted'),
      ($$select orderlatch.halt('tests', 'b', null, 'S1')$$, '{b:3+,c:3+,d:0}', 'nor does one of a symbol: the others go'),
      ($$update orderlatch_data.account_states set paused_until = orderlatch_data.clock() + interval '1 second'
          where account_id = test.account_id('b')$$, '{b:0,c:3+,d:0}', 'nor does a pause: nothing is granted'),
      ($$update orderlatch_data.account_budgets set tokens = 51002, reserved = 50000 where account_id = test.account_id('b')$$,
       '{b:3+,c:3+,d:0}', 'a budget above the reserve is spent'),
      ($$update orderlatch_data.account_budgets set tokens = 50002, reserved = 50000 where account_id = test.account_id('b')$$,
       '{b:2,c:3+,d:0}', 'as far as it goes'),
      -- less urgent calls wait for tokens that submits leave, or that are whole in the reserve
      ($$update orderlatch_data.account_budgets set tokens = 2.5, reserved = 0.5 where account_id = test.account_id('b');
         select orderlatch.reconcile_account('b', 'tests')$$, '{b:2,c:3+,d:0}', 'a read waits while submits take every token'),
      ($$update orderlatch_data.account_budgets set tokens = 2.5, reserved = 1 where account_id = test.account_id('b');
         select orderlatch.reconcile_account('b', 'tests')$$, '{c:3+,d:0}', 'unless the reserve has a whole one'),
      ($$update orderlatch_data.account_budgets set tokens = 0.9, reserved = 0.5 where account_id = test.account_id('b');
         select orderlatch.reconcile_account('b', 'tests')$$, '{c:3+,d:0}', 'where submits have none the account is visited by itself'),
      ($$update orderlatch_data.account_budgets set tokens = 3.5, reserved = 0.5 where account_id = test.account_id('b');
         select orderlatch.halt('tests', 'b', null, 'S1'), orderlatch.halt('tests', 'b', null, 'S2');
         select orderlatch.reconcile_account('b', 'tests')$$, '{b:2*,c:3+,d:0}', 'what submits leave is for the read, in a visit of its own'),
      ($$update orderlatch_data.account_budgets set tokens = 50000, reserved = 50000 where account_id = test.account_id('b')$$,
       '{b:0,c:3+,d:0}', 'and the reserve is kept')
  ) as s(statement, visited, title);

-- Slots that some have no use for go to those whose shares did not fit; a visit by itself finds its own.
create function pg_temp.dealt(p_worker_id integer, p_shares integer[], p_how_many integer)
returns text[]
language plpgsql
as $$
declare
  v_dealt text[];
begin
  update orderlatch_data.doubts set next_lookup_at = orderlatch_data.clock();
  select array_agg(k.account || ':' || k.kind || '=' || k.calls order by k.account, k.kind) into v_dealt
    from (
      select g.account, g.kind, count(*) as calls
        from orderlatch_data.visit_accounts(
               p_worker_id, array(select a.account_id from orderlatch_data.accounts as a order by a.account_id desc),
               p_shares, p_how_many, 50, true, '{}', '{}', '{}'
             ) as v
       cross join unnest(v.granted) as g
       group by g.account, g.kind
    ) as k;
  raise exception using errcode = 'ZZ000';
exception when sqlstate 'ZZ000' then
  return v_dealt;
end
$$;
select is(pg_temp.dealt(:worker, '{3,4,4,4}', 11), '{a:find_order=1,a:submit_order=2,b:submit_order=4,c:submit_order=4}',
          'three slots of the idle account are for the one whose share did not fit');
select is(pg_temp.dealt(:worker, '{1,1,1,1}', 3), '{a:find_order=1,b:submit_order=1,c:submit_order=1}',
          'a lookup finds a slot, although submits would take every one');

-- None is held that the claim does not get to: three have a read to make, and two may be visited.
create function pg_temp.held(p_worker_id integer) returns bigint language plpgsql as $$
declare
  v_held bigint;
begin
  perform orderlatch.reconcile_account(a.account, 'tests') from orderlatch_data.accounts as a where a.account <> 'd';
  select v.held into v_held
    from orderlatch_data.visit_in_rounds(
           p_worker_id, array(select a.account_id from orderlatch_data.accounts as a order by a.account_id), '{1,1,1,1}', 100, 2,
           '{}', '{}'
         ) as v;
  raise exception using errcode = 'ZZ000';
exception when sqlstate 'ZZ000' then
  return v_held;
end
$$;
select is(pg_temp.held(:worker), 2::bigint, 'a claim holds no more accounts than it may visit');

-- What it leaves behind.
create temporary table queue as select array_agg(a.account_id order by a.account_id) as ids from orderlatch_data.accounts as a;
select orderlatch.reconcile_account('c', 'tests');
insert into orderlatch_data.account_wakes (account_id) select unnest(q.ids) from queue as q;
create temporary table visits as
  select i.account_id from queue as q,
         orderlatch_data.visit_together(:worker, q.ids, '{3,3,3,3}', 100, 50, '{}', q.ids) as v,
         unnest(v.visited_ids) as i(account_id);
select is((select array_agg(a.account order by a.account) from orderlatch_data.account_wakes as w
             join orderlatch_data.accounts as a on a.account_id = w.account_id), '{a,c}',
          'what woke those that were not visited is still there');
select is((select array_agg(a.account order by a.account) from visits as v
             join orderlatch_data.accounts as a on a.account_id = v.account_id), '{b,d}', 'the others were visited');
select is((select extract(epoch from g.due_at - orderlatch_data.clock())::numeric(9, 3)
             from orderlatch_data.account_agenda as g where g.account_id = test.account_id('b')), 0.000, 'one that was cut is due again at once');
select is((select k.tokens from orderlatch_data.account_budgets as k where k.account_id = test.account_id('b')),
          499996::double precision, 'it has paid for its calls, and for the one that asked who it is');
select is((select count(*) from orderlatch_data.open_requests as r where r.account_id = test.account_id('b')), 3::bigint, 'which are on their way');
select is((select array_agg(distinct c.account order by c.account) from test.claim(:worker) as c), '{a,b,c}', 'a claim gets to all of them');
select is(test.broken_promises(), '{}', 'no promise is broken');

-- Where submits leave a token for something else, but the claim visits no more accounts, the next claim gets to it at once.
select test.record(test.answer_order(r.request_id)) from orderlatch_data.open_requests as r where r.kind = 'submit_order';
update orderlatch_data.account_budgets set tokens = 3.5, reserved = 0.5, counted_at = orderlatch_data.clock() where account_id = test.account_id('c');
delete from orderlatch_data.open_requests as r where r.account_id = test.account_id('c') and r.kind <> 'submit_order';
select test.given_approved_decision('c', '{"symbol": "T1"}');
select orderlatch.reconcile_account('c', 'tests');
select is((select array_agg(cardinality(v.granted) || ' ' || (v.waiting_ids = array[test.account_id('c')]))
             from orderlatch_data.visit_together(:worker, array[test.account_id('c')], '{3}', 3, 1, '{}', '{}') as v), '{"1 true"}', 'one submit leaves a token');
select ok((select g.due_at <= orderlatch_data.clock() from orderlatch_data.account_agenda as g where g.account_id = test.account_id('c')), 'the account is due');

-- A visit that could not write the mark has left a row since the claim looked for such rows: nobody goes by the mark.
select test.given_approved_decision('d', '{"symbol": "ONE"}');
select test.claim(:worker);
select test.given_approved_decision('d', '{"symbol": "ONE"}');
update orderlatch_data.account_agenda set answers_from = 'infinity' where account_id = test.account_id('d');
insert into orderlatch_data.account_wakes (account_id) values (test.account_id('d'));
select is((select v.visited_ids = array[test.account_id('d')] and v.granted = '{}'
             from orderlatch_data.visit_together(:worker, array[test.account_id('d')], '{3}', 3, 1, '{}', '{}') as v), true,
          'the first of its symbol is on its way, although it is to be answered before the mark');
select is((select g.answers_from from orderlatch_data.account_agenda as g where g.account_id = test.account_id('d')),
          (select min(r.answer_by) from orderlatch_data.open_requests as r where r.account_id = test.account_id('d')),
          'the mark is where it should be');
select is((select count(*) from orderlatch_data.account_wakes as w where w.account_id = test.account_id('d')), 1::bigint,
          'and the account is due again');

select * from finish();
rollback;
