-- What the journal writes down of a move, and what settling does.
begin;
select plan(14);

select test_support.hold_clock('2026-03-02 15:00:00Z');
select test.given_account();
create temporary table worker as select test.given_worker() as worker_id;
create temporary table decision as select test.given_approved_decision() as decision_hash;
create temporary view journal as
  select e.from_status, e.to_status, e.moved_at, e.moved_by, e.reason, e.request_id, e.evidence
    from orderlatch_data.decision_events as e, decision as d
   where e.decision_id = test.decision_id(d.decision_hash)
   order by e.event_id;

select results_eq(
  'select * from journal',
  $$ values
       ('none', 'planned', '2026-03-02 15:00:00Z'::timestamptz, 'postgres', 'proposed by momentum', null::uuid, null::jsonb),
       ('planned', 'approved', '2026-03-02 15:00:00Z', 'postgres', 'within all limits', null, null) $$,
  'birth and approval are journaled with who, when and why'
);

select test_support.advance_clock('1 second');
create temporary table submit as select c.request_id from worker as w, test.claim_one(w.worker_id) as c;
select test.record(test.answer_error(s.request_id, 403, 40310000, 'insufficient buying power')) from submit as s;
select results_eq(
  'select * from journal offset 2',
  $$ select 'approved', 'submitting', '2026-03-02 15:00:01Z'::timestamptz, 'postgres',
            'claimed by worker ' || w.worker_id, null::uuid, null::jsonb
       from worker as w
     union all
     select 'submitting', 'refused', '2026-03-02 15:00:01Z', 'postgres',
            'refused: insufficient buying power', s.request_id,
            '{"status": 403, "code": 40310000, "message": "insufficient buying power"}'
       from submit as s $$,
  'a refusal is journaled with the request and the evidence behind it'
);
select results_eq(
  $$ select o.status, o.event_id = (select max(e.event_id) from orderlatch_data.decision_events as e), o.clean, o.settled_at
       from orderlatch_data.decision_outcomes as o $$,
  $$ values ('refused', true, true, '2026-03-02 15:00:01Z'::timestamptz) $$,
  'a settled decision has one outcome, which names the event that decided it'
);
select is_empty('select 1 from orderlatch_data.open_decisions', 'the open row of a settled decision is gone');

-- A set moves in one statement, and each of it has its own trace.
create temporary table flock as
  select test.given_decision('paper', jsonb_build_object('leg', n::text)) as decision_hash from generate_series(1, 3) as n;
update orderlatch_data.open_decisions as o
   set status = case o.decision_id when test.decision_id((select max(f.decision_hash) from flock as f)) then 'rejected' else 'lapsed' end,
       move_reason = 'by hand';
select results_eq(
  $$ select e.to_status, count(*)
       from orderlatch_data.decision_events as e
      where e.reason = 'by hand' and e.from_status = 'planned'
      group by e.to_status order by e.to_status $$,
  $$ values ('lapsed', 2::bigint), ('rejected', 1::bigint) $$,
  'a statement that moves a set writes one event for each decision'
);
select set_eq(
  $$ select o.status, e.to_status
       from orderlatch_data.decision_outcomes as o
       join orderlatch_data.decision_events as e on e.decision_id = o.decision_id and e.event_id = o.event_id
       join flock as f on test.decision_id(f.decision_hash) = o.decision_id $$,
  $$ values ('lapsed', 'lapsed'), ('rejected', 'rejected') $$,
  'each outcome names the event of its own decision'
);
create temporary table mixed as
  select test.given_decision('paper', jsonb_build_object('leg', 'm' || n)) as decision_hash from generate_series(1, 2) as n;
select throws_ok(
  $$ update orderlatch_data.open_decisions as o
        set status = case o.decision_id when (select min(i.decision_id) from orderlatch_data.open_decisions as i)
                                        then 'lapsed' else 'refused' end,
            move_reason = 'by hand' $$,
  '23503', null, 'one illegal move in a set refuses the whole set'
);
select is(
  (select array_agg(distinct test.status(m.decision_hash)) from mixed as m), '{planned}', 'after a refused set nothing has moved'
);

update orderlatch_data.open_decisions as o set tries = 3, next_try_at = o.next_try_at + interval '1 hour';
select is(
  (select array_agg(test.moves(m.decision_hash)) from mixed as m), '{{none>planned},{none>planned}}',
  'an update that leaves the status alone leaves no event'
);
select throws_ok(
  $$ update orderlatch_data.open_decisions as o
        set decision_id = test.decision_id((select d.decision_hash from decision as d)), status = 'approved', approval_no = 7
      where o.decision_id = (select min(i.decision_id) from orderlatch_data.open_decisions as i) $$,
  'OL901', null, 'an open row cannot be handed to another decision, past the journal'
);

-- Who moved is the login, not the role that the function runs as.
create role strategist login in role orderlatch_strategy;
select orderlatch.bind_login('strategist', 'paper');
select test_support.act_as('strategist');
select orderlatch.withdraw_decision(m.decision_hash, 'changed my mind') from mixed as m;
reset session authorization;
select results_eq(
  $$ select distinct e.moved_by, e.reason from orderlatch_data.decision_events as e where e.to_status = 'withdrawn' $$,
  $$ values ('strategist', 'changed my mind') $$,
  'a move is signed by the login that made it'
);

select throws_ok(
  $$ insert into orderlatch_data.decision_events
       (decision_id, from_status, to_status, moved_at, moved_by, reason, event_hash)
     select test.decision_id(d.decision_hash), 'refused', 'approved', now(), 'me', 'by hand', '' from decision as d $$,
  '23503', null, 'an event of a move that does not exist cannot be written by hand'
);
select throws_ok(
  $$ delete from orderlatch_data.legal_moves where from_status = 'planned' $$,
  '23503', null, 'an edge that was taken cannot be taken away'
);
select is_empty('select i.promise from orderlatch.invariants as i where i.violations > 0', 'every invariant holds');

select * from finish();
rollback;
