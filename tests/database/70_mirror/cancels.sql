-- An order that is to be canceled is looked at until the broker shows that it has ended; what replaces it is canceled too.
begin;
select plan(39);

select test_support.hold_clock('2026-03-02 16:00:00Z');
select test.given_mirrored_account('paper', '{"reconcile_from": "2026-03-02T14:00:00Z", "reconcile_every": "1 hour", "positions_every": "1 hour", "max_in_doubt": 100, "lookup_first_wait": "1 second"}');
select test.given_worker() as worker \gset
select test.serve(:worker, '{}');
create function pg_temp.given(p_symbol text, p_id text) returns text language plpgsql as $$
declare
  v_decision constant text := test.given_submitting_decision(1, jsonb_build_object('symbol', p_symbol));
begin
  perform test.record(test.answer_status(test.holder(v_decision), 200, pg_temp.shown(v_decision, p_id, 'new')::text));
  return v_decision;
end
$$;
create function pg_temp.shown(p_decision text, p_id text, p_status text, p_members jsonb default '{}') returns jsonb language sql volatile as $$
  select test.order_document(p_decision, jsonb_build_object('id', p_id, 'status', p_status, 'updated_at', orderlatch_data.canonical_time(orderlatch_data.clock())) || p_members)
$$;
create function pg_temp.cancel(p_id text) returns orderlatch_data.order_cancels language sql volatile as $$
  select c.* from orderlatch_data.order_cancels as c where c.broker_order_id = p_id
$$;
create function pg_temp.state(p_id text) returns text language sql volatile as $$
  select c.state from orderlatch.cancels as c where c.broker_order_id = p_id
$$;
-- The calls that are due, as method and path.
create function pg_temp.due() returns text[] language sql volatile as $$
  select coalesce(array_agg(c.method || ' ' || c.path), '{}') from test.claim(1) as c
$$;
create function pg_temp.answer(p_kind text, p_id text, p_status integer, p_body text) returns text language sql volatile as $$
  select test.record(test.answer_status(o.request_id, p_status, p_body))
    from orderlatch_data.open_requests as o join orderlatch_data.broker_requests as q on q.request_id = o.request_id
   where q.kind = p_kind and q.broker_order_id = p_id
$$;

-- Asked for, accepted, looked at, ended.
select pg_temp.given('A', 'a') as a \gset
select is((select w.outcome from orderlatch.withdraw_decision(:'a', 'too late', true) as w), 'cancel_asked', 'a submitted decision is taken back by canceling its order');
select is(pg_temp.state('a'), 'to be asked', 'that is to be asked');
select is(pg_temp.due(), '{DELETE /v2/orders/a}', 'the broker is asked');
select is(pg_temp.state('a'), 'the broker is being asked', 'the view says so');
select is(pg_temp.due(), '{}', 'once');
select is(pg_temp.answer('cancel_order', 'a', 204, ''), 'cancel_accepted', 'it accepts');
select is((test.broker_order('a')).status || ' ' || pg_temp.state('a'), 'new accepted, waiting for the order to end', 'nothing is believed canceled by that');
select test_support.advance_clock('1 second');
select is(pg_temp.due(), '{GET /v2/orders/a}', 'the order is read');
select pg_temp.answer('get_order', 'a', 200, pg_temp.shown(:'a', 'a', 'pending_cancel')::text);
select is(pg_temp.due(), '{}', 'the broker is at it');
select test_support.advance_clock('4 seconds');
select is(pg_temp.due(), '{GET /v2/orders/a}', 'it is looked at again, a little later each time');
select pg_temp.answer('get_order', 'a', 200, pg_temp.shown(:'a', 'a', 'canceled', '{"filled_qty": "3"}')::text);
select is(pg_temp.state('a') || ' ' || (pg_temp.cancel('a')).outcome, 'canceled canceled', 'until it has ended');
select is(pg_temp.due(), '{}', 'then nothing is due');
select is((select w.outcome from orderlatch.withdraw_decision(:'a', 'again', true) as w), 'too_late', 'asked again there is nothing to cancel');

