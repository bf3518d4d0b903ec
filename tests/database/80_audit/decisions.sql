-- Decisions, their moves and their calls, as people read them.
begin;
select plan(16);

select test_support.hold_clock('2026-03-02 15:00:00Z');
select test.given_account();
create temporary table worlds as select test.given_worker() as worker_id;
create temporary table hashes as
  select test.given_decision_in('rejected', w.worker_id, '{"symbol": "MSFT"}') as rejected,
         test.given_submitting_decision(w.worker_id, '{"qty": "10.500", "order_type": "limit", "limit_price": "190.10"}') as sent
    from worlds as w;

-- decisions -----------------------------------------------------------------------------------------------------------

create function pg_temp.shown(p_decision_hash text)
returns orderlatch.decisions
language sql
as $$ select d.* from orderlatch.decisions as d where d.decision_hash = p_decision_hash $$;

select results_eq(
  $$ select d.account, d.strategy_id, d.symbol, d.action, d.size, d.order_type, d.time_in_force, d.limit_price, d.stop_price,
            d.status, d.clean, d.reasons, d.broker_order_id, d.recorded_at, d.settled_at
       from hashes as h
      cross join pg_temp.shown(h.sent) as d $$,
  $$ values ('paper', 'momentum', 'GOOG', 'buy', '10.5', 'limit', 'day', 190.10, null::numeric, 'submitting', true, '{}'::text[],
             null::text, '2026-03-02 15:00:00Z'::timestamptz, null::timestamptz) $$,
  'an open decision shows with its terms and its status'
);
select results_eq(
  $$ select d.status, d.reasons, d.settled_at from hashes as h cross join pg_temp.shown(h.rejected) as d $$,
  $$ values ('rejected', '{invalid_order:missing_limit_price}'::text[], '2026-03-02 15:00:00Z'::timestamptz) $$,
  'a rejected one with the reasons'
);
select is(
  (pg_temp.shown(test.given_decision('paper', '{"qty": null, "notional": "100.50", "symbol": "AAPL"}'))).size, '$100.5', 'dollars bear a $'
);
select test_support.advance_clock('1 second');
select test.record(test.answer_maybe(test.holder(h.sent))) from hashes as h;
select is((pg_temp.shown(h.sent)).clean, false, 'one that was in doubt is not clean') from hashes as h;
select test_support.advance_clock('1 second');
select test.record(test.answer_order(test.holder(h.sent), '{"status": "partially_filled", "filled_qty": "4", "filled_avg_price": "190.05"}'))
  from hashes as h;
select results_eq(
  $$ select d.status, d.clean, d.broker_order_id, d.order_status, d.filled_qty, d.filled_avg_price, d.settled_at
       from hashes as h
      cross join pg_temp.shown(h.sent) as d $$,
  $$ select 'submitted', false, 'order-' || test.decision_id(h.sent), 'partially_filled', 4::numeric, 190.05,
            '2026-03-02 15:00:02Z'::timestamptz
       from hashes as h $$,
  'a submitted one with its order in the broker''s words'
);
select is(
  (select count(*) from orderlatch.decisions as d), (select count(*) from orderlatch_data.trade_decisions as t), 'every decision shows once'
);
select isnt(d.status, null, format('with its status: %s', d.status)) from orderlatch.decisions as d;

-- events --------------------------------------------------------------------------------------------------------------

select results_eq(
  $$ select e.account, e.symbol, e.from_status, e.to_status, e.moved_at, e.moved_by, e.reason, e.request_id, e.evidence
       from orderlatch.events as e
       join hashes as h on h.sent = e.decision_hash
      order by e.event_id $$,
  $$ select 'paper', 'GOOG', m.from_status, m.to_status, m.moved_at::timestamptz, session_user::text collate "default", m.reason,
            case when m.by_answer then test.holder(h.sent) end, null::jsonb
       from hashes as h
      cross join (
        values ('none', 'planned', '2026-03-02 15:00:00Z', 'proposed by momentum', false),
               ('planned', 'approved', '2026-03-02 15:00:00Z', 'within all limits', false),
               ('approved', 'submitting', '2026-03-02 15:00:00Z', 'claimed by worker 1', false),
               ('submitting', 'in_doubt', '2026-03-02 15:00:01Z', 'read timeout', true),
               ('in_doubt', 'submitted', '2026-03-02 15:00:02Z', 'the broker has order order-' || test.decision_id(
                 (select g.sent from hashes as g)), true)
      ) as m(from_status, to_status, moved_at, reason, by_answer) $$,
  'events shows every move: when, by whom, why, and the request behind it'
);
select is(
  (select count(*) from orderlatch.events as e), (select count(*) from orderlatch_data.decision_events as e), 'and none is left out'
);

-- wire ----------------------------------------------------------------------------------------------------------------

select results_eq(
  $$ select w.account, w.kind, w.claimed_at, w.method, w.path, w.query, w.request_body::jsonb ->> 'client_order_id' = h.sent,
            w.worker_id, w.answer_by, w.state, w.sent, w.status, w.meaning, w.error, w.elapsed_ms, w.recorded_at, w.body_octets
       from orderlatch.wire as w
       join hashes as h on h.sent = w.decision_hash $$,
  $$ values ('paper', 'submit_order', '2026-03-02 15:00:00Z'::timestamptz, 'POST', '/v2/orders', null::jsonb, true,
             1, '2026-03-02 15:00:20Z'::timestamptz, 'answered', 'maybe', null::smallint, 'in_doubt', 'read timeout', 42,
             '2026-03-02 15:00:01Z'::timestamptz, 0) $$,
  'wire shows the call and what was recorded of it, once'
);
select results_eq(
  $$ select w.kind, w.state, w.status, w.meaning, w.decision_hash from orderlatch.wire as w where w.kind = 'get_account' $$,
  $$ values ('get_account', 'answered', 200::smallint, 'account_verified', null::text) $$,
  'also a call of no decision'
);
create temporary table lost as
  select test.given_submitting_decision(w.worker_id, '{"symbol": "TSLA"}') as decision_hash from worlds as w;
create function pg_temp.state_of(p_decision_hash text)
returns text
language sql
as $$ select w.state from orderlatch.wire as w where w.request_id = test.holder(p_decision_hash) $$;
select is(pg_temp.state_of(l.decision_hash), 'on its way', 'a call is on its way') from lost as l;
select test_support.advance_clock('1 minute');
select test.claim(w.worker_id) from worlds as w;
select is(pg_temp.state_of(l.decision_hash), 'lost: no_answer_in_time', 'then lost') from lost as l;
select test.record(test.answer_error(test.holder(l.decision_hash), 403, 40310000, 'insufficient buying power')) from lost as l;
select results_eq(
  $$ select w.state, w.status, w.meaning, w.code, w.message
       from orderlatch.wire as w
       join lost as l on w.request_id = test.holder(l.decision_hash) $$,
  $$ values ('answered', 403::smallint, 'refused', 40310000::bigint, 'insufficient buying power') $$,
  'and answered, when its answer comes late after all'
);

select * from finish();
rollback;
