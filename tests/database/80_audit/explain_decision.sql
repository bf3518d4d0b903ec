-- The whole story of a decision, word for word.
begin;
select plan(7);

select test_support.hold_clock('2026-03-02 15:00:00Z');
select test.given_account('paper', '{"broker_account_id": "paper-id"}');
create temporary table worlds as select test.given_worker() as worker_id;

create function pg_temp.told(p_decision_hash text)
returns setof text
language sql
as $$
  select to_char(e.at at time zone 'UTC', 'MI:SS ') || replace(e.story, session_user, 'TESTER')
    from orderlatch.explain_decision(p_decision_hash) as e
$$;

-- Through doubt: the answer is lost, the order is not there, so it is sent again and found.
create temporary table doubted as
  select test.given_submitting_decision(w.worker_id, '{"qty": "10.50", "order_type": "limit", "limit_price": "190"}') as decision_hash
    from worlds as w;
select test_support.advance_clock('2 seconds');
select test.record(test.answer_maybe(test.holder(d.decision_hash))) from doubted as d;
create temporary table calls as select c.* from worlds as w cross join test.claim(w.worker_id) as c;
select test_support.advance_clock('1 second');
select test.record(test.answer_status(c.request_id, 503, 'upstream connect error')) from calls as c;
-- two answers of absence that count, and the list, each answered a second after it was asked for
select test_support.hold_clock('2026-03-02 15:01:20Z');
create temporary table looks as select c.* from worlds as w cross join test.claim(w.worker_id) as c;
select test_support.advance_clock('1 second');
select test.record(test.answer_absent(l.request_id)) from looks as l;
select test_support.advance_clock('34 seconds');
create temporary table second_looks as select c.* from worlds as w cross join test.claim(w.worker_id) as c;
select test_support.advance_clock('1 second');
select test.record(test.answer_absent(l.request_id)) from second_looks as l;
create temporary table pages as select c.* from worlds as w cross join test.claim_one(w.worker_id, 'list_orders') as c;
select test_support.advance_clock('1 second');
select test.record(test.answer_status(p.request_id, 200, '[]')) from pages as p;
create temporary table submits as select c.* from worlds as w cross join test.claim_one(w.worker_id) as c;
select test_support.advance_clock('1 second');
select test.record(test.answer_order(s.request_id)) from submits as s;

select results_eq(
  format('select t.* from pg_temp.told(%L) as t(line)', d.decision_hash),
  $$ values
       ('00:00 TESTER recorded buy 10.5 GOOG, limit day, for strategy momentum'),
       ('00:00   risk: approved by TESTER'),
       ('00:00 planned became approved: within all limits'),
       ('00:00 approved became submitting: claimed by worker 1'),
       ('00:00   call: POST /v2/orders by worker 1, to begin within 5000 ms'),
       ('00:02   no whole answer after 42 ms: in_doubt (read timeout)'),
       ('00:02 submitting became in_doubt: read timeout'),
       ('00:02   call: GET /v2/orders:by_client_order_id by worker 1, to begin within 5000 ms'),
       ('00:03   answer: HTTP 503 after 42 ms: in_doubt'),
       ('01:20   call: GET /v2/orders:by_client_order_id by worker 1, to begin within 5000 ms'),
       ('01:21   answer: HTTP 404 after 42 ms: absent (order not found for this id)'),
       ('01:55   call: GET /v2/orders:by_client_order_id by worker 1, to begin within 5000 ms'),
       ('01:56   answer: HTTP 404 after 42 ms: absent (order not found for this id)'),
       ('01:56   call: GET /v2/orders by worker 1, to begin within 5000 ms'),
       ('01:57   answer: HTTP 200 after 42 ms: orders_listed'),
       ('01:57 in_doubt became approved: proved absent: to be sent again'),
       ('01:57 approved became submitting: claimed by worker 1'),
       ('01:57   call: POST /v2/orders by worker 1, to begin within 5000 ms'),
       ('01:58   answer: HTTP 200 after 42 ms: order_exists, X-Request-ID 649c5a79da1ab9cb20742ffdada0a7bb'),
       ('01:58 submitting became submitted: the broker has order order-1') $$,
  'a decision that went through doubt tells every verdict, call, answer and move, in order'
)
  from doubted as d;

