-- What is on its way, in doubt or waiting, as people read it.
begin;
select plan(25);

select test_support.hold_clock('2026-03-02 15:00:00Z');
select test.given_account(a.account) from unnest('{paper,other}'::text[]) as a(account);
create temporary table worlds as select test.given_worker() as worker_id;

-- in_flight -----------------------------------------------------------------------------------------------------------

select is_empty($$ select f.* from orderlatch.in_flight as f $$, 'nothing is on its way at first');
create temporary table sent as select test.given_submitting_decision(w.worker_id) as decision_hash from worlds as w;
select test_support.advance_clock('1.5 seconds');
select results_eq(
  $$ select f.account, f.kind, f.symbol, f.worker_name, f.worker_id, f.claimed_at, f.age, f.answer_by, f.decision_hash, f.request_id
       from orderlatch.in_flight as f $$,
  $$ select 'paper', 'submit_order', 'GOOG', 'worker', w.worker_id, '2026-03-02 15:00:00Z'::timestamptz, interval '1.5 seconds',
            '2026-03-02 15:00:20Z'::timestamptz, s.decision_hash, test.holder(s.decision_hash)
       from sent as s, worlds as w $$,
  'in_flight shows a call with its worker, its age and when it must be answered'
);
select test.given_stranger('other');
select results_eq(
  $$ select f.kind, f.symbol from orderlatch.in_flight as f $$,
  $$ values ('submit_order', 'GOOG') $$, 'a worker that has claimed nothing shows nothing'
);
select is(test.kinds(k.worker_id), '{get_account}', 'a stranger is asked who it is')
  from orderlatch_data.workers as k
 where k.worker_id <> (select w.worker_id from worlds as w);
select results_eq(
  $$ select f.kind, f.symbol, f.decision_hash is null from orderlatch.in_flight as f $$,
  $$ values ('submit_order', 'GOOG', false), ('get_account', null, true) $$, 'the oldest call comes first, also one of no decision'
);

-- in_doubt ------------------------------------------------------------------------------------------------------------

select is_empty($$ select d.* from orderlatch.in_doubt as d $$, 'a call on its way is not in doubt');
select test.record(test.answer_maybe(test.holder(s.decision_hash), 'connection reset')) from sent as s;
select is_empty($$ select f.* from orderlatch.in_flight as f where f.kind = 'submit_order' $$, 'an answered call is not on its way');
select test_support.advance_clock('2.75 seconds');
select results_eq(
  $$ select d.account, d.symbol, d.action, d.cause, d.age, d.lookups, d.next_lookup_at, d.proof, d.wish, d.decision_hash
       from orderlatch.in_doubt as d $$,
  $$ select 'paper', 'GOOG', 'buy', 'connection reset', interval '2 seconds', 0::smallint,
            '2026-03-02 15:00:01.5Z'::timestamptz, 'looking', null::text, s.decision_hash
       from sent as s $$,
  'in_doubt shows the cause, the age and what is known'
);
select orderlatch.withdraw_decision(s.decision_hash, 'second thoughts') from sent as s;
select is((select d.wish from orderlatch.in_doubt as d), 'second thoughts', 'and the wish to withdraw');

create function pg_temp.proof_when(p_deed text)
returns text
language plpgsql
as $$
begin
  execute 'update orderlatch_data.doubts set ' || p_deed;
  return (select d.proof from orderlatch.in_doubt as d);
end
$$;
select is(pg_temp.proof_when('first_absent_at = in_doubt_at'), 'absent once', 'one answer of absence shows');
select is(
  pg_temp.proof_when('second_absent_at = in_doubt_at'), 'absent twice: the list of orders comes next', 'and what comes after the second'
);
insert into orderlatch_data.broker_reads (account_id, purpose, from_at, after_at, next_page_at)
select test.account_id(), 'proof', c.at, c.at, c.at from orderlatch_data.clock() as c(at);
select is(
  pg_temp.proof_when('read_id = (select max(r.read_id) from orderlatch_data.broker_reads as r)'),
  'reading the list of orders', 'and that the list is read'
);
select is(
  pg_temp.proof_when('duplicate = true'), 'the id is taken: only a found order or an operator ends it', 'after a duplicate no absence ends it'
);
select is(
  pg_temp.proof_when('mismatched = true'),
  'its order has other terms: an operator must adopt it or declare it absent', 'an order with other terms waits for a person'
);

