-- Taking a decision back, in every status.
begin;
select plan(34);

select test_support.hold_clock('2026-03-02 15:00:00Z');
create temporary table worlds as
  select s.status, test.given_account(s.status) as account, test.given_worker(s.status) as worker_id, null::text as decision_hash
    from unnest('{planned,approved,submitting,in_doubt,submitted,rejected,refused,withdrawn,lapsed}'::text[]) as s(status);
update worlds set decision_hash = test.given_decision_in(worlds.status, worlds.worker_id);
create temporary table expected (status text, becomes text, outcome text, title text);
insert into expected values
  ('planned', 'withdrawn', 'withdrawn', 'a planned decision is withdrawn at once'),
  ('approved', 'withdrawn', 'withdrawn', 'an approved decision is withdrawn at once'),
  ('submitting', 'submitting', 'wish_noted', 'of a submitting decision the wish is noted'),
  ('in_doubt', 'in_doubt', 'wish_noted', 'of a decision in doubt the wish is noted'),
  ('submitted', 'submitted', 'too_late', 'for a submitted decision it is too late'),
  ('rejected', 'rejected', 'too_late', 'for a rejected decision it is too late'),
  ('refused', 'refused', 'too_late', 'for a refused decision it is too late'),
  ('withdrawn', 'withdrawn', 'withdrawn', 'a withdrawn decision stays withdrawn'),
  ('lapsed', 'lapsed', 'too_late', 'for a lapsed decision it is too late');

select results_eq(
         format('select w.status, w.outcome from orderlatch.withdraw_decision(%L, %L) as w', w.decision_hash, 'second thoughts'),
         format('values (%L, %L)', e.becomes, e.outcome), e.title
       )
  from worlds as w
  join expected as e on e.status = w.status;
select is(test.status(w.decision_hash), e.becomes, format('a decision that was %s is %s then', w.status, e.becomes))
  from worlds as w
  join expected as e on e.status = w.status;
select results_eq(
  $$ select w.status, e.from_status, e.reason, e.request_id
       from worlds as w
       join orderlatch_data.decision_events as e on e.decision_id = test.decision_id(w.decision_hash) and e.to_status = 'withdrawn'
      order by w.status $$,
  $$ values ('approved', 'approved', 'second thoughts', null::uuid), ('planned', 'planned', 'second thoughts', null),
            ('withdrawn', 'approved', 'the signal is gone', null) $$,
  'each withdrawal is journaled once, with its own reason'
);

-- What becomes of a wish.
create function pg_temp.hash_in(p_status text)
returns text
language sql
as $$ select w.decision_hash from worlds as w where w.status = p_status $$;
select is(
  (select o.wish from orderlatch_data.open_decisions as o where o.decision_id = test.decision_id(pg_temp.hash_in('submitting'))),
  'second thoughts', 'a wish keeps its reason'
);
select orderlatch.withdraw_decision(pg_temp.hash_in('submitting'), 'third thoughts');
select is(
  (select o.wish from orderlatch_data.open_decisions as o where o.decision_id = test.decision_id(pg_temp.hash_in('submitting'))),
  'second thoughts', 'the first wish is the one that counts'
);
select is(
  test.record(test.answer_not_sent(test.holder(pg_temp.hash_in('submitting')))), 'not_sent', 'the submit of a wished away decision was not sent'
);
select results_eq(
  format(
    $$ select e.from_status, e.to_status, e.reason, e.request_id
         from orderlatch_data.decision_events as e
        where e.decision_id = %s
        order by e.event_id desc
        limit 2 $$,
    test.decision_id(pg_temp.hash_in('submitting'))
  ),
  format(
    $$ values ('approved', 'withdrawn', 'second thoughts', %1$L::uuid), ('submitting', 'approved', 'connection refused', %1$L) $$,
    test.holder(pg_temp.hash_in('submitting'))
  ),
  'not sent, it is withdrawn, by the answer that allows it'
);
select is(
  orderlatch.resolve_in_doubt(pg_temp.hash_in('in_doubt'), 'absent', '{"note": "not on the page"}'),
  'withdrawn', 'proved absent, a decision that is wished away becomes withdrawn'
);

-- Found after all: the wish came too late.
select test.given_account('found');
create temporary table found as
  select w.worker_id, test.given_decision_in('submitting', w.worker_id) as decision_hash
    from (select test.given_worker('found') as worker_id) as w;
select orderlatch.withdraw_decision(f.decision_hash, 'second thoughts') from found as f;
select test.record(test.answer_order(test.holder(f.decision_hash))) from found as f;
select is(test.status(f.decision_hash), 'submitted', 'found at the broker, it is submitted despite the wish') from found as f;

-- Throttled: a lookup comes first.
select test.given_account('throttled');
create temporary table throttled as
  select w.worker_id, test.given_decision_in('submitting', w.worker_id) as decision_hash
    from (select test.given_worker('throttled') as worker_id) as w;
select test.record(test.answer_error(test.holder(t.decision_hash), 429, 42910000, 'too many requests.', '{"retry-after": "1"}'))
  from throttled as t;
select results_eq(
  $$ select w.status, w.outcome from throttled as t, orderlatch.withdraw_decision(t.decision_hash, 'second thoughts') as w $$,
  $$ values ('approved', 'wish_noted') $$, 'of a throttled decision the wish is noted until a lookup has been answered'
);
select test_support.advance_clock('2 seconds');
select test.record(test.answer_absent(c.request_id)) from throttled as t, test.claim_one(t.worker_id, 'find_order') as c;
select is(test.status(t.decision_hash), 'withdrawn', 'not found, the throttled decision is withdrawn') from throttled as t;

-- Refusals.
create temporary table standing as select test.given_decision('found') as decision_hash;
select throws_ok(
         format('select orderlatch.withdraw_decision(%L, %L)', coalesce(c.decision_hash, s.decision_hash), c.reason),
         c.sqlstate, null, c.title
       )
  from standing as s,
       (
         values
           (null, null, 'OL131', 'a withdrawal without a reason is refused'),
           (null, ' ', 'OL131', 'a withdrawal with a blank reason is refused'),
           (null, repeat('x', 501), 'OL131', 'a reason of 501 characters is refused'),
           (repeat('0', 64), 'why', 'OL103', 'an unknown decision cannot be withdrawn'),
           ('x', 'why', 'OL131', 'what is no hash is refused')
       ) as c(decision_hash, reason, sqlstate, title);
select is(test.status(s.decision_hash), 'planned', 'a refused withdrawal leaves the decision as it was') from standing as s;
select is(
  (select w.outcome from standing as s, orderlatch.withdraw_decision(s.decision_hash, repeat('x', 500)) as w), 'withdrawn',
  'a reason of 500 characters is taken'
);

select * from finish();
rollback;
