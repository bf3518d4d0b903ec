-- Orders that replace, or are legs of, an order of a decision belong to it, whichever is shown first; none is counted twice.
begin;
select plan(57);

select test_support.hold_clock('2026-03-02 16:00:00Z');
select test.given_mirrored_account('paper', '{"reconcile_from": "2026-03-02T14:00:00Z", "max_in_doubt": 100}');
select test.given_worker() as worker \gset
select test.serve(:worker, '{}');
-- A decision whose submit is on its way, and its order's document under the name p_id.
create function pg_temp.given(p_symbol text) returns text language sql volatile as $$
  select test_support.advance_clock('1 minute');
  select test.claim(1);
  select test.given_submitting_decision(1, jsonb_build_object('symbol', p_symbol));
$$;
create function pg_temp.first(p_decision text, p_id text, p_members jsonb default '{}') returns jsonb language sql volatile as $$
  select test.order_document(p_decision, jsonb_build_object('id', p_id) || p_members)
$$;
create function pg_temp.next(p_decision text, p_id text, p_replaces text, p_members jsonb default '{}') returns jsonb language sql volatile as $$
  select test.order_document(p_decision, jsonb_build_object('id', p_id, 'replaces', p_replaces, 'client_order_id', 'made-for-' || p_id) || p_members)
$$;
-- Name, relation, parent and whether it is the decision's, of every order of a symbol.
create function pg_temp.chain(p_decision text) returns text[] language sql volatile as $$
  select array_agg(b.broker_order_id || ' ' || b.relation || coalesce(' of ' || b.parent_broker_order_id, '') ||
                   case when b.decision_id = test.decision_id(p_decision) then '' else ' (foreign)' end order by b.broker_order_id)
    from orderlatch_data.broker_orders as b
   where b.symbol = (select t.symbol from orderlatch_data.trade_decisions as t where t.decision_id = test.decision_id(p_decision))
$$;
create function pg_temp.execution(p_decision text) returns text language sql volatile as $$
  select e.broker_order_id || ' ' || e.order_status || ', ' || e.filled_qty || ' of ' || e.orders || ' orders'
    from orderlatch_data.execution_of(test.decision_id(p_decision)) as e
$$;

-- The original first, then what replaced it.
select pg_temp.given('A') as a \gset
select test.record(test.answer_status(test.holder(:'a'), 200, pg_temp.first(:'a', 'a1')::text));
select is(test.tell(:worker, 'replaced', pg_temp.first(:'a', 'a1', '{"status": "replaced", "replaced_by": "a2", "updated_at": "2026-03-02T15:10:00Z"}')), 'order_updated',
          'the stream tells of the old order');
select is((select k.reason from orderlatch_data.order_checks as k where k.broker_order_id = 'a2'), 'replaces a known order', 'what replaced it is read');
select is(pg_temp.execution(:'a'), 'a1 replaced, 0 of 1 orders', 'nothing else is known yet');
select test_support.advance_clock('3 seconds');
select is(test.record(test.answer_status((test.claim_one(:worker, 'get_order')).request_id, 200, pg_temp.next(:'a', 'a2', 'a1', '{"qty": "12"}')::text)), 'order_shown', 'it is shown');
select is(pg_temp.chain(:'a'), '{"a1 order","a2 replacement of a1"}', 'and belongs to the decision');
select is((test.broker_order('a2')).qty, 12::numeric, 'with terms of its own');
select is(pg_temp.execution(:'a'), 'a2 accepted, 0 of 2 orders', 'the execution is where the newest is');
-- A third, found by a list.
select test_support.advance_clock('2 minutes');
select test.serve(:worker, jsonb_build_object('orders', jsonb_build_array(
  pg_temp.next(:'a', 'a2', 'a1', '{"status": "replaced", "replaced_by": "a3", "qty": "12", "updated_at": "2026-03-02T15:20:00Z"}'),
  pg_temp.next(:'a', 'a3', 'a2', '{"qty": "14", "status": "filled", "filled_qty": "9", "submitted_at": "2026-03-02T15:20:00Z", "updated_at": "2026-03-02T15:21:00Z"}'))));
select is(pg_temp.chain(:'a'), '{"a1 order","a2 replacement of a1","a3 replacement of a2"}', 'a chain of three');
select is(test.incidents(), '{}', 'none of them is foreign');
-- What was filled, once each.
select test_support.advance_clock('2 minutes');
select test.claim(:worker);
select test.record(test.answer_status((test.standing_read('fills')).request_id, 200, jsonb_build_array(
  test.a_fill('a1', 'a1x', '{"symbol": "A", "qty": "2", "price": "10"}'), test.a_fill('a2', 'a2x', '{"symbol": "A", "qty": "3", "price": "20"}'),
  test.a_fill('a3', 'a3x', '{"symbol": "A", "qty": "9", "price": "30"}'))::text));
