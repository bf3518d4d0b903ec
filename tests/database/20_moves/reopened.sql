-- From a verdict there is one way back: the broker shows the order all the same.
begin;
select plan(24);

select test_support.hold_clock('2026-03-02 15:00:00Z');
create temporary table worlds as
  select s.status, test.given_account(s.status) as account, test.given_worker(s.status) as worker_id, null::text as decision_hash
    from unnest('{rejected,withdrawn,lapsed,refused}'::text[]) as s(status);
update worlds set decision_hash = test.given_decision_in(worlds.status, worlds.worker_id);

-- Opened again as something else.
select throws_ok(
         format(
           $$ insert into orderlatch_data.open_decisions
                (decision_id, account_id, symbol, lock_key, status, lapse_at, next_try_at, move_reason)
              select d.decision_id, d.account_id, d.symbol, 0, 'planned', d.recorded_at, d.recorded_at, 'by hand'
                from orderlatch_data.trade_decisions as d
               where d.decision_id = %s $$,
           test.decision_id(w.decision_hash)
         ),
         'OL903', null, format('a decision that was %s is not born again', w.status)
       )
  from worlds as w;

-- The broker's list shows an order of each.
select is(
         orderlatch_data.record_order(test.decision_id(w.decision_hash), test.order_document(w.decision_hash), null),
         'order_exists', format('the order of a decision that was %s is a fact', w.status)
       )
  from worlds as w;
select is(
         (test.moves(w.decision_hash))[cardinality(test.moves(w.decision_hash))], w.status || '>submitted',
         format('a decision that was %s becomes submitted, with its event', w.status)
       )
  from worlds as w;
select results_eq(
         format(
           $$ select o.status, e.from_status, e.to_status, e.reason
                from orderlatch_data.decision_outcomes as o
                join orderlatch_data.decision_events as e on e.decision_id = o.decision_id and e.event_id = o.event_id
               where o.decision_id = %s $$,
           test.decision_id(w.decision_hash)
         ),
         format(
           $$ values ('submitted', %L, 'submitted', 'the broker has order order-%s') $$,
           w.status, test.decision_id(w.decision_hash)
         ),
         format('the outcome of a decision that was %s follows the event', w.status)
       )
  from worlds as w;
select results_eq(
         format(
           $$ select i.incident, i.decision_id, i.detail ->> 'status', h.reason, h.strategy_id, h.symbol
                from orderlatch_data.incidents as i
                join orderlatch_data.halts as h on h.account_id = i.account_id and h.lifted_at is null
               where i.account_id = %s $$,
           test.account_id(w.account)
         ),
         format(
           $$ values ('order_despite_verdict', %s::bigint, %L, 'order_despite_verdict', null::text, null::text) $$,
           test.decision_id(w.decision_hash), w.status
         ),
         format('an order of a decision that was %s is an incident and halts the account', w.status)
       )
  from worlds as w;
select is(
         (
           select p.outcome
             from orderlatch_data.trade_decisions as d,
                  orderlatch.propose_decision(
                    w.account,
                    test.a_decision(
                      jsonb_build_object(
                        'symbol', d.symbol, 'event_ts', orderlatch_data.canonical_time(d.event_ts), 'qty', '11'
                      )
                    )
                  ) as p
            where d.decision_id = test.decision_id(w.decision_hash)
         ),
         'conflict', format('the signal of a decision that was %s is taken again', w.status)
       )
  from worlds as w;

select * from finish();
rollback;
