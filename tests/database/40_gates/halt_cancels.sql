-- A halt that cancels: every open order of a decision in its scope is canceled through the protocol, whenever it turns up.
begin;
select plan(38);

select test_support.hold_clock('2026-03-02 15:00:00Z');
select test.given_account('a', '{"max_in_doubt": 100}');
select test.given_account('b', '{"max_in_doubt": 100}');
select test.given_worker('a', 'b') as worker \gset

-- Submits a decision and returns its hash.
create function pg_temp.submitted(p_account text, p_members jsonb) returns text language plpgsql as $$
declare
  v_hash constant text := test.given_approved_decision(p_account, p_members);
begin
  perform test.claim((select max(w.worker_id) from orderlatch_data.workers as w));
  perform test.record(test.answer_order(test.holder(v_hash)));
  return v_hash;
end
$$;
-- Where the orders of a halt stand: open order X: to be canceled; …
create function pg_temp.progress(p_halt_id bigint) returns text language sql volatile as $$
  select string_agg(p.what || ' ' || p.symbol || ': ' || p.state, '; ' order by p.what, p.symbol)
    from orderlatch.halt_progress(p_halt_id) as p
$$;
-- The orders that a worker is told to cancel.
create function pg_temp.to_cancel(p_worker_id integer) returns text[] language sql volatile as $$
  select coalesce(array_agg(b.symbol order by b.symbol), '{}')
    from test.claim(p_worker_id) as c
    join orderlatch_data.broker_orders as b on '/v2/orders/' || b.broker_order_id = c.path
   where c.kind = 'cancel_order' and c.method = 'DELETE'
$$;
create function pg_temp.call(p_kind text, p_symbol text) returns uuid language sql volatile as $$
  select r.request_id
    from orderlatch_data.open_requests as r
    join orderlatch_data.broker_requests as q on q.request_id = r.request_id
    join orderlatch_data.broker_orders as b on b.account_id = q.account_id and b.broker_order_id = q.broker_order_id
   where r.kind = p_kind and b.symbol = p_symbol
$$;

select pg_temp.submitted('a', '{"strategy_id": "s", "symbol": "X"}') as asx \gset
select pg_temp.submitted('a', '{"strategy_id": "t", "symbol": "Y"}') as aty \gset
select pg_temp.submitted('b', '{"strategy_id": "s", "symbol": "Z"}') as bsz \gset
select test.insert_order(test.order_document(:'asx', '{"id": "by-hand", "client_order_id": "mine", "symbol": "F"}'), 'a');
select test.given_approved_decision('a', '{"strategy_id": "s", "symbol": "W"}') as flying \gset
select count(*) from test.claim(:worker);

-- Which orders, by scope.
create function pg_temp.would_cancel(p_account text, p_strategy_id text, p_symbol text) returns text[] language plpgsql as $$
declare
  v_symbols text[];
begin
  perform orderlatch.halt('tests', p_account, p_strategy_id, p_symbol, true);
  v_symbols := pg_temp.to_cancel((select max(w.worker_id) from orderlatch_data.workers as w));
  raise exception using errcode = 'ZZ000';
exception when sqlstate 'ZZ000' then
  return v_symbols;
end
$$;
select is(pg_temp.would_cancel(h.account, h.strategy_id, h.symbol), h.symbols, h.title)
  from (
    values (null, null, null, '{X,Y,Z}'::text[], 'a halt of everything cancels every open order of a decision'),
           ('a', null, null, '{X,Y}', 'a halt of an account those of the account'),
           (null, 's', null, '{X,Z}', 'a halt of a strategy those of the strategy'),
           (null, null, 'z', '{Z}', 'a halt of a symbol those of the symbol'),
           ('a', 's', null, '{X}', 'of several, those that fit all'),
           ('b', 't', null, '{}', 'or none')
  ) as h(account, strategy_id, symbol, symbols, title);
select is((select count(*) from orderlatch.cancels), 0::bigint, 'nothing is canceled without a halt that says so');
select orderlatch.halt('tests', 'b') as ignored;
select is(pg_temp.to_cancel(:worker), '{}', 'a halt that does not cancel leaves orders open');
select is(pg_temp.progress((select max(h.halt_id) from orderlatch.halts as h)), 'open order Z: accepted, not to be canceled',
          'and says so');