select is(pg_temp.execution(:'a'), 'a3 filled, 14 of 3 orders', 'what each order filled counts once');
select is((select s.filled_qty || ' at ' || s.filled_avg_price from orderlatch.decision_status(:'a') as s), '14 at 25.000000', 'the strategy sees the sum and its average');
select bag_eq($$ select x.relation, x.fills_qty from orderlatch.executions as x where x.symbol = 'A' $$,
              $$ values ('order', 2::numeric), ('replacement', 3), ('replacement', 9) $$, 'the view of executions has a row for each');
-- A replacement may count what the order before it had filled: that is no mismatch.
select test.tell(:worker, 'fill', pg_temp.first(:'a', 'a1', '{"status": "replaced", "filled_qty": "2", "updated_at": "2026-03-02T15:22:00Z"}'));
select test.tell(:worker, 'fill', pg_temp.next(:'a', 'a2', 'a1', '{"status": "replaced", "filled_qty": "5", "updated_at": "2026-03-02T15:22:00Z"}'));
select test.tell(:worker, 'fill', pg_temp.next(:'a', 'a3', 'a2', '{"status": "filled", "filled_qty": "14", "submitted_at": "2026-03-02T15:20:00Z", "updated_at": "2026-03-02T15:22:00Z"}'));
select is((select count(*)::integer from orderlatch_data.unbalanced_orders(test.account_id())), 0, 'a replacement may count what was filled before it');
select is(pg_temp.execution(:'a'), 'a3 filled, 14 of 3 orders', 'which counts once all the same');

-- What replaced it first, then the original.
select pg_temp.given('B') as b \gset
select test.tell(:worker, 'new', pg_temp.next(:'b', 'b3', 'b2'));
select test.tell(:worker, 'new', pg_temp.next(:'b', 'b2', 'b1', '{"status": "replaced", "replaced_by": "b3"}'));
select is(pg_temp.chain(:'b'), '{"b2 replacement of b1 (foreign)","b3 replacement of b2 (foreign)"}', 'nobody knows yet whose they are');
select test.record(test.answer_status(test.holder(:'b'), 200, pg_temp.first(:'b', 'b1', '{"status": "replaced"}')::text));
select is(pg_temp.chain(:'b'), '{"b1 order","b2 replacement of b1","b3 replacement of b2"}', 'when the first is shown the whole chain is the decision''s');
select is(test.incidents(), '{}', 'that was no incident');

-- A replacement that is rejected because the order before it filled first.
select pg_temp.given('C') as c \gset
select test.record(test.answer_status(test.holder(:'c'), 200, pg_temp.first(:'c', 'c1')::text));
select test.tell(:worker, 'order_replace_rejected', pg_temp.next(:'c', 'c2', 'c1', '{"status": "rejected", "submitted_at": "2026-03-02T15:30:00Z"}'));
select is(pg_temp.execution(:'c'), 'c1 accepted, 0 of 2 orders', 'a rejected replacement leaves the order before it as it was');
select test.tell(:worker, 'fill', pg_temp.first(:'c', 'c1', '{"status": "filled", "filled_qty": "10", "updated_at": "2026-03-02T15:30:00Z"}'));
select is(pg_temp.execution(:'c'), 'c1 filled, 10 of 2 orders', 'also when that has filled');

-- One that carries the decision's id on.
select pg_temp.given('D') as d \gset
select test.record(test.answer_status(test.holder(:'d'), 200, pg_temp.first(:'d', 'd1')::text));
select test.tell(:worker, 'new', pg_temp.next(:'d', 'd2', 'd1', jsonb_build_object('client_order_id', :'d')));
select is(pg_temp.chain(:'d'), '{"d1 order","d2 replacement of d1"}', 'a replacement with the decision''s id is one of its chain');
select is(test.incidents() || test.halts(), '{}', 'and no duplicate');
-- Found first, while the decision is in doubt.
select pg_temp.given('E') as e \gset
select test.record(test.answer_maybe(test.holder(:'e')));
select (test.claim_one(:worker, 'find_order')).request_id as lookup \gset
select is(test.record(test.answer_status(:'lookup', 200, pg_temp.next(:'e', 'e2', 'e1', jsonb_build_object('client_order_id', :'e'))::text)), 'replacement_seen',
          'a lookup finds what replaced its order');
