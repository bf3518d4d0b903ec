-- Arrays of decisions: one row for each element, in input order, and a bad element costs only itself.
begin;
select plan(21);

select test_support.hold_clock('2026-03-02 15:00:00Z');
select test.given_account();

create temporary table batch as
  select jsonb_build_array(
           test.a_decision('{"leg": "a", "event_ts": "2026-03-02T14:00:00Z"}'),
           '"no object"'::jsonb,
           test.a_decision('{"leg": "b", "event_ts": "2026-03-02T14:00:00Z", "limit_prise": "1"}'),
           test.a_decision('{"leg": "a", "event_ts": "2026-03-02T14:00:00Z"}'),
           test.a_decision('{"leg": "a", "event_ts": "2026-03-02T14:00:00Z", "qty": "11"}'),
           test.a_decision('{"leg": "c", "event_ts": "2026-03-02T14:00:00Z", "order_type": "limit"}'),
           'null'::jsonb,
           test.a_decision('{"leg": "d", "event_ts": "2026-03-02T14:00:00Z"}')
         ) as decisions;

select results_eq(
  $$ select p.input_no, p.decision_id is not null, p.decision_hash is not null, p.status, p.outcome, p.reasons, p.error_code
       from batch as b, orderlatch.propose_decisions('paper', b.decisions) as p $$,
  $$ values
       (1, true, true, 'approved', 'created', '{}'::text[], null),
       (2, false, false, null, 'invalid', null, 'OL110'),
       (3, false, false, null, 'invalid', null, 'OL111'),
       (4, true, true, 'approved', 'existing', '{}', null),
       (5, true, true, 'rejected', 'conflict', '{signal_already_decided}', null),
       (6, true, true, 'rejected', 'created', '{invalid_order:missing_limit_price}', null),
       (7, false, false, null, 'invalid', null, 'OL110'),
       (8, true, true, 'approved', 'created', '{}', null) $$,
  'each element has its own row and its own fate, in input order'
);
select results_eq(
  $$ select p.input_no, p.status, p.outcome, p.error_code
       from batch as b, orderlatch.propose_decisions('paper', b.decisions) as p $$,
  $$ values
       (1, 'approved', 'existing', null), (2, null, 'invalid', 'OL110'), (3, null, 'invalid', 'OL111'),
       (4, 'approved', 'existing', null), (5, 'rejected', 'existing', null), (6, 'rejected', 'existing', null),
       (7, null, 'invalid', 'OL110'), (8, 'approved', 'existing', null) $$,
  'the same array again finds what it recorded'
);
select results_eq(
  'select d.leg, d.qty from orderlatch_data.trade_decisions as d order by d.decision_id',
  $$ values ('a', 10::numeric), ('a', 11), ('c', 10), ('d', 10) $$,
  'decisions are numbered in input order, and bad elements leave nothing behind'
);
select results_eq(
  $$ select d.leg
       from orderlatch_data.open_decisions as o
       join orderlatch_data.trade_decisions as d on d.decision_id = o.decision_id
      order by o.approval_no $$,
  $$ values ('a'), ('d') $$, 'decisions are approved in input order'
);
select matches(
  (select p.error_message from batch as b, orderlatch.propose_decisions('paper', b.decisions) as p where p.input_no = 3),
  'limit_prise', 'the message of a bad element names the member'
);
select results_eq(
  $$ select v.verdict, v.reasons, v.inputs
       from orderlatch_data.risk_verdicts as v
       join orderlatch_data.trade_decisions as d on d.decision_id = v.decision_id and d.qty = 11 $$,
  $$ select 'rejected', '{signal_already_decided}'::text[],
            jsonb_build_object('live_decision', encode(d.decision_hash, 'hex'))
       from orderlatch_data.trade_decisions as d where d.leg = 'a' and d.qty = 10 $$,
  'the verdict on a conflict names the decision that holds the signal'
);