select orderlatch.lift_halt(h.halt_id, 'tests') from orderlatch.standing_halts as h;

-- To the end.
select test.given_halt('runs wild', 'a', null, null, true) as halt \gset
select is(
  pg_temp.progress(:halt),
  'foreign order F: accepted, left alone: cancel_order cancels it; in flight W: on its way, or its answer is; open order X: to be canceled; open order Y: to be canceled',
  'from the start it shows all that there is to wait for'
);
select is(pg_temp.to_cancel(:worker), '{X,Y}', 'the next claim is told to cancel');
select results_eq(
  $$ select c.symbol, c.reason, c.asked_by, c.halt_id, c.state from orderlatch.cancels as c order by c.symbol $$,
  format($$ values ('X', 'runs wild', 'postgres', %1$s::bigint, 'the broker is being asked'), ('Y', 'runs wild', 'postgres', %1$s, 'the broker is being asked') $$, :halt),
  'in the name of who set the halt, for its reason'
);
select is(test.record(test.answer_status(pg_temp.call('cancel_order', 'X'), 204, null)), 'cancel_accepted', 'the broker accepts one');
select is(test.record(test.answer_error(pg_temp.call('cancel_order', 'Y'), 422, 42210000, 'order is already in "filled" state')), 'not_cancelable',
          'and says that the other is filled');
select is(pg_temp.progress(:halt),
          'foreign order F: accepted, left alone: cancel_order cancels it; in flight W: on its way, or its answer is; open order X: cancel accepted, waiting for the order to end; open order Y: to be canceled',
          'neither is believed to have ended');
select is(test.kinds(:worker), '{get_order}', 'the filled one is read at once');
select test.record(test.answer_status(pg_temp.call('get_order', 'Y'), 200, test.order_document(:'aty', '{"status": "filled", "filled_qty": "10"}')::text));
select test_support.advance_clock('1 second');
select is(test.kinds(:worker), '{get_order}', 'the other one soon');
select test.record(test.answer_status(pg_temp.call('get_order', 'X'), 200, test.order_document(:'asx', '{"status": "pending_cancel"}')::text));
select test_support.advance_clock('4 seconds');
select is(test.kinds(:worker), '{get_order}', 'and again while the broker is at it');
select test.record(test.answer_status(pg_temp.call('get_order', 'X'), 200,
                                      test.order_document(:'asx', '{"status": "canceled", "updated_at": "2026-03-02T15:00:10Z"}')::text));
select is(pg_temp.progress(:halt),
          'ended order X: canceled; ended order Y: filled; foreign order F: accepted, left alone: cancel_order cancels it; in flight W: on its way, or its answer is',
          'what the broker shows ends them');

-- What was in flight arrives, and is canceled too.
select test.record(test.answer_order(test.holder(:'flying')));
select is(pg_temp.to_cancel(:worker), '{W}', 'an order that arrives under the halt is canceled');
select test.record(test.answer_maybe(pg_temp.call('cancel_order', 'W')));
select is((select p.state from orderlatch.halt_progress(:halt) as p where p.symbol = 'W'), 'to be canceled', 'a cancel that failed is due again');
select test_support.advance_clock('5 seconds');
select is(test.kinds(:worker), '{cancel_order,get_order}', 'after a while');
select test.record(test.answer_status(pg_temp.call('cancel_order', 'W'), 204, null));
select test.record(test.answer_status(pg_temp.call('get_order', 'W'), 200,
                                      test.order_document(:'flying', '{"status": "canceled", "updated_at": "2026-03-02T15:00:20Z"}')::text));
select is(pg_temp.progress(:halt),
          'ended order W: canceled; ended order X: canceled; ended order Y: filled; foreign order F: accepted, left alone: cancel_order cancels it',
          'nothing is left to wait for');
select is(test.kinds(:worker), '{}', 'nor to do');

