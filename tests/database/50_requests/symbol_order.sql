-- Within a symbol submits go out one at a time, in the order of approval; other symbols go on.
begin;
select plan(21);

select test_support.hold_clock('2026-03-02 15:00:00Z');
select test.given_account('paper', '{"max_in_doubt": 100}');
select test.given_worker() as worker \gset
-- recorded first, approved last: the order of approval counts
select test.given_decision() as third \gset
select test.given_approved_decision() as first \gset
select test.given_approved_decision() as second \gset
select orderlatch.evaluate_decision(:'third');
select test.given_approved_decision('paper', '{"symbol": "AAPL"}') as other \gset

create function pg_temp.granted() returns text[] language sql volatile as $$
  select array(select test.decision_of(c.request_id)
     from test.claim((select max(w.worker_id) from orderlatch_data.workers as w)) as c
                where c.kind = 'submit_order')
$$;

select is(pg_temp.granted(), array[:'first', :'other'], 'the first approved of each symbol goes out, first approved first');
select is(pg_temp.granted(), '{}', 'while it is on its way the rest of its symbol waits');
select test.record(test.answer_order(test.holder(:'other')));
select is(pg_temp.granted(), '{}', 'the success of another symbol changes nothing');

-- Not sent: it is in back-off, and still first.
select is(test.record(test.answer_not_sent(test.holder(:'first'))), 'not_sent', 'the call never left');
select is(pg_temp.granted(), '{}', 'a decision in back-off holds its symbol back');
select test_support.advance_clock('1 second');
select is(pg_temp.granted(), array[:'first'], 'and goes first when it is over');

-- In doubt: it holds back its symbol and no other.
select is(test.record(test.answer_maybe(test.holder(:'first'))), 'in_doubt', 'nobody knows');
select test_support.advance_clock('5 minutes');
select test.given_approved_decision('paper', '{"symbol": "AAPL"}') as other \gset
select is(pg_temp.granted(), array[:'other'], 'a decision in doubt holds back its symbol, and no other');
select test.record(test.answer_order(test.holder(:'other')));
select test.record(test.answer_order(r.request_id)) from orderlatch_data.open_requests as r;
select is(test.status(:'first'), 'submitted', 'found, it lets go');
select is(pg_temp.granted(), array[:'second'], 'the next approved goes out');
select is(test.record(test.answer_error(test.holder(:'second'), 403, 40310000, 'insufficient buying power')), 'refused',
          'refused,');
select is(pg_temp.granted(), array[:'third'], 'it makes room too');

-- Throttled: its lookup comes first, and the symbol waits for it.
select test.given_approved_decision() as fourth \gset
select is(test.record(test.answer_error(test.holder(:'third'), 429, 42910000, 'rate limit exceeded')), 'throttled',
          'over the limit');
select test_support.advance_clock('1 minute');
select is(pg_temp.granted(), '{}', 'a decision that was throttled holds its symbol back');
select test.record(test.answer_absent(r.request_id)) from orderlatch_data.open_requests as r;
select is(pg_temp.granted(), array[:'third'], 'until its lookup is answered, and goes first');
select test.record(test.answer_order(test.holder(:'third')));

-- Halted, or lost from sight: a decision that may not be sent does not hold back others.
select test.given_approved_decision('paper', '{"strategy_id": "stopped", "symbol": "X"}') as stopped \gset
select test.given_approved_decision('paper', '{"symbol": "X"}') as free \gset
select orderlatch.halt('tests', 'paper', 'stopped');
select is(pg_temp.granted(), array[:'fourth', :'free'], 'a halted decision lets later ones of its symbol pass');
select test.record(test.answer_order(test.holder(:'free')));
select test.record(test.answer_order(test.holder(:'fourth')));
select orderlatch.lift_halt(h.halt_id, 'tests') from orderlatch_data.halts as h;
select is(pg_temp.granted(), array[:'stopped'], 'and goes when the halt is lifted');
select test.record(test.answer_order(test.holder(:'stopped')));
select test.given_approved_decision('paper', '{"symbol": "X"}') as withdrawn \gset
select test.given_approved_decision('paper', '{"symbol": "X"}') as last \gset
select orderlatch.withdraw_decision(:'withdrawn', 'tests');
select is(pg_temp.granted(), array[:'last'], 'a withdrawn one is out of the way');
select is(test.status(:'third') || ', ' || test.status(:'last'), 'submitted, submitting', 'each goes out once');
select is(
  (select count(*)::integer from orderlatch_data.broker_requests as r where r.kind = 'submit_order'
      and r.decision_id = test.decision_id(:'second')), 1, 'and what was refused is not sent again');
select is(test.broken_promises(), '{}', 'no promise is broken');

select * from finish();
rollback;
