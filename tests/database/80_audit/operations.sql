-- Accounts, halts, incidents, workers and limits, as people read them.
begin;
select plan(16);

select test_support.hold_clock('2026-03-02 15:00:00Z');

-- accounts ------------------------------------------------------------------------------------------------------------

select test.given_account('paper', '{"max_submits": 2, "absence_quiet": "90 seconds"}');
select test.given_account('live', '{"broker_account_id": "4f1c"}', 'live');
select results_eq(
  $$ select a.account, a.environment, a.broker_account_id, a.max_submits, a.absence_quiet, a.paused_until, a.last_read_at,
            a.created_at, a.created_by
       from orderlatch.accounts as a $$,
  $$ values ('live', 'live', '4f1c', 3::smallint, interval '60 seconds', null::timestamptz, null::timestamptz,
             '2026-03-02 15:00:00Z'::timestamptz, session_user::text collate "default"),
            ('paper', 'paper', null, 2::smallint, '90 seconds', null, null, '2026-03-02 15:00:00Z', session_user) $$,
  'accounts shows each account with its settings'
);
select is_empty(
  $$ select a.attname from pg_attribute as a
      where a.attrelid = 'orderlatch_data.accounts'::regclass and a.attnum > 0 and a.attname <> 'account_id'
     except
     select a.attname from pg_attribute as a where a.attrelid = 'orderlatch.accounts'::regclass $$,
  'every setting of an account is a column of the view'
);
create temporary table worlds as select test.given_worker() as worker_id;
select is(
  (select a.last_read_at from orderlatch.accounts as a where a.account = 'paper'), '2026-03-02 15:00:00Z'::timestamptz,
  'a read of the broker that succeeded shows'
);
create temporary table sent as select test.given_submitting_decision(w.worker_id) as decision_hash from worlds as w;
select test.record(test.answer_error(test.holder(s.decision_hash), 429, 42910000, 'rate limit exceeded', '{"retry-after": "7"}'))
  from sent as s;
select is(
  (select a.paused_until from orderlatch.accounts as a where a.account = 'paper'), '2026-03-02 15:00:07Z'::timestamptz,
  'a 429 shows for as long as it lasts'
);

-- standing_halts ------------------------------------------------------------------------------------------------------

select is_empty($$ select h.* from orderlatch.standing_halts as h $$, 'nothing is halted at first');
select orderlatch.halt('all of it');
select test_support.advance_clock('1 second');
select orderlatch.halt('too wild', 'paper', 'momentum', 'GOOG');
select results_eq(
  $$ select h.account, h.strategy_id, h.symbol, h.reason, h.halted_at, h.halted_by from orderlatch.standing_halts as h $$,
  $$ values ('(every account)', null, null, 'all of it', '2026-03-02 15:00:00Z'::timestamptz, session_user::text collate "default"),
            ('paper', 'momentum', 'GOOG', 'too wild', '2026-03-02 15:00:01Z', session_user) $$,
  'halts show with their scope, the oldest first'
);
select orderlatch.lift_halt((select min(h.halt_id) from orderlatch.standing_halts as h), 'over');
select results_eq(
  $$ select h.reason from orderlatch.standing_halts as h $$, $$ values ('too wild') $$, 'a lifted halt does not stand'
);

-- open_incidents ------------------------------------------------------------------------------------------------------

select is_empty($$ select i.* from orderlatch.open_incidents as i $$, 'there is no incident at first');
select test.record(test.answer_order(test.holder(s.decision_hash), '{"qty": "11"}')) from sent as s;
select results_eq(
  $$ select i.account, i.incident, i.opened_at, i.detail, i.decision_hash, i.request_id from orderlatch.open_incidents as i $$,
  $$ select 'paper', 'order_mismatch', '2026-03-02 15:00:01Z'::timestamptz,
            '{"broker_order_id": "order-1", "differences": {"qty": {"shown": "11", "decided": "10"}}}'::jsonb,
            s.decision_hash, test.holder(s.decision_hash)
       from sent as s $$,
  'an incident shows with what differs, its decision and the request that showed it'
);
select results_eq(
  $$ select h.reason from orderlatch.standing_halts as h $$, $$ values ('too wild'), ('order_mismatch') $$,
  'the halt of an incident bears its name'
);
select orderlatch.close_incident((select i.incident_id from orderlatch.open_incidents as i), 'adopted by hand');
select is_empty($$ select i.* from orderlatch.open_incidents as i $$, 'a closed incident is not open');

-- workers -------------------------------------------------------------------------------------------------------------

select test_support.advance_clock('1 second');
create temporary table strangers as select test.given_stranger('paper', 'live') as worker_id;
select results_eq(
  $$ select k.worker_id, k.worker_name, k.login, k.registered_at, k.released_at, k.alive, k.accounts
       from orderlatch.workers as k
      order by k.worker_id $$,
  $$ select w.worker_id, 'worker', session_user::text collate "default", '2026-03-02 15:00:00Z'::timestamptz, null::timestamptz, true, '{paper}'::text[]
       from worlds as w
     union all
     select s.worker_id, 'worker', session_user, '2026-03-02 15:00:02Z', null, true, '{live (not verified),paper (not verified)}'
       from strangers as s $$,
  'workers shows each life, and for which accounts its keys are proved'
);
select orderlatch.release_worker(s.worker_id) from strangers as s;
select test.kill_worker(w.worker_id) from worlds as w;
select results_eq(
  $$ select k.released_at, k.alive from orderlatch.workers as k order by k.worker_id $$,
  $$ values (null, false), ('2026-03-02 15:00:02Z'::timestamptz, false) $$,
  'one that died and one that said goodbye live no more'
);

-- limits --------------------------------------------------------------------------------------------------------------

select results_eq(
  $$ select l.limit_kind, l.account, l.enabled from orderlatch.limits as l $$,
  $$ select 'opposite_order', a.account, true from orderlatch_data.accounts as a order by a.account_id $$,
  'each account has opposite_order at first, and no other limit'
);
select orderlatch.set_limit('order_quantity', 100);
select orderlatch.set_limit('order_notional', 2500.50, 'paper', 'momentum', 'goog', false);
select results_eq(
  $$ select l.limit_kind, l.ceiling, l.unit, l.account, l.strategy_id, l.symbol, l.enabled, l.set_at, l.set_by
       from orderlatch.limits as l
      where l.limit_kind <> 'opposite_order' $$,
  $$ values ('order_quantity', 100, 'shares, coins or contracts', '(any)', '(any)', '(any)', true,
             '2026-03-02 15:00:02Z'::timestamptz, session_user::text collate "default"),
            ('order_notional', 2500.50, 'dollars', 'paper', 'momentum', 'GOOG', false, '2026-03-02 15:00:02Z', session_user) $$,
  'limits shows scope, ceiling and unit, and whether it is in force'
);
select orderlatch.set_limit('order_quantity', 50);
select is(
  (select array_agg(l.ceiling) from orderlatch.limits as l where l.limit_kind = 'order_quantity'), '{50}', 'a limit that is set again has changed'
);

select * from finish();
rollback;
