-- Orders that were seen at the broker before their decisions were recorded, as after a restore.
begin;
select plan(13);

select test_support.hold_clock('2026-03-02 15:00:00Z');
select test.given_account();

-- An order of a decision that this database has lost, in the answer to a request that it has lost too.
create function pg_temp.see_order(p_decision jsonb, p_members jsonb default '{}')
returns text
language sql
as $$
  select test.record(
           test.answer_status(
             gen_random_uuid(), 200,
             (
               jsonb_build_object(
                 'id', 'order-of-' || (p_decision ->> 'leg'), 'client_order_id', orderlatch.decision_hash('paper', p_decision),
                 'symbol', 'GOOG', 'side', 'buy', 'type', 'market', 'time_in_force', 'day', 'qty', '10', 'notional', null,
                 'limit_price', null, 'stop_price', null, 'status', 'filled', 'filled_qty', '10',
                 'filled_avg_price', '190.30', 'submitted_at', '2026-03-02T14:31:00Z', 'updated_at', '2026-03-02T14:31:01Z'
               ) || p_members
             )::text
           )
         )
$$;

create temporary table lost as
  select c.leg, test.a_decision(jsonb_build_object('leg', c.leg)) as decision
    from (values ('ensured'), ('proposed'), ('bent')) as c(leg);
select is(pg_temp.see_order(l.decision), 'order_exists', format('the order of the lost decision %s is kept', l.leg))
  from lost as l where l.leg <> 'bent';
select is(pg_temp.see_order(l.decision, '{"qty": "11"}'), 'order_exists', 'an order with other terms is kept too')
  from lost as l where l.leg = 'bent';

select results_eq(
  $$ select e.status, e.outcome from lost as l, orderlatch.ensure_decision('paper', l.decision) as e where l.leg = 'ensured' $$,
  $$ values ('submitted', 'created') $$, 'a decision whose order was seen is submitted as soon as it is recorded'
);
select results_eq(
  $$ select p.status, p.outcome from lost as l, orderlatch.propose_decision('paper', l.decision) as p where l.leg = 'proposed' $$,
  $$ values ('submitted', 'created') $$, 'it is not judged any more when it is proposed'
);
select results_eq(
  $$ select p.status, p.outcome from lost as l, orderlatch.propose_decision('paper', l.decision) as p where l.leg = 'bent' $$,
  $$ values ('in_doubt', 'created') $$, 'a decision whose seen order has other terms is in doubt'
);
select results_eq(
  $$ select d.leg, x.broker_order_id, x.status, x.filled_qty, x.filled_avg_price
       from orderlatch_data.broker_orders as x
       join orderlatch_data.trade_decisions as d on d.decision_id = x.decision_id
      order by d.leg $$,
  $$ values ('ensured', 'order-of-ensured', 'filled', 10::numeric, 190.30), ('proposed', 'order-of-proposed', 'filled', 10, 190.30) $$,
  'each adopted order is an execution'
);
select results_eq(
  $$ select i.incident, i.detail -> 'differences'
       from orderlatch_data.incidents as i
       join orderlatch_data.halts as h on h.account_id = i.account_id and h.reason = i.incident and h.lifted_at is null $$,
  $$ values ('order_mismatch', '{"qty": {"decided": "10", "shown": "11"}}'::jsonb) $$,
  'the order with other terms is an incident that names the difference, and halts the account'
);
create temporary table worker as select test.given_worker() as worker_id;
select is_empty(
  $$ select c.request_id from worker as w, test.claim(w.worker_id) as c where c.kind = 'submit_order' $$,
  'nothing is submitted for them'
);
select results_eq(
  $$ select l.leg, p.outcome, p.status from lost as l, orderlatch.propose_decision('paper', l.decision) as p order by l.leg $$,
  $$ values ('bent', 'existing', 'in_doubt'), ('ensured', 'existing', 'submitted'), ('proposed', 'existing', 'submitted') $$,
  'delivered again they are what they are'
);

-- Who carries another account cannot make a decision of this one look submitted.
select test.given_account('other');
create role stranger login;
grant orderlatch_worker to stranger;
select orderlatch.bind_login('stranger', 'other');
select test.a_decision('{"leg": "stolen"}') as stolen \gset
select jsonb_build_array(test.answer_status(gen_random_uuid(), 200, jsonb_build_object(
         'id', 'no-such-order', 'client_order_id', orderlatch.decision_hash('paper', :'stolen'), 'symbol', 'GOOG', 'side', 'buy',
         'type', 'market', 'time_in_force', 'day', 'qty', '10', 'status', 'filled', 'filled_qty', '10')::text)) as lie \gset
select test_support.act_as('stranger');
select is((select r.meaning from orderlatch.record_responses(:'lie') as r), 'order_exists', 'what a stranger saw is kept');
reset session authorization;
select results_eq(
  format('select p.status, p.outcome from orderlatch.propose_decision(%L, %L) as p', 'paper', :'stolen'),
  $$ values ('approved', 'created') $$, 'but believed of no account that the stranger does not carry'
);
select orderlatch.bind_login('stranger', 'paper');
select results_eq(
  format('select p.status, p.outcome from orderlatch.propose_decision(%L, %L) as p', 'paper', :'stolen'),
  $$ values ('submitted', 'existing') $$, 'once the login carries the account, it is'
);

select * from finish();
rollback;