-- A doubt that ends with an order.
select orderlatch.lift_halt(:halt, 'tests');
select test.given_approved_decision('a', '{"strategy_id": "s", "symbol": "D"}') as doubtful \gset
select count(*) from test.claim(:worker);
select test.record(test.answer_maybe(test.holder(:'doubtful')));
select test.given_halt('again', 'a', p_cancel_open => true) as halt \gset
select is((select p.what || ': ' || p.state from orderlatch.halt_progress(:halt) as p where p.symbol = 'D'), 'in doubt: read timeout',
          'what is in doubt is waited for');
select is(test.kinds(:worker), '{find_order}', 'and looked up');
select test.record(test.answer_order((test.open_row(:'doubtful')).lookup_request_id));
select is(pg_temp.to_cancel(:worker), '{D}', 'found, it is canceled');

-- Replaced by hand before the cancel reached it.
select test.record(test.answer_error(pg_temp.call('cancel_order', 'D'), 422, 42210000, 'order is not cancelable'));
select count(*) from test.claim(:worker);
select test.record(test.answer_status(pg_temp.call('get_order', 'D'), 200, test.order_document(:'doubtful', '{"status": "replaced", "replaced_by": "heir"}')::text));
select orderlatch.lift_halt(:halt, 'tests');
select test_support.advance_clock('5 seconds');
select is((select c.path from test.claim(:worker) as c), '/v2/orders/heir', 'the order that replaced it is read');
select test.record(test.answer_status(r.request_id, 200, test.order_document(:'doubtful',
         '{"id": "heir", "client_order_id": "made-by-the-broker", "replaces": "order-x", "status": "new"}'::jsonb
         || jsonb_build_object('replaces', b.broker_order_id))::text))
  from orderlatch_data.open_requests as r, orderlatch_data.broker_orders as b
 where b.decision_id = test.decision_id(:'doubtful') and b.relation = 'order';
select is((select array_agg(c.kind || ' ' || c.path) from test.claim(:worker) as c), '{cancel_order /v2/orders/heir}',
          'and canceled in its place, although the halt was lifted');
select is((select c.reason from orderlatch.cancels as c where c.broker_order_id = 'heir'), 'again', 'for the same reason');

-- An order that ended, as far as was known, and is open again.
select test.record(test.answer_status(r.request_id, 204, null)) from orderlatch_data.open_requests as r;
update orderlatch_data.broker_orders set is_open = false, status = 'vanished', status_at = null where broker_order_id = 'heir';
select orderlatch_data.end_cancels(test.account_id('a'));
select is((select c.state from orderlatch.cancels as c where c.broker_order_id = 'heir'), 'vanished', 'a cancel ends with its order');
update orderlatch_data.broker_orders set is_open = true, status = 'new' where broker_order_id = 'heir';
select is((select c.state from orderlatch.cancel_order('a', 'heir', 'still there') as c), 'to be canceled', 'asked for once more');
select is((select c.state || ', ' || c.reason || ', ' || c.tries from orderlatch.cancels as c where c.broker_order_id = 'heir'), 'to be asked, still there, 0',
          'it begins anew');

-- Lifted before anything was asked: nothing is.
select pg_temp.submitted('b', '{"strategy_id": "s", "symbol": "L"}') as lifted \gset
select test.given_halt('a moment', 'b', p_cancel_open => true) as moment \gset
select orderlatch.lift_halt(:moment, 'tests');
select is((select array_agg(p.symbol || ': ' || p.state order by p.symbol) from orderlatch.halt_progress(:moment) as p),
          '{"L: accepted, not to be canceled","Z: accepted, not to be canceled"}', 'a halt that was lifted cancels nothing more');
select results_eq(
  $$ select h.reason, h.cancel_open, h.halted_by, h.lifted_by, h.lift_reason from orderlatch.halts as h where h.account = 'b' order by h.halt_id desc limit 1 $$,
  $$ values ('a moment', true, 'postgres', 'postgres', 'tests') $$, 'the history of halts keeps it, signed twice'
);
select throws_ok(format('select orderlatch.halt_progress(%s)', n.halt_id), 'OL131', format('argument_invalid: p_halt_id %s is no halt', n.halt_id), n.title)
  from (values ('null', 'no halt has no progress'), ('0', 'nor has one that never was')) as n(halt_id, title);
select is(test.broken_promises(), '{}', 'no promise is broken');

select * from finish();
rollback;
