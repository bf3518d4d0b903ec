-- An answer that is delivered again changes nothing, unless it now brings a fact.
begin;
select plan(22);

select test_support.hold_clock('2026-03-02 15:00:00Z');
select test.given_account('paper', '{"max_in_doubt": 100}');
select test.given_worker() as worker \gset

-- Everything that an answer could change, in one value.
create function pg_temp.world() returns text language sql volatile as $$
  select md5(concat(
    (select jsonb_agg(to_jsonb(o) order by o.decision_id) from orderlatch_data.open_decisions as o),
    (select jsonb_agg(to_jsonb(o) order by o.decision_id) from orderlatch_data.decision_outcomes as o),
    (select jsonb_agg(to_jsonb(d) order by d.decision_id) from orderlatch_data.doubts as d),
    (select jsonb_agg(to_jsonb(e) order by e.event_id) from orderlatch_data.decision_events as e),
    (select jsonb_agg(to_jsonb(r) order by r.request_id) from orderlatch_data.broker_responses as r),
    (select jsonb_agg(to_jsonb(r) order by r.request_id) from orderlatch_data.open_requests as r),
    (select jsonb_agg(to_jsonb(x) order by x.order_no) from orderlatch_data.broker_orders as x),
    (select jsonb_agg(to_jsonb(i) order by i.incident_id) from orderlatch_data.incidents as i),
    (select jsonb_agg(to_jsonb(h) order by h.halt_id) from orderlatch_data.halts as h),
    (select jsonb_agg(to_jsonb(k) order by k.kind) from orderlatch_data.kind_backoffs as k),
    (select jsonb_agg(to_jsonb(s)) from orderlatch_data.account_states as s),
    (select jsonb_agg(to_jsonb(s) order by s.read_id) from orderlatch_data.broker_reads as s)
  ))
$$;
create temporary table answers (no integer, answer jsonb, meaning text, decision_hash text);
insert into answers (no, decision_hash)
select n, test.given_submitting_decision(:worker, jsonb_build_object('symbol', 'S' || n)) from generate_series(1, 8) as n;
update answers as a set answer = case a.no
  when 1 then test.answer_order(test.holder(a.decision_hash))
  when 2 then test.answer_error(test.holder(a.decision_hash), 403, 40310000, 'insufficient buying power')
  when 3 then test.answer_not_sent(test.holder(a.decision_hash))
  when 4 then test.answer_maybe(test.holder(a.decision_hash))
  when 5 then test.answer_error(test.holder(a.decision_hash), 422, 40010001, 'client_order_id must be unique')
  when 6 then test.answer_error(test.holder(a.decision_hash), 401, null, 'unauthorized.')
  when 7 then test.answer_error(test.holder(a.decision_hash), 429, 42910000, 'rate limit exceeded')
  when 8 then test.answer_order(test.holder(a.decision_hash), '{"side": "sell"}') end;
update answers as a set meaning = test.record(a.answer);
select is((select array_agg(a.meaning order by a.no) from answers as a),
          '{order_exists,refused,not_sent,in_doubt,duplicate,unauthorized,throttled,order_mismatch}',
            'eight answers, eight meanings');
select pg_temp.world() as world \gset
select test_support.advance_clock('3 seconds');
select is(test.record(a.answer), a.meaning, format('said again, it is still %s', a.meaning)) from answers as a order by a.no;
select is(pg_temp.world(), :'world', 'and nothing has changed');
select is((select array_agg(r.meaning order by r.answer_no) from orderlatch.record_responses(
             (select jsonb_agg(a.answer order by a.no) from answers as a) || (select jsonb_agg(a.answer order by a.no)
                         from answers as a)) as r),
          (select array_agg(a.meaning order by n, a.no) from answers as a, generate_series(1, 2) as n),
           'nor when it is said twice in one batch');
select is(pg_temp.world(), :'world', 'not even a little');

-- The first of two in one batch counts.
select test_support.advance_clock('1 day');
select orderlatch.lift_halt(h.halt_id, 'tests') from orderlatch_data.halts as h;
select test.given_approved_decision('paper', '{"symbol": "TWICE"}') as twice \gset
select count(*) from test.claim(:worker);
select is((select array_agg(r.meaning order by r.answer_no) from orderlatch.record_responses(
             jsonb_build_array(test.answer_not_sent(test.holder(:'twice')), test.answer_maybe(test.holder(:'twice')))) as r),
          '{not_sent,not_sent}', 'a second, other answer to one request is not taken');
select is(test.status(:'twice'), 'approved', 'the first one stands');

-- Delivered again with the order that the first time was missing.
select test.record(test.answer_order(test.holder(a.decision_hash))) from answers as a where a.no = 4;
select is((select test.status(a.decision_hash) from answers as a where a.no = 4), 'submitted',
          'an order that an answer brings only the second time exists');
select is((select r.meaning from orderlatch_data.broker_responses as r
            join answers as a on r.request_id = test.holder(a.decision_hash) where a.no = 4),
          'in_doubt', 'what was recorded first stays as it was');
select is((select test.record(test.answer_order(test.holder(a.decision_hash))) from answers as a where a.no = 2), 'order_exists',
          'even after a refusal');
select is((select test.status(a.decision_hash) from answers as a where a.no = 2), 'submitted', 'the fact counts');
select is(test.halts(), '{order_despite_verdict}', 'and is looked into');

-- A mismatch that a person has dealt with is not opened again by saying it again.
select orderlatch.lift_halt(h.halt_id, 'tests') from orderlatch_data.halts as h where h.lifted_at is null;
select a.decision_hash as odd, a.answer as odd_answer from answers as a where a.no = 8 \gset
select orderlatch.resolve_in_doubt(:'odd', 'absent', '{"note": "not ours"}') as resolved \gset
select is(test.record(:'odd_answer'), 'order_mismatch', 'an order with other terms, said again after it was declared absent');
select is(test.status(:'odd') = :'resolved' and test.halts() = '{}', true, 'changes nothing');
select is(test.broken_promises(), '{}', 'no promise is broken');

select * from finish();
rollback;
