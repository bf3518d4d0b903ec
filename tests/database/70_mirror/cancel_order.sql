-- Canceling single orders: asked for by operators and strategies, asked of the broker until the order has ended.
begin;
select plan(37);

select test_support.hold_clock('2026-03-02 15:00:00Z');
select test.given_account('paper', '{"max_in_doubt": 100}');
select test.given_account('other');
select test.given_worker() as worker \gset
select test.given_decision_in('submitted', :worker, '{"symbol": "X"}') as x \gset
select 'order-' || test.decision_id(:'x') as order_x \gset

-- What an order's cancel has come to.
create function pg_temp.state(p_broker_order_id text) returns text language sql volatile as $$
  select c.state from orderlatch.cancels as c where c.broker_order_id = p_broker_order_id
$$;
-- Claims one call, which must be about the order, and returns it.
create function pg_temp.call(p_kind text, p_broker_order_id text) returns uuid language plpgsql as $$
declare
  v_granted orderlatch_data.granted_request;
begin
  select c.* into v_granted from test.claim((select max(w.worker_id) from orderlatch_data.workers as w)) as c;
  if v_granted.kind is distinct from p_kind or v_granted.path is distinct from '/v2/orders/' || p_broker_order_id then
    raise exception 'expected %, got % %', p_kind, v_granted.kind, v_granted.path;
  end if;
  return v_granted.request_id;
end
$$;
create function pg_temp.shown(p_request_id uuid, p_decision_hash text, p_members jsonb) returns text language sql volatile as $$
  select test.record(test.answer_status(p_request_id, 200, test.order_document(p_decision_hash, p_members)::text))
$$;

-- An operator asks.
select results_eq(format($$ select c.state, c.order_status from orderlatch.cancel_order('paper', %L, 'too late in the day') as c $$, :'order_x'),
                  $$ values ('to be canceled', 'accepted') $$, 'an order that is open is to be canceled');
select results_eq(
  $$ select c.account, c.symbol, c.reason, c.asked_by, c.asked_at, c.state, c.tries from orderlatch.cancels as c $$,
  $$ values ('paper', 'X', 'too late in the day', 'postgres', '2026-03-02 15:00:00Z'::timestamptz, 'to be asked', 0::smallint) $$,
  'signed, with its reason');
select lives_ok(format($$ select orderlatch.cancel_order('paper', %L, 'again') $$, :'order_x'), 'asking again');
select is((select array_agg(c.reason) from orderlatch.cancels as c), '{too late in the day}', 'changes nothing');
select * from test.claim_one(:worker, 'cancel_order') \gset
select is(:'method' || ' ' || :'path', 'DELETE /v2/orders/' || :'order_x', 'the broker is asked');
select is(:{?body} or :{?query}, false, 'with nothing but the id');
select is(test.kinds(:worker), '{}', 'once at a time');

-- The broker accepts and lets it live: it is asked again.
select is(test.record(test.answer_status(:'request_id', 204, null)), 'cancel_accepted', 'a 204 is a promise');
select is(pg_temp.state(:'order_x'), 'accepted, waiting for the order to end', 'and nothing more');
select test_support.advance_clock('1 second');
select pg_temp.shown(pg_temp.call('get_order', :'order_x'), :'x', '{"status": "new"}');
select is(test.kinds(:worker), '{cancel_order}', 'an order that lives on is canceled again');
select test.record(test.answer_status(r.request_id, 204, null)) from orderlatch_data.open_requests as r;