-- waiting -------------------------------------------------------------------------------------------------------------

select test.given_account('waits');
create temporary table deeds (deed_no integer, statement text, waits_for text, title text);
insert into deeds values
  (1, $$ select 1 $$, 'a worker', 'by itself'),
  (2, $$ insert into orderlatch_data.kind_backoffs values
           (test.account_id('waits'), 'submit_order', 1, orderlatch_data.clock(), orderlatch_data.clock() + interval '1 minute') $$,
   'the back-off of its account''s submits', 'when submits of the account failed'),
  (3, $$ update orderlatch_data.open_decisions set next_try_at = orderlatch_data.clock() + interval '1 second'
          where account_id = test.account_id('waits') $$,
   'its back-off', 'when its own submit did not leave'),
  (4, $$ update orderlatch_data.account_states set paused_until = orderlatch_data.clock() + interval '1 second'
          where account_id = test.account_id('waits') $$,
   'the rate limit to reset', 'after a 429'),
  (5, $$ select orderlatch.halt('too wild', 'waits', p_symbol => 'GOOG') $$, 'a halt to be lifted', 'under a halt'),
  (6, $$ update orderlatch_data.open_decisions set lookup_first = true, clean = false
          where account_id = test.account_id('waits') $$,
   'a lookup, after it was throttled', 'when it was throttled itself');
create temporary table one as select test.given_approved_decision('waits') as decision_hash;
create function pg_temp.waits_after(p_statement text)
returns text
language plpgsql
as $$
begin
  execute p_statement;
  return (select v.waits_for from orderlatch.waiting as v where v.account = 'waits');
end
$$;
select is(pg_temp.waits_after(d.statement), d.waits_for, format('an approved decision waits for %s %s', d.waits_for, d.title))
  from (select d.* from deeds as d order by d.deed_no) as d;

select test.given_account('live', '{}', 'live');
select test.given_approved_decision('live');
select is(
  (select v.waits_for from orderlatch.waiting as v where v.account = 'live'), 'a live grant', 'in a live account it waits for a live grant'
);
select orderlatch.grant_live('live', '1 minute', 'the open');
select is((select v.waits_for from orderlatch.waiting as v where v.account = 'live'), 'a worker', 'and with one for a worker');

select test.given_account('outside', '{"risk_engine": "external"}');
select test.given_decision('outside');
select test.given_account('queue');
select test.given_approved_decision('queue', '{"strategy_id": "first"}');
select test.given_approved_decision('queue', '{"strategy_id": "second"}');
select test.given_decision('queue', '{"strategy_id": "third"}');
select results_eq(
  $$ select v.account, v.strategy_id, v.status, v.waits_for
       from orderlatch.waiting as v
      where v.account in ('outside', 'queue') $$,
  $$ values ('outside', 'momentum', 'planned', 'the external risk engine'),
            ('queue', 'first', 'approved', 'a worker'),
            ('queue', 'second', 'approved', 'an earlier decision of its symbol'),
            ('queue', 'third', 'planned', 'a verdict') $$,
  'within a symbol the one approved first is sent first'
);
select orderlatch.halt('first is wild', 'queue', 'first');
select results_eq(
  $$ select v.strategy_id, v.waits_for from orderlatch.waiting as v where v.account = 'queue' and v.status = 'approved' $$,
  $$ values ('first', 'a halt to be lifted'), ('second', 'a worker') $$,
  'a decision that is halted holds back no other of its symbol'
);
create temporary table turns as select c.request_id from test.claim_one(test.given_worker('queue')) as c;
select is(
  (
    select t.strategy_id
      from turns as c
      join orderlatch_data.broker_requests as r on r.request_id = c.request_id
      join orderlatch_data.trade_decisions as t on t.decision_id = r.decision_id
  ),
  'second', 'and a worker sends what the view says that it waits for'
);

select * from finish();
rollback;
