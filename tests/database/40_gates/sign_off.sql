-- An operator may let an account submit whose orders cannot be read.
begin;
select plan(12);

select test_support.hold_clock('2026-03-02 15:00:00Z');
create temporary table worlds as select test.given_reconciled_worker() as worker_id;
select test.given_mirrored_account('second');
create role an_operator login in role orderlatch_operator;
create role a_stranger login in role orderlatch_operator;
select orderlatch.bind_login('an_operator', 'paper');
grant select on worlds to public;

select throws_ok(
  $$ select orderlatch.sign_off_reconciliation('paper', 'all is well') $$, 'OL131', null, 'an account that waits for nothing is not signed off'
);
select throws_ok(
  $$ select orderlatch.sign_off_reconciliation('nobody', 'x') $$, 'OL102', null, 'nor one that is not there'
);
create temporary table hashes as select test.given_approved_decision() as decision_hash;
select test_support.advance_clock('1 second');
select test.given_other_server(p_timeline => 7);
select ok(not 'submit_order' = any (test.kinds(w.worker_id)), 'the cluster changes') from worlds as w;

select test_support.act_as('a_stranger');
select throws_ok(
  $$ select orderlatch.sign_off_reconciliation('paper', 'x') $$, 'OL301', null, 'whoever is not bound to the account may not sign'
);
reset session authorization;
select test_support.act_as('an_operator');
select throws_ok(
  $$ select orderlatch.sign_off_reconciliation('paper', ' ') $$, 'OL131', null, 'a signature needs a reason'
);
select lives_ok(
  $$ select orderlatch.sign_off_reconciliation('paper', 'looked at the broker: nothing open') $$, 'an operator signs'
);
select results_eq(
  $$ select s.account, s.waited_for, s.signed_at, s.signed_by, s.reason from orderlatch.sign_offs as s $$,
  $$ values ('paper', 'cluster', '2026-03-02 15:00:01Z'::timestamptz, 'an_operator', 'looked at the broker: nothing open') $$,
  'that is kept, with who, when, why and what was waited for'
);
reset session authorization;
select is_empty(
  $$ select k.* from orderlatch_data.reconcile_waits as k where k.account_id = test.account_id('paper') $$, 'the account waits no more'
);
select isnt_empty(
  $$ select k.* from orderlatch_data.reconcile_waits as k where k.account_id = test.account_id('second') $$, 'others still do'
);
select is(test.kinds(w.worker_id), '{submit_order}', 'it submits at once') from worlds as w;
select test.record(test.answer_order(test.holder(h.decision_hash))) from hashes as h;

-- The next time it waits again.
select test.given_approved_decision(p_members => '{"symbol": "KO"}');
select test_support.advance_clock('1 second');
select test.given_other_server();
select ok(not 'submit_order' = any (test.kinds(w.worker_id)), 'a signature does not outlive the next restart') from worlds as w;
select is(
  (select string_agg(k.reason, ',') from orderlatch_data.reconcile_waits as k where k.account_id = test.account_id('paper')),
  'restart', 'which alone is waited for then'
);

select * from finish();
rollback;