-- A list that shows it still open does not end the watch over it.
select orderlatch_data.take_orders(test.account_id(), jsonb_build_array(test.order_document(:'x', '{"status": "new"}')), null, true);
select test_support.advance_clock('8 seconds');
select pg_temp.shown(pg_temp.call('get_order', :'order_x'), :'x', '{"status": "pending_cancel"}');
select is(test.kinds(:worker), '{}', 'while the broker is at it it is left alone');
select is((select w.state || ', ' || w.order_status from orderlatch.cancels as w), 'accepted, waiting for the order to end, pending_cancel', 'and watched');
select test_support.advance_clock('1 minute');
select test.record(test.answer_error(pg_temp.call('get_order', :'order_x'), 500, null, 'oops'));
select is(pg_temp.state(:'order_x'), 'accepted, waiting for the order to end', 'a read that failed ends nothing');
select test_support.advance_clock('1 minute');
select pg_temp.shown(pg_temp.call('get_order', :'order_x'), :'x', '{"status": "filled", "filled_qty": "10", "updated_at": "2026-03-02T15:02:00Z"}');
select is(pg_temp.state(:'order_x'), 'filled', 'it may be filled before it is canceled');
select is(test.kinds(:worker), '{}', 'then nothing is left to do');
select results_eq(format($$ select c.state, c.order_status from orderlatch.cancel_order('paper', %L, 'once more') as c $$, :'order_x'),
                  $$ values ('has ended', 'filled') $$, 'an order that has ended cannot be canceled, and says how it ended');
select is(pg_temp.state(:'order_x'), 'filled', 'which changes nothing');

-- Lost on the way, throttled, refused.
select test.given_decision_in('submitted', :worker, '{"symbol": "L"}') as l \gset
select 'order-' || test.decision_id(:'l') as order_l \gset
select orderlatch.cancel_order('paper', :'order_l', 'tests');
select pg_temp.call('cancel_order', :'order_l');
select test_support.advance_clock('20 seconds');
select pg_temp.call('cancel_order', :'order_l') as again \gset
select is((select l.cause from orderlatch_data.lost_requests as l), 'no_answer_in_time', 'a cancel that nobody answers is asked again');
select is(test.record(test.answer_error(:'again', 404, 40410000, 'order not found for ' || :'order_l')), 'absent', 'the broker''s word that it has no such order');
select is(pg_temp.state(:'order_l'), 'to be asked', 'ends nothing by itself');
select test.record(test.answer_error(pg_temp.call('get_order', :'order_l'), 404, 40410000, 'order not found for ' || :'order_l'));
select test_support.advance_clock('1 minute');
select test.record(test.answer_error(pg_temp.call('get_order', :'order_l'), 404, 40410000, 'order not found for ' || :'order_l'));
select is(pg_temp.state(:'order_l') || ' ' || test.incidents()::text, 'vanished {order_vanished}', 'said twice it is believed, and an incident');

-- An order placed by hand.
select test.insert_order(test.order_document(:'x', '{"id": "by-hand", "client_order_id": "mine", "symbol": "F"}'));
select is((select c.state from orderlatch.cancel_order('paper', 'by-hand', 'not ours, but in the way') as c), 'to be canceled',
          'an operator may cancel a foreign order by its id');
select test.record(test.answer_status(pg_temp.call('cancel_order', 'by-hand'), 204, null));
select test_support.advance_clock('1 second');
select test.record(test.answer_status(pg_temp.call('get_order', 'by-hand'), 200,
         test.order_document(:'x', '{"id": "by-hand", "client_order_id": "mine", "symbol": "F", "status": "canceled", "updated_at": "2026-03-02T15:09:00Z"}')::text));
select is(pg_temp.state('by-hand'), 'canceled', 'and it is');

-- Refusals say what to do instead.
select throws_ok(format('select orderlatch.cancel_order(%s)', c.arguments), c.code, c.message, c.title)
  from (
    values ($$'nobody', 'x', 'why'$$, 'OL102', 'account_unknown: no account is named ''nobody''', 'an unknown account is refused'),
           ($$'paper', 'x', 'why'$$, 'OL131', 'argument_invalid: account ''paper'' has no order with the broker''s id ''x''', 'an order that is not known is refused'),
           (format($$'other', %L, 'why'$$, :'order_x'), 'OL131', format('argument_invalid: account ''other'' has no order with the broker''s id %L', :'order_x'),
            'or is another account''s'),
           ($$'paper', null, 'why'$$, 'OL131', 'argument_invalid: account ''paper'' has no order with the broker''s id NULL', 'or none'),
           (format($$'paper', %L, ' '$$, :'order_x'), 'OL131', null, 'a blank reason is refused')
  ) as c(arguments, code, message, title);

