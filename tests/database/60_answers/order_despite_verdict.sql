-- An order of a decision that ended otherwise: the broker is right; the decision is submitted, and a person is asked.
begin;
select plan(21);

select test_support.hold_clock('2026-03-02 15:00:00Z');
select test.given_account('paper', '{"max_in_doubt": 100}');
select test.given_worker() as worker \gset
create temporary table ended as
  select s.status, test.given_decision_in(s.status, :worker) as decision_hash
    from unnest('{rejected,withdrawn,lapsed,refused}'::text[]) as s(status);
select test_support.advance_clock('1 minute');

create function pg_temp.find(p_decision_hash text) returns text language sql volatile as $$
  select test.record(test.answer_status(gen_random_uuid(), 200, test.order_document(p_decision_hash)::text))
$$;
select is(pg_temp.find(e.decision_hash), 'order_exists',
          format('an order of a decision that was %s exists', e.status)) from ended as e;
select is((test.moves(e.decision_hash))[array_upper(test.moves(e.decision_hash), 1)], e.status || '>submitted',
          format('%s becomes submitted', e.status))
  from ended as e;
select is((select o.status from orderlatch_data.decision_outcomes as o where o.decision_id = test.decision_id(e.decision_hash)),
          'submitted',
          format('that is how the one that was %s ended', e.status)) from ended as e;
select is((select i.detail from orderlatch_data.incidents as i where i.decision_id = test.decision_id(e.decision_hash)),
          jsonb_build_object('status', e.status, 'broker_order_id', 'order-' || test.decision_id(e.decision_hash)),
          format('the incident says that it was %s', e.status)) from ended as e;
select is(test.halts(), '{order_despite_verdict}', 'the account is halted once');
select is((select count(*)::integer from orderlatch_data.open_decisions), 0, 'nothing is left open');
select is(pg_temp.find((select e.decision_hash from ended as e limit 1)), 'order_exists', 'said again,');
select is((select count(*)::integer from orderlatch_data.incidents), 4, 'it is no further incident');
select is(test.broken_promises(), '{}', 'no promise is broken');

select * from finish();
rollback;