select is(test.status(:'e'), 'in_doubt', 'whether that was its order only the first one says');
select is((test.doubt(:'e')).duplicate, true, 'but that there is none is not believed any more');
select test_support.advance_clock('1 second');
select is((select array_agg(c.kind || ' ' || c.path) from test.claim(:worker) as c where c.kind = 'get_order'), '{"get_order /v2/orders/e1"}', 'the one that it replaced is read');
select is(test.record(test.answer_status((select k.request_id from orderlatch_data.order_checks as k where k.broker_order_id = 'e1'), 200,
                                         pg_temp.first(:'e', 'e1', '{"status": "replaced", "replaced_by": "e2"}')::text)), 'order_shown', 'it is shown');
select is(test.status(:'e'), 'submitted', 'that ends the doubt');
select is(pg_temp.chain(:'e'), '{"e1 order","e2 replacement of e1"}', 'with the whole chain');
-- Shown first by the answer to its own submit.
select pg_temp.given('K') as k \gset
select is(test.record(test.answer_status(test.holder(:'k'), 200, pg_temp.next(:'k', 'k2', 'k1', jsonb_build_object('client_order_id', :'k'))::text)), 'replacement_seen',
          'its own submit shows what replaced its order');
select is(test.status(:'k'), 'in_doubt', 'that is no answer to wait for');
select is((test.doubt(:'k')).duplicate, true, 'and no reason to believe that there is no order');
select test_support.advance_clock('2 seconds');
select is((select array_agg(c.kind || ' ' || c.path order by c.kind) from test.claim(:worker) as c where c.kind in ('find_order', 'get_order')),
          '{find_order /v2/orders:by_client_order_id,get_order /v2/orders/k1}', 'it is looked for');
select test.record(test.answer_status((select k.request_id from orderlatch_data.order_checks as k where k.broker_order_id = 'k1'), 200,
                                      pg_temp.first(:'k', 'k1', '{"status": "replaced", "replaced_by": "k2"}')::text));
select is(test.status(:'k'), 'submitted', 'until it is shown');
select is(pg_temp.chain(:'k'), '{"k1 order","k2 replacement of k1"}', 'with the whole chain');
-- In doubt, and only its replacement is in the list that would prove it absent.
select pg_temp.given('F') as f \gset
select test.record(test.answer_maybe(test.holder(:'f')));
select test.given_absent_twice(:worker, :'f');
update orderlatch_data.doubts set next_lookup_at = 'infinity';
select test.claim(:worker);
select r.request_id as page from orderlatch_data.broker_reads as r where r.purpose = 'proof' \gset
select is(test.record(test.answer_status(:'page', 200, jsonb_build_array(pg_temp.next(:'f', 'f2', 'f1', jsonb_build_object('client_order_id', :'f')))::text)), 'orders_listed',
          'a complete list without its order, but with what replaced it');
select is(test.status(:'f'), 'in_doubt', 'proves no absence');
select test_support.advance_clock('3 seconds');
select c.request_id as read from test.claim(:worker) as c where c.path = '/v2/orders/f1' \gset
select test.record(test.answer_status(:'read', 200, pg_temp.first(:'f', 'f1', '{"status": "replaced"}')::text));
select is(test.status(:'f'), 'submitted', 'its order ends the doubt');

-- An operator adopted the newest of a chain; the first is no second order.
select pg_temp.given('G') as g \gset
select test.record(test.answer_maybe(test.holder(:'g')));
select orderlatch.resolve_in_doubt(:'g', 'adopt', '{"broker_order_id": "g3", "status": "filled"}');
select is((test.broker_order('g3')).status || ' ' || (test.broker_order('g3')).is_open, 'unknown true', 'what an adopted order is like only the broker says');
select test.tell(:worker, 'new', pg_temp.next(:'g', 'g3', 'g2', jsonb_build_object('client_order_id', :'g')));
select is((test.broker_order('g3')).status, 'accepted', 'and it is believed');
select test.tell(:worker, 'new', pg_temp.next(:'g', 'g2', 'g1', '{"status": "replaced"}') || jsonb_build_object('client_order_id', :'g'));
select test.tell(:worker, 'new', pg_temp.first(:'g', 'g1', '{"status": "replaced"}'));
select is(pg_temp.chain(:'g'), '{"g1 order","g2 replacement of g1","g3 replacement of g2"}', 'the chain is put right');
select is(test.incidents() || test.halts(), '{}', 'nothing of it is a duplicate');
select is(pg_temp.execution(:'g'), 'g3 accepted, 0 of 3 orders', 'the newest is where it stands');