-- A strategy takes its decision back, with its order.
select test.given_decision_in('submitted', :worker, '{"symbol": "W"}') as w \gset
select 'order-' || test.decision_id(:'w') as order_w \gset
select results_eq(format($$ select x.status, x.outcome from orderlatch.withdraw_decision(%L, 'changed its mind') as x $$, :'w'),
                  $$ values ('submitted', 'too_late') $$, 'a submitted decision cannot be withdrawn');
select results_eq(format($$ select x.status, x.outcome from orderlatch.withdraw_decision(%L, 'changed its mind', true) as x $$, :'w'),
                  $$ values ('submitted', 'cancel_asked') $$, 'but its order canceled');
select is((select array_agg(c.kind || ' ' || c.path) from test.claim(:worker) as c), array['cancel_order /v2/orders/' || :'order_w'], 'it is');
select test.record(test.answer_status(r.request_id, 204, null)) from orderlatch_data.open_requests as r;
select pg_temp.shown((select c.request_id from test_support.advance_clock('1 second') as t, test.claim(:worker) as c), :'w',
                     '{"status": "canceled", "updated_at": "2026-03-02T15:10:00Z"}');
select is((select x.outcome from orderlatch.withdraw_decision(:'w', 'again', true) as x), 'too_late', 'and once');

-- While its submit is on its way, in doubt, or thought to be absent: whenever the order is found it is canceled.
create function pg_temp.found_later(p_how text) returns text language plpgsql as $$
declare
  v_worker constant integer := (select max(w.worker_id) from orderlatch_data.workers as w);
  v_hash text;
  v_outcome text;
begin
  -- past the back-off of the last one; what that left is of no interest
  perform test_support.advance_clock('10 seconds');
  perform test.claim(v_worker);
  perform test.record(test.answer_maybe(r.request_id)) from orderlatch_data.open_requests as r;
  v_hash := test.given_submitting_decision(v_worker, jsonb_build_object('symbol', 'Q' || nextval('test.signals')));
  if p_how = 'in doubt' then
    perform test.record(test.answer_maybe(test.holder(v_hash)));
  end if;
  select x.outcome into v_outcome from orderlatch.withdraw_decision(v_hash, 'changed its mind', p_how <> 'without p_cancel') as x;
  if p_how = 'withdrawn' then
    perform test.record(test.answer_maybe(test.holder(v_hash)));
    perform test.prove_absent(v_worker, v_hash);
  end if;
  case p_how
    when 'in doubt' then
      perform test.claim(v_worker);
      perform test.record(test.answer_order((test.open_row(v_hash)).lookup_request_id));
    when 'withdrawn' then
      perform orderlatch_data.take_orders(test.account_id(), jsonb_build_array(test.order_document(v_hash)), null, true);
    else
      perform test.record(test.answer_order(test.holder(v_hash)));
  end case;
  return concat_ws(
    ', ', v_outcome, test.status(v_hash),
    (select c.state from orderlatch.cancels as c where c.broker_order_id = 'order-' || test.decision_id(v_hash))
  );
end
$$;
select is(pg_temp.found_later('on its way'), 'wish_noted, submitted, to be asked', 'withdrawn on its way, its order is canceled when it arrives');
select is(pg_temp.found_later('in doubt'), 'wish_noted, submitted, to be asked', 'withdrawn in doubt, when it is found');
select is(pg_temp.found_later('without p_cancel'), 'wish_noted, submitted', 'only where that was asked for');
select is(pg_temp.found_later('withdrawn'), 'wish_noted, submitted, to be asked', 'and even when it was proved absent, and shows up all the same');
select is(test.broken_promises(), '{}', 'no promise is broken');

select * from finish();
rollback;