-- Shown by the stream meanwhile: it is still looked at.
select pg_temp.given('B', 'b') as b \gset
select w.outcome from orderlatch.withdraw_decision(:'b', 'too late', true) as w;
select pg_temp.due();
select pg_temp.answer('cancel_order', 'b', 204, '');
select test.tell(:worker, 'pending_cancel', pg_temp.shown(:'b', 'b', 'pending_cancel'));
select test_support.advance_clock('2 seconds');
select is(pg_temp.due(), '{GET /v2/orders/b}', 'an order whose cancel the stream tells of is looked at all the same');
select pg_temp.answer('get_order', 'b', 200, pg_temp.shown(:'b', 'b', 'new')::text);
select is(pg_temp.due(), '{"DELETE /v2/orders/b"}', 'one that goes on living is canceled again');
select is(pg_temp.answer('cancel_order', 'b', 422, '{"code": 42210000, "message": "order is already in \"filled\" state"}'), 'not_cancelable', 'it cannot be');
select is((pg_temp.cancel('b')).ended_at, null, 'why, the order says');
select is(pg_temp.due(), '{"GET /v2/orders/b"}', 'it is read at once');
select pg_temp.answer('get_order', 'b', 200, pg_temp.shown(:'b', 'b', 'filled', '{"filled_qty": "10"}')::text);
select is(pg_temp.state('b'), 'filled', 'filled first');

-- Failed, throttled, lost.
select pg_temp.given('C', 'c') as c \gset
select w.outcome from orderlatch.withdraw_decision(:'c', 'too late', true) as w;
select pg_temp.due();
select is(pg_temp.answer('cancel_order', 'c', 503, '<html>'), 'in_doubt', 'a cancel that failed');
select is((pg_temp.cancel('c')).accepted_at, null, 'is not accepted');
select test_support.advance_clock('5 seconds');
select is(pg_temp.due() @> '{"DELETE /v2/orders/c"}', true, 'and is made again');
select test_support.advance_clock('21 seconds');
select is(pg_temp.due() @> '{"DELETE /v2/orders/c"}', true, 'so is one that nobody answers');
select test_support.advance_clock('1 second');
select test.tell(:worker, 'canceled', pg_temp.shown(:'c', 'c', 'canceled'));
select is(pg_temp.state('c'), 'canceled', 'the stream may be the first to know the end');
select is((pg_temp.cancel('c')).request_id, null, 'what is still on its way does not matter');
select is(pg_temp.answer('cancel_order', 'c', 204, ''), 'stale', 'its answer is out of turn');

-- The broker has no such order.
select pg_temp.given('D', 'd') as d \gset
select w.outcome from orderlatch.withdraw_decision(:'d', 'too late', true) as w;
select pg_temp.due();
select is(pg_temp.answer('cancel_order', 'd', 404, '{"code": 40410000, "message": "order not found for d"}'), 'absent', 'the broker has no such order');
select pg_temp.due();
select pg_temp.answer('get_order', 'd', 404, '{"code": 40410000, "message": "order not found for d"}');
select is((pg_temp.cancel('d')).ended_at, null, 'said once that proves nothing');
select test_support.advance_clock('30 seconds');
select pg_temp.due();
select pg_temp.answer('get_order', 'd', 404, '{"code": 40410000, "message": "order not found for d"}');
select is(pg_temp.state('d') || ' ' || array_to_string(test.incidents(), ','), 'vanished order_vanished', 'said twice it has vanished');

-- Wished for while it is on its way, and found later: also when it was replaced meanwhile.
select test_support.advance_clock('1 minute');
select test.given_submitting_decision(:worker, '{"symbol": "E"}') as e \gset
select is((select w.outcome from orderlatch.withdraw_decision(:'e', 'changed its mind', true) as w), 'wish_noted', 'a wish for what is on its way is noted');
select test.tell(:worker, 'new', pg_temp.shown(:'e', 'e2', 'new', '{"replaces": "e1", "client_order_id": "made-for-e2"}'));
select test.record(test.answer_status(test.holder(:'e'), 200, pg_temp.shown(:'e', 'e1', 'replaced', '{"replaced_by": "e2"}')::text));
select is((select array_agg(c.broker_order_id || ' ' || c.reason) from orderlatch_data.order_cancels as c where c.broker_order_id like 'e%'), '{"e2 changed its mind"}', 'what lives of its chain is canceled');

