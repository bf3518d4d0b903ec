-- The whole story of a decision, word for word.
begin;
select plan(14);

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
       ('00:00   limit $190, seen at $190.25'),
       ('00:00   risk: approved by TESTER'),
       ('00:00   limit 1, opposite_order: applied'),
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
       ('01:57   in doubt for 00:01:55: lookups 3, of them absent 2, pages of orders 1'),
       ('01:57   evidence: {"pages": 1, "orders_read_at": "2026-03-02T15:01:56+00:00", "first_absent_at": "2026-03'),
       ('01:57 approved became submitting: claimed by worker 1'),
       ('01:57   call: POST /v2/orders by worker 1, to begin within 5000 ms'),
       ('01:58   answer: HTTP 200 after 42 ms: order_exists, X-Request-ID 649c5a79da1ab9cb20742ffdada0a7bb'),
       ('01:58 submitting became submitted: the broker has order order-1'),
       ('01:58   the order order-1 is accepted'),
       ('01:58 verified: its 7 events, and what is behind them, are what was written') $$,
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
       ('01:58   seen at $190.25'),
       ('01:58   risk: approved by TESTER'),
       ('01:58   limit 1, opposite_order: applied'),
       ('01:58 planned became approved: within all limits'),
       ('01:58 approved became submitting: claimed by worker 1'),
       ('01:58   call: POST /v2/orders by worker 1, to begin within 5000 ms'),
       ('10:00   no answer to submit_order: lost, no_answer_in_time'),
       ('10:00 submitting became in_doubt: lost: no_answer_in_time'),
       ('10:00   call: GET /v2/orders:by_client_order_id by worker 1, to begin within 5000 ms'),
       ('10:01 in_doubt became withdrawn: declared absent by TESTER: second thoughts'),
       ('10:01   in doubt for 00:00:01: lookups 1, of them absent 0, pages of orders 0'),
       ('10:01   signed by TESTER: {"note": "not on the page"}'),
       ('10:02   answer: HTTP 200 after 42 ms: order_exists, X-Request-ID 649c5a79da1ab9cb20742ffdada0a7bb'),
       ('10:02 withdrawn became submitted: the broker has order order-2'),
       ('10:02   incident: order_despite_verdict'),
       ('10:02   the order order-2 is accepted'),
       ('10:02 verified: its 6 events, and what is behind them, are what was written') $$,
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
       ('10:02   seen at $190.25'),
       ('10:02   risk: rejected by TESTER, invalid_order:missing_limit_price'),
       ('10:02   limit 1, opposite_order: applied'),
       ('10:02 planned became rejected: invalid_order:missing_limit_price'),
       ('10:02 verified: its 2 events, and what is behind them, are what was written') $$,
  'a rejection tells its reasons'
)
  from rejected as r;
select orderlatch.lift_halt(h.halt_id, 'looked') from orderlatch.standing_halts as h;
create temporary table unsent as select test.given_submitting_decision(w.worker_id, '{"symbol": "AAPL"}') as decision_hash from worlds as w;
select test_support.advance_clock('1 second');
select test.record(test.answer_not_sent(test.holder(u.decision_hash))) from unsent as u;
select results_eq(
  format('select t.* from pg_temp.told(%L) as t(line) offset 7', u.decision_hash),
  $$ values
       ('10:03   not sent after 42 ms: not_sent (connection refused)'),
       ('10:03 submitting became approved: connection refused'),
       ('10:03 verified: its 4 events, and what is behind them, are what was written') $$,
  'a call that did not leave is told'
)
  from unsent as u;

-- A long life: limits of every kind, an order that fills in part, is canceled by a person, and whose fill is busted.
select orderlatch.lift_halt(h.halt_id, 'looked') from orderlatch.standing_halts as h;
select test.given_mirrored_account('traded', '{"reconcile_from": "2026-03-02T14:00:00Z"}');
create temporary table traders as select test.given_worker('traded') as worker_id;
select test.serve(t.worker_id, '{"orders": [], "fills": [], "positions": []}') from traders as t;
select orderlatch.set_limit('position_quantity', 500, 'traded'), orderlatch.set_limit('order_notional', 25000.50, 'traded'),
       orderlatch.set_symbols('allowed_symbols', '{NVDA,AMD}', 'traded');