-- The other way round: the order of input decides which of two is live.
select results_eq(
  $$ select p.outcome, p.status
       from orderlatch.propose_decisions('paper', jsonb_build_array(
              test.a_decision('{"event_ts": "2026-03-02T13:00:00Z", "qty": "11"}'),
              test.a_decision('{"event_ts": "2026-03-02T13:00:00Z", "qty": "10"}'),
              test.a_decision('{"event_ts": "2026-03-02T13:00:00Z", "qty": "10"}')
            )) as p $$,
  $$ values ('created', 'approved'), ('conflict', 'rejected'), ('existing', 'rejected') $$,
  'of two decisions for one signal the first in the array is live'
);

-- Sizes.
select is_empty(
  $$ select p.input_no from orderlatch.propose_decisions('paper', '[]') as p $$, 'an empty array is answered with no row'
);
create temporary table thousand as
  select jsonb_agg(test.a_decision(jsonb_build_object('leg', n::text))) as decisions from generate_series(1, 1000) as n;
select results_eq(
  $$ select p.outcome, p.status, count(*), min(p.input_no), max(p.input_no)
       from thousand as t, orderlatch.propose_decisions('paper', t.decisions) as p
      group by p.outcome, p.status $$,
  $$ values ('created', 'approved', 1000::bigint, 1, 1000) $$, 'an array of 1000 elements is taken whole'
);
select throws_ok(
  $$ select p.input_no
       from thousand as t, orderlatch.propose_decisions('paper', t.decisions || jsonb_build_array(test.a_decision())) as p $$,
  'OL134', null, 'an array of 1001 elements is refused'
);
select throws_ok(
  format('select p.input_no from orderlatch.propose_decisions(%L, %s) as p', c.account, c.decisions),
  c.code, null, c.title
)
  from (
    values
      ('paper', $$'{}'$$, 'OL131', 'an object is no array of decisions'),
      ('paper', 'null', 'OL131', 'null is no array of decisions'),
      ('paper', $$'"x"'$$, 'OL131', 'a text is no array of decisions'),
      ('nobody', $$'[]'$$, 'OL102', 'an unknown account takes no array')
  ) as c(account, decisions, code, title);
select throws_ok(
  $$ select p.input_no from orderlatch.propose_decisions(null, '[]') as p $$, 'OL102', null, 'null names no account'
);
select is((select count(*) from orderlatch_data.trade_decisions), 1006::bigint, 'a refused call leaves nothing behind');

-- Locks that a redelivery takes: the account for judging, and only decisions that may move by it.
create function pg_temp.decision_locks()
returns bigint
language sql
as $$
  select count(*)
    from pg_locks as l
   where l.pid = pg_backend_pid() and l.locktype = 'advisory' and l.classid = orderlatch_data.lock_class('decision')::oid
$$;
create temporary table held as select pg_temp.decision_locks() as locks;
select ok(h.locks < 10, 'new and settled decisions are recorded without locks of their own') from held as h;
select p.input_no from thousand as t, orderlatch.propose_decisions('paper', t.decisions) as p where p.input_no = 0;
select is(pg_temp.decision_locks(), h.locks, 'approved decisions that are delivered again are not locked') from held as h;
create temporary table planned as
  select test.a_decision('{"event_ts": "2026-03-02T12:00:00Z"}') as decision;
select is(
  (select p.status from planned as d, orderlatch.ensure_decision('paper', d.decision) as p), 'planned',
  'ensure_decision leaves a decision planned'
);
select results_eq(
  $$ select p.outcome, p.status from planned as d, orderlatch.propose_decisions('paper', jsonb_build_array(d.decision)) as p $$,
  $$ values ('existing', 'approved') $$, 'proposing a planned decision judges it'
);
select is(pg_temp.decision_locks(), h.locks + 1, 'a planned decision is locked before it is judged') from held as h;

select * from finish();
rollback;