-- Two orders of one decision.
select pg_temp.given('H') as h \gset
select test.record(test.answer_status(test.holder(:'h'), 200, pg_temp.first(:'h', 'h1')::text));
select test.tell(:worker, 'new', pg_temp.first(:'h', 'h2'));
select is(pg_temp.chain(:'h'), '{"h1 order","h2 duplicate"}', 'a second order that replaces none is a duplicate');
select is(test.incidents() || test.halts(), '{duplicate_order,duplicate_order}', 'an incident, and the account is halted at once');
select is((select i.detail from orderlatch_data.incidents as i where i.incident = 'duplicate_order'), '{"known": "h1", "also": "h2"}'::jsonb, 'it names both');
select test_support.advance_clock('2 minutes');
select orderlatch.close_incident(i.incident_id, 'seen') from orderlatch.open_incidents as i;
select orderlatch.lift_halt(s.halt_id, 'go on') from orderlatch.standing_halts as s;
select test.serve(:worker, jsonb_build_object('orders', jsonb_build_array(pg_temp.first(:'h', 'h1'), pg_temp.first(:'h', 'h2'))));
select is(test.incidents() || test.halts(), '{}', 'what a person has looked at is not reported again with every list');
select is(pg_temp.execution(:'h'), 'h1 accepted, 0 of 1 orders', 'a duplicate is no part of the execution');
-- One that replaces an order of somebody else, under the decision's id.
select test.tell(:worker, 'new', test.a_broker_order('not-ours', '{"symbol": "H"}'));
select test.tell(:worker, 'new', pg_temp.next(:'h', 'h3', 'not-ours', jsonb_build_object('client_order_id', :'h')));
select is(pg_temp.chain(:'h'), '{"h1 order","h2 duplicate","h3 duplicate of not-ours","not-ours order (foreign)"}', 'an order that replaces another''s is a duplicate too');
select is(test.incidents() || test.halts(), '{duplicate_order,duplicate_order}', 'and halts the account');
select orderlatch.close_incident(i.incident_id, 'seen') from orderlatch.open_incidents as i;
select orderlatch.lift_halt(s.halt_id, 'go on') from orderlatch.standing_halts as s;

-- Legs: from the answer to the submit, from a list, and before their parent.
select pg_temp.given('I') as i \gset
select jsonb_build_array(test.a_broker_order('i-t', '{"symbol": "I", "side": "sell", "status": "held"}'),
                         test.a_broker_order('i-s', '{"symbol": "I", "side": "sell", "status": "held"}')) as legs \gset
select test.record(test.answer_status(test.holder(:'i'), 200, pg_temp.first(:'i', 'i1', jsonb_build_object('legs', :'legs'::jsonb))::text));
select is(pg_temp.chain(:'i'), '{"i-s leg of i1","i-t leg of i1","i1 order"}', 'the legs in the answer to a submit are the decision''s');
select pg_temp.given('J') as j \gset
select replace(:'legs', '"i-', '"j-')::jsonb as legs \gset
select replace(:'legs', '"I"', '"J"')::jsonb as legs \gset
select test.record(test.answer_status(test.holder(:'j'), 200, pg_temp.first(:'j', 'j1')::text));
select test_support.advance_clock('2 minutes');
select test.claim(:worker);
select test.record(test.answer_status((test.standing_read('open_orders')).request_id, 200, :'legs'));
select is(pg_temp.chain(:'j'), '{"j-s order (foreign)","j-t order (foreign)","j1 order"}', 'a list without nesting does not say whose legs they are');
select test.record(test.answer_status((test.standing_read('orders')).request_id, 200, jsonb_build_array(pg_temp.first(:'j', 'j1', jsonb_build_object('legs', :'legs'::jsonb)))::text));
select is(pg_temp.chain(:'j'), '{"j-s leg of j1","j-t leg of j1","j1 order"}', 'one with nesting does');
select is((select array_agg(b.broker_order_id) from orderlatch_data.broker_orders as b where b.foreign_at is not null), '{not-ours}',
          'and nobody took them for foreign meanwhile');
-- A leg that is replaced is the decision's, but no part of its execution.
select test.tell(:worker, 'new', test.a_broker_order('j-s2', '{"symbol": "J", "side": "sell", "replaces": "j-s", "filled_qty": "10", "status": "filled"}'));
select is(pg_temp.chain(:'j') @> '{"j-s2 replacement of j-s"}', true, 'what replaces a leg is the decision''s');
select is(pg_temp.execution(:'j'), 'j1 accepted, 0 of 1 orders', 'what its legs fill is not what it filled');
select is(test.broken_promises(), '{}', 'no promise is broken');
select results_eq($$ select x.relation, count(*)::integer from orderlatch.executions as x where x.symbol in ('I', 'J') group by x.relation order by 1 $$,
                  $$ values ('leg', 4), ('order', 2), ('replacement', 1) $$, 'each is one row');

select * from finish();
rollback;
