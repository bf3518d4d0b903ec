-- Orders of nobody here are kept and reported as the account chose; never adopted, never canceled. Lost decisions come back.
begin;
select plan(35);

select test_support.hold_clock('2026-03-02 16:00:00Z');
select test.given_mirrored_account(a.account, jsonb_build_object('reconcile_from', '2026-03-02T14:00:00Z', 'on_foreign_order', a.account))
  from unnest('{ignore,warn,halt}'::text[]) as a(account);
select test.given_worker('ignore', 'warn', 'halt') as worker \gset
select jsonb_build_object('orders', jsonb_build_array(
  test.a_broker_order('by-hand', '{"submitted_at": "2026-03-02T15:00:00Z"}'),
  test.a_broker_order('old', '{"submitted_at": "2026-03-02T13:00:00Z"}'),
  test.a_broker_order('entry', jsonb_build_object('submitted_at', '2026-03-02T15:01:00Z', 'legs', jsonb_build_array(test.a_broker_order('leg', '{"submitted_at": "2026-03-02T15:01:00Z"}')))),
  test.a_broker_order('next', '{"submitted_at": "2026-03-02T15:02:00Z", "replaces": "entry"}'))) as book \gset
-- The old one is only in the list of open orders.
select test.serve(:worker, :'book');
select results_eq($$ select f.account, count(*)::integer from orderlatch.foreign_orders as f group by f.account order by 1 $$,
                  $$ values ('halt', 4), ('ignore', 4), ('warn', 4) $$, 'orders of nobody here are kept for every account, legs and replacements too');
select results_eq($$ select a.account, i.incident, i.detail from orderlatch_data.incidents as i join orderlatch_data.accounts as a on a.account_id = i.account_id
                      where i.closed_at is null order by 1 $$,
                  $$ values ('halt', 'foreign_order', '{"orders": 4, "for_example": "by-hand", "symbol": "GOOG"}'::jsonb),
                            ('warn', 'foreign_order', '{"orders": 4, "for_example": "by-hand", "symbol": "GOOG"}') $$,
                  'warn and halt report them, in one incident however many there are');
select results_eq($$ select a.account, h.reason from orderlatch_data.halts as h join orderlatch_data.accounts as a on a.account_id = h.account_id $$,
                  $$ values ('halt', 'foreign_order') $$, 'halt halts');
select test_support.advance_clock('2 minutes');
select test.serve(:worker, :'book');
select is((select count(*)::integer from orderlatch.foreign_orders as f where f.broker_order_id = 'old'), 3, 'one from before the account was taken on is foreign');
select is((select array_agg(distinct f.origin) from orderlatch.foreign_orders as f where f.broker_order_id = 'old'), '{"from before the account was taken on"}', 'and says so');
select orderlatch.close_incident(i.incident_id, 'that was me') from orderlatch.open_incidents as i;
select orderlatch.lift_halt(s.halt_id, 'that was me') from orderlatch.standing_halts as s;
select test_support.advance_clock('2 minutes');
select test.serve(:worker, :'book');
select is(test.incidents() || test.halts(), '{}', 'what was reported once is not reported again');
select test.serve(:worker, jsonb_set(:'book', '{orders,0}', test.a_broker_order('by-hand', '{"submitted_at": "2026-03-02T15:00:00Z", "status": "filled", "filled_qty": "10", "updated_at": "2026-03-02T16:03:00Z"}')));
select is((select count(*)::integer from orderlatch_data.order_cancels) || ' ' || (select count(*)::integer from orderlatch_data.trade_decisions), '0 0',
          'nothing is canceled, nothing adopted');