select pg_temp.due();

-- Replaced while it is to be canceled: the wish passes on, whichever is shown first.
select pg_temp.given('F', 'f1') as f \gset
select w.outcome from orderlatch.withdraw_decision(:'f', 'no more', true) as w;
select test_support.advance_clock('1 second');
select test.tell(:worker, 'replaced', pg_temp.shown(:'f', 'f1', 'replaced', '{"replaced_by": "f2"}'));
select is(pg_temp.state('f1'), 'replaced', 'its order was replaced first');
select is((pg_temp.cancel('f2')).broker_order_id, null, 'by one that is not known yet');
select test.tell(:worker, 'new', pg_temp.shown(:'f', 'f2', 'new', '{"replaces": "f1", "client_order_id": "made-for-f2"}'));
select is((pg_temp.cancel('f2')).reason || ' ' || (pg_temp.cancel('f2')).asked_by, 'no more postgres', 'shown, it is to be canceled, for the same reason');
select test.tell(:worker, 'new', pg_temp.shown(:'f', 'f3', 'new', '{"replaces": "f2", "client_order_id": "made-for-f3"}'));
select is((pg_temp.cancel('f3')).reason, 'no more', 'so is what replaces that');
select test.tell(:worker, 'replaced', pg_temp.shown(:'f', 'f2', 'replaced', '{"replaces": "f1", "replaced_by": "f3", "client_order_id": "made-for-f2"}'));
select test.tell(:worker, 'canceled', pg_temp.shown(:'f', 'f3', 'canceled', '{"replaces": "f2", "client_order_id": "made-for-f3"}'));
select is((select array_agg(c.broker_order_id || ' ' || c.outcome order by c.broker_order_id) from orderlatch_data.order_cancels as c where c.broker_order_id like 'f%'),
          '{"f1 replaced","f2 replaced","f3 canceled"}', 'until the last of the chain has ended');
-- A lookup that finds the end ends the cancel.
select test_support.advance_clock('1 minute');
select pg_temp.due();
select test.given_submitting_decision(:worker, '{"symbol": "G"}') as g \gset
select test.record(test.answer_maybe(test.holder(:'g')));
select c.request_id as lookup from test.claim(:worker) as c where c.kind = 'find_order' \gset
select test.tell(:worker, 'new', pg_temp.shown(:'g', 'g', 'new'));
select w.outcome from orderlatch.withdraw_decision(:'g', 'no more', true) as w;
select test_support.advance_clock('1 second');
select test.record(test.answer_status(:'lookup', 200, pg_temp.shown(:'g', 'g', 'canceled')::text));
select is(pg_temp.state('g'), 'canceled', 'a lookup may be the first to show the end');
select is(test.broken_promises(), '{}', 'no promise is broken');
-- Stuck: looked at more and more slowly.
select test_support.advance_clock('1 minute');
select pg_temp.due();
select pg_temp.given('S', 's') as s \gset
select w.outcome from orderlatch.withdraw_decision(:'s', 'no more', true) as w;
select pg_temp.due();
select pg_temp.answer('cancel_order', 's', 204, '');
create function pg_temp.looks() returns integer language plpgsql as $$
declare
  v_looks integer := 0;
begin
  for n in 1 .. 240 loop
    perform test_support.advance_clock('15 seconds');
    if pg_temp.due() @> '{"GET /v2/orders/s"}' then
      v_looks := v_looks + 1;
      perform pg_temp.answer('get_order', 's', 200, pg_temp.shown((select encode(t.decision_hash, 'hex') from orderlatch_data.trade_decisions as t where t.symbol = 'S'), 's', 'pending_cancel')::text);
    end if;
  end loop;
  return v_looks;
end
$$;
select ok(pg_temp.looks() between 10 and 25, 'an order that hangs in pending_cancel for an hour costs some twenty calls');

select * from finish();
rollback;
