-- An operator may sign for what the broker does not say; nothing else may.
begin;
select plan(37);

select test_support.hold_clock('2026-03-02 15:00:00Z');
select test.given_account('paper', '{"max_in_doubt": 100}');
select test.given_account('other');
select test.given_worker() as worker \gset
select test.given_submitting_decision(:worker) as decision \gset
create function pg_temp.resolve(p_decision_hash text, p_verdict text, p_evidence text) returns text language sql immutable as $$
  select format('select orderlatch.resolve_in_doubt(%L, %L, %L)', p_decision_hash, p_verdict, p_evidence)
$$;

select throws_ok(pg_temp.resolve(:'decision', 'absent', '{"note": "x"}'), 'OL203', null,
                 'a decision that is submitting is not in doubt');
select test.record(test.answer_maybe(test.holder(:'decision')));
select throws_ok(pg_temp.resolve(r.decision_hash, r.verdict, r.evidence), r.code, null, r.title)
  from (
    values (null, 'absent', '{"note": "x"}', 'OL131', 'a decision without a hash is refused'),
           ('abc', 'absent', '{"note": "x"}', 'OL131', 'so is a hash that is none'),
           (repeat('0', 64), 'absent', '{"note": "x"}', 'OL103', 'a decision that nobody knows is refused'),
           (:'decision', 'lost', '{"note": "x"}', 'OL131', 'a verdict that is none is refused'),
           (:'decision', null, '{"note": "x"}', 'OL131', 'so is no verdict'),
           (:'decision', 'absent', null, 'OL307', 'a verdict without evidence is refused'),
           (:'decision', 'absent', '{}', 'OL307', 'empty evidence is none'),
           (:'decision', 'absent', '["seen"]', 'OL307', 'a list is none'),
           (:'decision', 'absent', jsonb_build_object('note', repeat('x', 16384))::text, 'OL307', 'more than 16 KiB is refused'),
           (:'decision', 'adopt', '{"note": "x"}', 'OL307', 'to adopt, the evidence must name an order'),
           (:'decision', 'adopt', '{"broker_order_id": ""}', 'OL307', 'one that has an id'),
           (:'decision', 'adopt', '{"broker_order_id": "a b"}', 'OL307', 'without blanks'),
           (:'decision', 'adopt', '{"broker_order_id": 5}', 'OL307', 'and is a text'),
           (:'decision', 'adopt', '{"broker_order_id": "61e69015–8549"}', 'OL307',
            'that can be asked for: not with a dash of a word processor, as it would never be read, nor canceled'),
           (:'decision', 'adopt', '{"broker_order_id": "?"}', 'OL307', 'nor what would ask for every order'),
           (:'decision', 'adopt', jsonb_build_object('broker_order_id', repeat('x', 129))::text, 'OL307',
            'of 128 characters at most')
  ) as r(decision_hash, verdict, evidence, code, title);
select is(test.moves(:'decision'), '{none>planned,planned>approved,approved>submitting,submitting>in_doubt}',
          'what was refused left no trace');

-- Who may.
create role hand login;
grant orderlatch_operator to hand;
select test_support.act_as('hand');
select throws_ok(pg_temp.resolve(:'decision', 'absent', '{"note": "x"}'), 'OL301', null,
                 'an operator that is not bound to the account may not');
reset session authorization;
select orderlatch.bind_login('hand', 'other');
select test_support.act_as('hand');
select throws_ok(pg_temp.resolve(:'decision', 'absent', '{"note": "x"}'), 'OL301', null, 'nor one that is bound to another');
reset session authorization;
revoke orderlatch_operator from hand;
grant orderlatch_strategy to hand;
select orderlatch.bind_login('hand', 'paper');
select test_support.act_as('hand');
select throws_ok(pg_temp.resolve(:'decision', 'absent', '{"note": "x"}'), '42501', null, 'a strategy may not');
reset session authorization;
grant orderlatch_operator to hand;
select test_support.act_as('hand');
select is(orderlatch.resolve_in_doubt(:'decision', 'absent', '{"note": "the broker''s page shows nothing", "ticket": 7}'),
          'approved',
          'an operator that is bound to the account may');
