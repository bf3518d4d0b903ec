-- One live decision for each signal: strategy, symbol, timeframe, event and leg of an account.
begin;
select plan(17);

select test_support.hold_clock('2026-03-02 15:00:00Z');
select test.given_account();
create temporary table first as
  select d.decision, p.decision_id, p.decision_hash
    from (select test.a_decision() as decision) as d
   cross join lateral orderlatch.propose_decision('paper', d.decision) as p;

-- Another intent for the same signal, however it differs.
select results_eq(
         format(
           $$ select p.status, p.outcome, p.reasons
                from first as f, orderlatch.propose_decision('paper', f.decision || %L) as p $$, c.members
         ),
         $$ values ('rejected', 'conflict', '{signal_already_decided}'::text[]) $$,
         format('another %s for the same signal is a conflict', c.title)
       )
  from (
    values
      ('{"qty": "11"}', 'quantity'), ('{"action": "sell"}', 'side'), ('{"order_type": "limit", "limit_price": "190"}', 'type'),
      ('{"params": {"fast": 10}}', 'set of params'), ('{"time_in_force": "gtc"}', 'time in force')
  ) as c(members, title);

-- Another signal.
select is(
         (select p.outcome from first as f, orderlatch.propose_decision('paper', f.decision || c.members) as p),
         'created', format('another %s is another signal', c.title)
       )
  from (
    values
      ('{"leg": "hedge"}'::jsonb, 'leg'), ('{"symbol": "GOOGL"}', 'symbol'), ('{"strategy_id": "reversal"}', 'strategy'),
      ('{"timeframe": "1h"}', 'timeframe'), ('{"event_ts": "2026-03-02T14:29:59Z"}', 'event')
  ) as c(members, title);

select results_eq(
  $$ select g.decision_id
       from orderlatch_data.live_signals as g
       join orderlatch_data.trade_decisions as d on d.decision_id = g.decision_id
       join first as f on d.strategy_id = f.decision ->> 'strategy_id' and d.symbol = 'GOOG' and d.leg = ''
        and d.event_ts = (f.decision ->> 'event_ts')::timestamptz and d.timeframe = '1d' $$,
  'select f.decision_id from first as f', 'the first decision holds the signal'
);

-- A conflict whose signal is freed at the same moment has a verdict all the same.
create temporary table raced as
  select e.decision_id from orderlatch.ensure_decision('paper', test.a_decision()) as e;
delete from orderlatch_data.live_signals as g using raced as r where g.decision_id = r.decision_id;
select orderlatch_data.reject_conflicts(a, array(select r.decision_id from raced as r))
  from orderlatch_data.accounts as a;
select results_eq(
  $$ select s.status, s.reasons from raced as r, orderlatch_data.status_of(r.decision_id) as s $$,
  $$ values ('rejected', '{signal_already_decided}'::text[]) $$,
  'a conflict is rejected with its reason even when nothing holds the signal any more'
);

-- Of one array the first of a signal is the one, whatever risk says of it; one by one the next is free.
select test.given_account(a.account), orderlatch.set_limit('order_quantity', 10, a.account)
  from (values ('together'), ('apart')) as a(account);
create temporary table tries as
  select array[d.decision || '{"qty": "11"}', d.decision || '{"qty": "9"}'] as of from (select test.a_decision()) as d(decision);
select results_eq(
  $$ select p.status, p.outcome, p.reasons
       from tries as t, orderlatch.propose_decisions('together', to_jsonb(t.of)) as p order by p.input_no $$,
  $$ values ('rejected', 'created', '{order_quantity}'::text[]), ('rejected', 'conflict', '{signal_already_decided}') $$,
  'in one array the second of a signal is a conflict, also where the first is rejected'
);
select results_eq(
  $$ select p.status, p.outcome
       from tries as t cross join unnest(t.of) with ordinality as d(decision, place)
      cross join lateral orderlatch.propose_decision('apart', d.decision) as p order by d.place $$,
  $$ values ('rejected', 'created'), ('approved', 'created') $$, 'in calls of their own the second is a new try'
);

-- The guard switched off.
select test.given_account('unguarded', '{"one_decision_per_signal": false}');
create temporary table delivery as select test.a_decision() as decision;
select results_eq(
  $$ select p.outcome, p.status
       from delivery as d,
            orderlatch.propose_decisions(
              'unguarded', jsonb_build_array(d.decision, d.decision || '{"qty": "11"}', d.decision)
            ) as p $$,
  $$ values ('created', 'approved'), ('created', 'approved'), ('existing', 'approved') $$,
  'an account without the guard takes two decisions for one signal, and each of them once'
);
select is_empty(
  $$ select 1
       from orderlatch_data.live_signals as g
       join orderlatch_data.trade_decisions as d on d.decision_id = g.decision_id
      where d.account_id = test.account_id('unguarded') $$,
  'an account without the guard holds no signals'
);
select orderlatch.update_account('unguarded', '{"one_decision_per_signal": true}');
select results_eq(
  $$ select p.outcome
       from delivery as d,
            lateral (values (1, d.decision || '{"leg": "x"}'), (2, d.decision || '{"leg": "x", "qty": "11"}')) as i(place, decision),
            orderlatch.propose_decision('unguarded', i.decision) as p
      order by i.place $$,
  $$ values ('created'), ('conflict') $$, 'switched on again, the guard holds for new signals'
);

select * from finish();
rollback;