create temporary table long_lives as
  select test.given_submitting_decision(t.worker_id, jsonb_build_object(
           'symbol', 'NVDA', 'qty', '20', 'order_type', 'limit', 'limit_price', '120.50', 'reference_price', '121.25',
           'rationale', 'closed above its average of 20 days', 'valid_until', '2026-03-02T16:00:00Z')) as decision_hash
    from traders as t;
select test_support.advance_clock('1 second');
select test.record(test.answer_order(test.holder(l.decision_hash))) from long_lives as l;
select test_support.advance_clock('1 second');
create function pg_temp.book(p_order jsonb, p_fills jsonb)
returns jsonb
language sql
as $$
  select jsonb_build_object(
           'orders', jsonb_build_array(test.order_document(l.decision_hash, p_order)),
           'fills', (select jsonb_agg(test.a_fill(test.order_document(l.decision_hash) ->> 'id', f ->> 'ref', f - 'ref')) from jsonb_array_elements(p_fills) as f),
           'positions', jsonb_build_array(test.a_position('NVDA', '5')))
    from long_lives as l
$$;
select orderlatch.reconcile_account('traded', 'to see it');
select test.serve(t.worker_id, pg_temp.book(
         '{"symbol": "NVDA", "status": "partially_filled", "filled_qty": "5", "filled_avg_price": "120.4", "updated_at": "2026-03-02T15:10:05.5Z"}',
         '[{"ref": "a", "symbol": "NVDA", "type": "partial_fill", "qty": "5", "price": "120.4", "transaction_time": "2026-03-02T15:10:05.5Z"}]'))
  from traders as t;
select test_support.advance_clock('1 second');
select c.outcome from long_lives as l cross join orderlatch.withdraw_decision(l.decision_hash, 'enough', true) as c;
select test_support.advance_clock('1 second');
select test.kinds(t.worker_id) from traders as t;
select test.record(test.answer_status(o.request_id, 204, '')) from orderlatch_data.open_requests as o where o.kind = 'cancel_order';
select test_support.advance_clock('1 second');
select orderlatch.reconcile_account('traded', 'to see its end');
select test.serve(t.worker_id, pg_temp.book(
         '{"symbol": "NVDA", "status": "canceled", "filled_qty": "5", "filled_avg_price": "120.4", "updated_at": "2026-03-02T15:10:07.5Z"}',
         '[{"ref": "a", "symbol": "NVDA", "type": "partial_fill", "qty": "5", "price": "120.4", "transaction_time": "2026-03-02T15:10:05.5Z"}]'))
  from traders as t;
select orderlatch_data.open_incident('order_mismatch', test.account_id('traded'), test.decision_id(l.decision_hash), null, '{}') from long_lives as l;
select test_support.advance_clock('1 second');
select orderlatch.close_incident(i.incident_id, 'asked the broker') from orderlatch.open_incidents as i where i.incident = 'order_mismatch' and i.account = 'traded';
select results_eq(
  format('select t.* from pg_temp.told(%L) as t(line)', v.decision_hash),
  $$ values
       ('10:03 TESTER recorded buy 20 NVDA, limit day, for strategy momentum'),
       ('10:03   because: closed above its average of 20 days'),
       ('10:03   limit $120.5, seen at $121.25, valid until 2026-03-02 16:00:00 UTC'),
       ('10:03   risk: approved by TESTER'),
       ('10:03   limit 2, opposite_order: applied'),
       ('10:03   limit 3, position_quantity: at most 500, with this order 20, without 0'),
       ('10:03   limit 4, order_notional: at most 25000.5'),
       ('10:03   limit 5, allowed_symbols: a list of 2 symbols'),
       ('10:03 planned became approved: within all limits'),
       ('10:03 approved became submitting: claimed by worker 2'),
       ('10:03   call: POST /v2/orders by worker 2, to begin within 5000 ms'),
       ('10:04   answer: HTTP 200 after 42 ms: order_exists, X-Request-ID 649c5a79da1ab9cb20742ffdada0a7bb'),
       ('10:04 submitting became submitted: the broker has order order-5'),
       ('10:05   partial_fill: 5 NVDA at $120.4, order order-5'),
       ('10:06   TESTER asked to cancel order order-5: enough'),
       ('10:07   answer: HTTP 204 after 42 ms: cancel_accepted'),
       ('10:07   call: DELETE /v2/orders/order-5 by worker 2, to begin within 5000 ms'),
       ('10:08   incident: order_mismatch'),
       ('10:08   the order order-5 is canceled, 5 filled at $120.4'),
       ('10:09   incident order_mismatch closed by TESTER: asked the broker'),
       ('10:09 verified: its 4 events, and what is behind them, are what was written') $$,
  'limits with what they counted, calls, fills, a cancel and an incident are told, and that the record is whole'
)
  from long_lives as v;
