-- What the tables themselves refuse, whoever writes.
begin;
select plan(18);

select test_support.hold_clock('2026-03-02 15:00:00Z');
select test.given_account();
create temporary table decision as select test.decision_id(test.given_decision()) as decision_id;

-- An open row with some columns changed.
select throws_ok(format('update orderlatch_data.open_decisions set %s', c.change), '23514', null, format('%s is refused', c.title))
  from (
    values
      ($$status = 'approved'$$, 'an approved decision without its number'),
      ($$status = 'approved', approval_no = 1, lookup_first = true$$, 'a clean decision that waits for a lookup'),
      ($$status = 'submitting', approval_no = 1$$, 'a submitting decision without its request'),
      ($$status = 'submitting', holder_request_id = gen_random_uuid()$$, 'a submitting decision that was never approved')
  ) as c(change, title);
select throws_ok(
  'insert into orderlatch_data.open_decisions select o.* from orderlatch_data.open_decisions as o', '23505', null,
  'a second open row of a decision is refused'
);
select throws_ok(
  $$ insert into orderlatch_data.open_decisions
       (decision_id, account_id, symbol, lock_key, status, lapse_at, next_try_at, move_reason)
     values (-1, 1, 'GOOG', 0, 'planned', now(), now(), 'by hand') $$,
  '23503', null, 'an open row of no decision is refused'
);

-- The decision itself, with some columns changed.
select throws_ok(
         format(
           $$ insert into orderlatch_data.trade_decisions
              select (jsonb_populate_record(
                       d, jsonb_build_object('decision_id', -1, 'decision_hash', '\x' || repeat('00', 32)) || %L
                     )).*
                from orderlatch_data.trade_decisions as d $$,
           c.change
         ),
         c.sqlstate, null, format('%s is refused', c.title)
       )
  from (
    values
      ('{"decision_hash": "\\x00"}'::jsonb, '23514', 'a hash that is too short'),
      ('{"action": "hold"}', '23514', 'an action that is neither buy nor sell'),
      ('{"qty": 0}', '23514', 'a quantity of zero'),
      ('{"qty": -1, "notional": 1}', '23514', 'a negative quantity'),
      ('{"notional": 0}', '23514', 'a worth of zero'),
      (jsonb_build_object('intent', repeat('x', 16385)), '23514', 'an intent of more than 16 KiB'),
      ('{"account_id": -1}', '23503', 'a decision of no account'),
      ('{"symbol": null}', '23502', 'a decision without a symbol'),
      ('{"intent": null}', '23502', 'a decision without its intent')
  ) as c(change, sqlstate, title);
select throws_ok(
  $$ insert into orderlatch_data.trade_decisions
     select (jsonb_populate_record(d, '{"decision_id": -1}')).* from orderlatch_data.trade_decisions as d $$,
  '23505', null, 'a second decision with the same hash is refused'
);
select throws_ok(
  'insert into orderlatch_data.live_signals select g.signal_key, g.decision_id from orderlatch_data.live_signals as g', '23505', null,
  'a second decision for a signal is refused'
);

-- A journal entry names an edge, and an outcome an end.
select throws_ok(
  $$ insert into orderlatch_data.decision_outcomes (decision_id, status, event_id, clean, settled_at)
     select e.decision_id, 'planned', e.event_id, true, e.moved_at from orderlatch_data.decision_events as e $$,
  '23514', null, 'an outcome that is no end is refused'
);

select * from finish();
rollback;