-- Lost, withdrawn in vain, and an order despite it.
create temporary table lost as
  select test.given_submitting_decision(w.worker_id, '{"qty": null, "notional": "100", "symbol": "MSFT"}') as decision_hash
    from worlds as w;
select test_support.hold_clock('2026-03-02 15:10:00Z');
select test.claim(w.worker_id) from worlds as w;
select orderlatch.withdraw_decision(l.decision_hash, 'second thoughts') from lost as l;
select test_support.advance_clock('1 second');
select orderlatch.resolve_in_doubt(l.decision_hash, 'absent', '{"note": "not on the page"}') from lost as l;
select test_support.advance_clock('1 second');
select test.record(test.answer_order(test.holder(l.decision_hash))) from lost as l;
select results_eq(
  format('select t.* from pg_temp.told(%L) as t(line)', l.decision_hash),
  $$ values
       ('01:58 TESTER recorded buy $100 MSFT, market day, for strategy momentum'),
       ('01:58   risk: approved by TESTER'),
       ('01:58 planned became approved: within all limits'),
       ('01:58 approved became submitting: claimed by worker 1'),
       ('01:58   call: POST /v2/orders by worker 1, to begin within 5000 ms'),
       ('10:00   no answer to submit_order: lost, no_answer_in_time'),
       ('10:00 submitting became in_doubt: lost: no_answer_in_time'),
       ('10:00   call: GET /v2/orders:by_client_order_id by worker 1, to begin within 5000 ms'),
       ('10:01 in_doubt became withdrawn: declared absent by TESTER: second thoughts'),
       ('10:02   answer: HTTP 200 after 42 ms: order_exists, X-Request-ID 649c5a79da1ab9cb20742ffdada0a7bb'),
       ('10:02 withdrawn became submitted: the broker has order order-2'),
       ('10:02   incident: order_despite_verdict') $$,
  'a lost call, an operator''s word, a late answer and the incident are told'
)
  from lost as l;

-- Rejected, and not sent.
create temporary table rejected as
  select p.decision_hash from orderlatch.propose_decision('paper', test.a_decision('{"order_type": "limit", "time_in_force": "ioc"}')) as p;
select results_eq(
  format('select t.* from pg_temp.told(%L) as t(line)', r.decision_hash),
  $$ values
       ('10:02 TESTER recorded buy 10 GOOG, limit ioc, for strategy momentum'),
       ('10:02   risk: rejected by TESTER, invalid_order:missing_limit_price'),
       ('10:02 planned became rejected: invalid_order:missing_limit_price') $$,
  'a rejection tells its reasons'
)
  from rejected as r;
select orderlatch.lift_halt(h.halt_id, 'looked') from orderlatch.standing_halts as h;
create temporary table unsent as select test.given_submitting_decision(w.worker_id, '{"symbol": "AAPL"}') as decision_hash from worlds as w;
select test_support.advance_clock('1 second');
select test.record(test.answer_not_sent(test.holder(u.decision_hash))) from unsent as u;
select results_eq(
  format('select t.* from pg_temp.told(%L) as t(line) offset 5', u.decision_hash),
  $$ values ('10:03   not sent after 42 ms: not_sent (connection refused)'), ('10:03 submitting became approved: connection refused') $$,
  'a call that did not leave is told'
)
  from unsent as u;
select cmp_ok(
  (
    select max(length(e.story))
      from (select d.decision_hash from doubted as d union all select l.decision_hash from lost as l) as h
     cross join orderlatch.explain_decision(h.decision_hash) as e
  ),
  '<=', 100, 'no line is longer than 100 characters'
);

select throws_ok(format('select * from orderlatch.explain_decision(%L)', repeat('0', 64)), 'OL103', null,
                 'a decision that nobody knows has no story');
select throws_ok($$ select * from orderlatch.explain_decision('goog') $$, 'OL131', null, 'nor has what is no hash');

select * from finish();
rollback;