select cmp_ok(
  (
    select max(length(e.story))
      from (select d.decision_hash from doubted as d union all select l.decision_hash from lost as l union all select v.decision_hash from long_lives as v) as h
     cross join orderlatch.explain_decision(h.decision_hash) as e
  ),
  '<=', 100, 'no line is longer than 100 characters'
);

select throws_ok(format('select * from orderlatch.explain_decision(%L)', repeat('0', 64)), 'OL103', null,
                 'a decision that nobody knows has no story');
select throws_ok($$ select * from orderlatch.explain_decision('goog') $$, 'OL131', null, 'nor has what is no hash');

-- By the first digits of its hash.
select results_eq(
  format('select e.story from orderlatch.explain_decision(%L) as e', left(d.decision_hash, 12)),
  format('select e.story from orderlatch.explain_decision(%L) as e', d.decision_hash), 'twelve digits tell the story of the decision that they name'
)
  from doubted as d;
select throws_ok(
  format('select * from orderlatch.explain_decision(%L)', left(d.decision_hash, 5)), 'OL131',
  'argument_invalid: p_decision_hash must be 6 to 64 lower-case hexadecimal digits', 'five digits are too few')
  from doubted as d;
select throws_ok($$ select * from orderlatch.explain_decision('0000000') $$, 'OL103', null, 'digits that no hash begins with name nothing');
set local session_replication_role = replica;
insert into orderlatch_data.trade_decisions
select (jsonb_populate_record(t, jsonb_build_object('decision_id', 1000 + n, 'decision_hash', '\x' || left(d.decision_hash, 62) || n))).*
  from doubted as d
  join orderlatch_data.trade_decisions as t on encode(t.decision_hash, 'hex') = d.decision_hash
 cross join generate_series(10, 13) as n;
reset session_replication_role;
create function pg_temp.detail_of(p_prefix text)
returns text
language plpgsql
as $$
declare
  v_detail text;
begin
  perform orderlatch.explain_decision(p_prefix);
  return 'no error';
exception
  when sqlstate 'OL136' then
    get stacked diagnostics v_detail = pg_exception_detail;
    return v_detail;
end
$$;
select matches(
  pg_temp.detail_of(left(d.decision_hash, 60)), '^([0-9a-f]{64}, ){3}\.\.\.$', 'digits that five hashes begin with are ambiguous: three of them are named'
)
  from doubted as d;
select lives_ok(format('select * from orderlatch.explain_decision(%L)', d.decision_hash), 'the whole hash never is') from doubted as d;

-- Time passes while a decision is recorded.
create sequence pg_temp.ticks;
grant usage on sequence pg_temp.ticks to public;
create function pg_temp.tick() returns timestamptz language sql volatile security definer as $$
  select c.held_at + nextval('pg_temp.ticks') * interval '1 millisecond' from test_support.clock as c
$$;
create or replace function orderlatch_data.clock() returns timestamptz language plpgsql volatile as 'begin return pg_temp.tick(); end';
select results_eq(
  format(
    'select left(e.story, 17) from orderlatch.explain_decision(%L) as e limit 2',
    test.given_decision('paper', '{"symbol": "PEP", "rationale": "it grew"}')
  ),
  $$ values ('postgres recorded'), ('  because: it gre') $$,
  'what was asked for is told after who asked'
);

select * from finish();
rollback;