reset session authorization;
select is((select e.moved_by || ' ' || e.reason from orderlatch_data.decision_events as e where e.from_status = 'in_doubt'),
          'hand declared absent by hand: to be sent again', 'and has signed for it');
select is((select e.evidence from orderlatch_data.decision_events as e where e.from_status = 'in_doubt'),
          '{"note": "the broker''s page shows nothing", "ticket": 7}'::jsonb, 'with the evidence');
select throws_ok(pg_temp.resolve(:'decision', 'absent', '{"note": "x"}'), 'OL203', null, 'a doubt is resolved once');

-- The broker is right about orders all the same.
select test.record(test.answer_status(gen_random_uuid(), 200, test.order_document(:'decision')::text));
select is(test.status(:'decision'), 'submitted', 'an order of a decision that was declared absent exists');

-- Adopted unseen, and seen later.
select test_support.advance_clock('1 minute');
select test.given_submitting_decision(:worker, '{"symbol": "B"}') as adopted \gset
select test.record(test.answer_maybe(test.holder(:'adopted')));
select (test.claim_one(:worker, 'find_order')).request_id as lookup \gset
select is(orderlatch.resolve_in_doubt(:'adopted', 'adopt', '{"broker_order_id": "by-hand"}'), 'submitted', 'an order is adopted');
select is((select jsonb_strip_nulls(to_jsonb(x)) - '{order_no,decision_id,account_id,recorded_at,changed_at}'::text[]
             from orderlatch_data.broker_orders as x where x.broker_order_id = 'by-hand'),
          '{"broker_order_id": "by-hand", "status": "unknown", "is_open": true, "relation": "order", "filled_qty": 0,
            "shown_filled_qty": 0, "fills_qty": 0, "fills_value": 0, "has_reversals": false,
            "symbol": "B", "side": "buy", "order_type": "market"}'::jsonb, 'of which nothing is known but its id');
select is((select c.reason from orderlatch_data.order_checks as c where c.broker_order_id = 'by-hand'),
          'adopted by an operator', 'so that it is to be read');
select is(test.record(test.answer_absent(:'lookup')), 'stale', 'a lookup that comes back empty is stale');
select test.record(test.answer_status(gen_random_uuid(), 200, test.order_document(:'adopted', '{"id": "by-hand", "status": "filled", "filled_qty": "10"}')::text));
select is((select x.status || ' ' || x.filled_qty from orderlatch_data.broker_orders as x where x.broker_order_id = 'by-hand'),
          'filled 10', 'shown later it is known');
select is(test.record(test.answer_order(:'lookup', '{"id": "another"}')), 'order_exists', 'another order of the same decision');
select is(test.incidents() || test.halts(), '{duplicate_order,duplicate_order}', 'is one too many');

-- In doubt for an order with other terms, while its own submit is under way.
select test_support.advance_clock('1 minute');
select orderlatch.lift_halt(h.halt_id, 'looked into') from orderlatch.standing_halts as h;
select test.given_submitting_decision(:worker, '{"symbol": "C"}') as under_way \gset
select test.record(test.answer_status(gen_random_uuid(), 200, test.order_document(:'under_way', '{"time_in_force": "gtc"}')::text));
select throws_ok(pg_temp.resolve(:'under_way', 'absent', '{"note": "x"}'), 'OL203', null,
                 'what is on its way cannot be declared absent');
select is(test.status(:'under_way'), 'in_doubt', 'it stays in doubt');
select test.record(test.answer_not_sent(test.holder(:'under_way')));
select is(orderlatch.resolve_in_doubt(:'under_way', 'absent', '{"note": "cancelled by hand"}'), 'lapsed',
          'once it is answered it can: under the halt it lapses');
select is(test.broken_promises(), '{}', 'no promise is broken');

select * from finish();
rollback;