-- What the stream shows is judged by the next complete read that began after it.
select test.tell(:worker, 'new', test.a_broker_order('streamed', '{"submitted_at": "2026-03-02T16:04:00Z"}'), p_account => 'warn');
select is(test.incidents(), '{}', 'the stream alone calls no order foreign');
select test_support.advance_clock('2 minutes');
select jsonb_set(:'book', '{orders,9}', test.a_broker_order('streamed', '{"submitted_at": "2026-03-02T16:04:00Z"}')) as book \gset
select test.serve(:worker, :'book');
select is((select array_agg(i.detail ->> 'for_example') from orderlatch_data.incidents as i where i.closed_at is null), '{streamed,streamed}', 'a complete read does');
select orderlatch.close_incident(i.incident_id, 'that was me') from orderlatch.open_incidents as i;
select orderlatch.lift_halt(s.halt_id, 'that was me') from orderlatch.standing_halts as s;
-- Without a time of submission, too.
select test.tell(:worker, 'new', test.a_broker_order('timeless', '{"submitted_at": null}'), p_account => 'warn');
select test_support.advance_clock('2 minutes');
select test.serve(:worker, jsonb_set(:'book', '{orders,10}', test.a_broker_order('timeless', '{"submitted_at": "2026-03-02T16:06:00Z", "status": "canceled"}')));
select is((select i.detail ->> 'for_example' from orderlatch_data.incidents as i where i.closed_at is null and i.account_id = test.account_id('warn')), 'timeless', 'an order without a time is foreign like others');
select orderlatch.close_incident(i.incident_id, 'that was me') from orderlatch.open_incidents as i;
select orderlatch.lift_halt(s.halt_id, 'that was me') from orderlatch.standing_halts as s;

-- A lost decision: its order carries a hash that nobody knows.
select test.a_decision('{"leg": "lost"}') as lost \gset
select orderlatch.decision_hash(a.account, :'lost') as lost_warn from (values ('warn')) as a(account) \gset
select orderlatch.decision_hash(a.account, :'lost') as lost_halt from (values ('halt')) as a(account) \gset
select test_support.advance_clock('2 minutes');
create function pg_temp.lost_order(p_id text, p_hash text, p_members jsonb default '{}') returns jsonb language sql as $$
  select test.a_broker_order(p_id, jsonb_build_object('client_order_id', p_hash, 'submitted_at', '2026-03-02T16:08:00Z', 'status', 'filled', 'filled_qty', '10') || p_members)
$$;
select test.claim(:worker);
select test.record(test.answer_status((test.standing_read('orders', a.account)).request_id, 200, jsonb_build_array(pg_temp.lost_order('lost-' || a.account, a.hash))::text))
  from (values ('warn', :'lost_warn'), ('halt', :'lost_halt')) as a(account, hash);
select is(test.incidents(), '{decision_lost,decision_lost}', 'an order of a lost decision is an incident of its own');
select is(test.halts(), '{}', 'but no order of somebody else''s: it halts nothing');
select is((select f.origin from orderlatch.foreign_orders as f where f.broker_order_id = 'lost-warn'), 'of a decision that this database does not know', 'the view says what it is');
-- Proposed again, in two accounts.
select is((select p.status || ' ' || p.outcome from orderlatch.propose_decision('warn', :'lost') as p), 'submitted created', 'proposed again it has its order before any call');
select is((select array_agg(a.account) from orderlatch_data.incidents as i join orderlatch_data.accounts as a on a.account_id = i.account_id where i.closed_at is null), '{halt}',
          'its incident is closed by itself, that of the other account is not');
select is((select b.decision_id = test.decision_id(:'lost_warn') and b.foreign_at is null and b.document is null from test.broker_order('lost-warn', 'warn') as b), true, 'the order is foreign no more');
select is(test.moves(:'lost_warn'), '{none>planned,planned>submitted}', 'nothing was sent for it');
select is((select p.status from orderlatch.propose_decision('halt', :'lost') as p), 'submitted', 'so does the other');
select is(test.incidents(), '{}', 'no incident is left');
-- Known from a fill first: its order is a lost decision's all the same.
select test.a_decision('{"leg": "filled"}') as lost \gset
select orderlatch.decision_hash('warn', :'lost') as lost_hash \gset
select test.record(test.answer_status((test.standing_read('fills', 'warn')).request_id, 200, jsonb_build_array(test.a_fill('filled-first', 'ff'))::text));
select test_support.advance_clock('2 minutes');
select test.claim(:worker);
select test.record(test.answer_status((test.standing_read('orders', 'warn')).request_id, 200, jsonb_build_array(pg_temp.lost_order('filled-first', :'lost_hash'))::text));
select is(test.incidents(), '{decision_lost}', 'an order that a fill told of first is one of a lost decision too');
select is((select p.status from orderlatch.propose_decision('warn', :'lost') as p), 'submitted', 'proposed again it has its order');
select is(test.incidents(), '{}', 'which ends the incident');

-- With a replacement that carries the id on: both are the decision's.
select test.a_decision('{"leg": "chain"}') as lost \gset
select orderlatch.decision_hash('warn', :'lost') as lost_hash \gset
select test.tell(:worker, 'new', pg_temp.lost_order('chain-2', :'lost_hash', '{"replaces": "chain-1"}'), p_account => 'warn');
select test.tell(:worker, 'new', pg_temp.lost_order('chain-1', :'lost_hash', '{"status": "replaced", "replaced_by": "chain-2", "filled_qty": "0"}'), p_account => 'warn');
select is((select p.status from orderlatch.propose_decision('warn', :'lost') as p), 'submitted', 'a lost decision whose order was replaced');
select results_eq(format($$ select b.broker_order_id, b.relation from orderlatch_data.broker_orders as b where b.decision_id = test.decision_id(%L) order by 1 $$, :'lost_hash'),
                  $$ values ('chain-1', 'order'), ('chain-2', 'replacement') $$, 'has both');
select is(test.incidents(), '{}', 'neither is a duplicate');

-- With other terms: nobody's, until a person says whose; said once it is not asked again.
select test_support.advance_clock('2 minutes');
select test.claim(:worker);
select test.given_approved_decision('warn', '{"leg": "bent"}') as bent \gset
select test.tell(:worker, 'new', pg_temp.lost_order('bent-1', :'bent', '{"qty": "11"}'), p_account => 'warn');
select is(test.status(:'bent'), 'in_doubt', 'an order with the id of a decision and other terms puts it in doubt');
select is(test.incidents() || test.halts(), '{order_mismatch,order_mismatch}', 'with an incident, under a halt');
select test_support.advance_clock('2 minutes');
select jsonb_build_object('orders', jsonb_build_array(pg_temp.lost_order('bent-1', :'bent', '{"qty": "11"}'))) as book \gset
select test.serve(:worker, :'book');
select is((select count(*)::integer from orderlatch_data.incidents as i where i.incident in ('foreign_order', 'decision_lost') and i.closed_at is null
            and i.account_id = test.account_id('warn')), 0, 'it is neither foreign nor of a lost decision');
select orderlatch.close_incident(i.incident_id, 'looked into') from orderlatch.open_incidents as i;
select orderlatch.lift_halt(s.halt_id, 'looked into') from orderlatch.standing_halts as s;
select test_support.advance_clock('2 minutes');
select test.serve(:worker, :'book');
select is((select array_agg(i.incident) from orderlatch_data.incidents as i where i.incident = 'order_mismatch' and i.closed_at is null), null,
          'while it waits for a person it is not reported with every list');
select is(orderlatch.resolve_in_doubt(:'bent', 'absent', '{"note": "typed in by hand"}'), 'approved', 'a person says that it is not its order');
select test_support.advance_clock('2 minutes');
select test.serve_once(:worker, :'book');
select is(test.status(:'bent'), 'submitting', 'the decision is sent, however often that order is listed');
select is((select array_agg(i.incident) from orderlatch_data.incidents as i where i.incident = 'order_mismatch' and i.closed_at is null), null, 'and nobody asks again');
select test.record(test.answer_error(test.holder(:'bent'), 422, 40010001, 'client_order_id must be unique'));
select test_support.advance_clock('2 minutes');
select test.serve(:worker, :'book');
select is(test.status(:'bent') || ' ' || (test.doubt(:'bent')).mismatched, 'in_doubt true', 'sent again it is refused for that order''s id, and looked up');
select is((select array_agg(i.incident) from orderlatch_data.incidents as i where i.incident = 'order_mismatch' and i.closed_at is null), '{order_mismatch}',
          'then a person is asked again');
select is(test.broken_promises(), '{}', 'no promise is broken');

select * from finish();
rollback;
