-- A submit whose worker's life has ended may be on the wire all the same: nobody declares absent what may still arrive.
begin;
select plan(13);

select test_support.hold_clock(pg_postmaster_start_time() + interval '1 minute');
select test.given_account('paper', '{"max_in_doubt": 100}');
select test.given_worker() as worker \gset
select test.given_worker() as other \gset
select test.given_submitting_decision(:worker) as decision \gset
create function pg_temp.declare_absent(p_decision_hash text) returns text language sql immutable as $$
  select format('select orderlatch.resolve_in_doubt(%L, %L, %L)', p_decision_hash, 'absent', '{"note": "not in the list"}')
$$;
select test.kill_worker(:worker);
select test.kinds(:other);
select is(test.reason(:'decision'), 'lost: worker_gone', 'a submit is given up as its worker''s connection has ended');
select throws_like(pg_temp.declare_absent(:'decision'), '%a submit of the decision is still on its way%',
                   'its process may be at it: that it is absent nobody knows');
select test_support.advance_clock('19.999 seconds');
select throws_ok(pg_temp.declare_absent(:'decision'), 'OL203', null, 'until the last moment');
select test_support.advance_clock('1 millisecond');
select lives_ok(pg_temp.declare_absent(:'decision'), 'when it is answered or dead an operator may sign');
select is(test.status(:'decision'), 'approved', 'it may be sent again');
select orderlatch.withdraw_decision(:'decision', 'tests');

-- Its own word that it is not clear what became of it ends that.
select test.given_worker() as third \gset
select test.given_submitting_decision(:third, '{"symbol": "B"}') as answered \gset
select test.kill_worker(:third);
select test.kinds(:other);
select test.record(test.answer_maybe(test.holder(:'answered')));
select lives_ok(pg_temp.declare_absent(:'answered'), 'what was answered is not on its way');

select orderlatch.withdraw_decision(:'answered', 'tests');

-- Nor does an order with other terms, which was shown while it was on its way.
create function pg_temp.given_shown_otherwise(p_worker_id integer, p_symbol text) returns text language plpgsql as $$
declare
  v_decision_hash constant text := test.given_submitting_decision(p_worker_id, jsonb_build_object('symbol', p_symbol));
begin
  perform orderlatch_data.record_order(
    test.decision_id(v_decision_hash), test.order_document(v_decision_hash, '{"id": "another", "side": "sell"}'), null
  );
  perform test.kill_worker(p_worker_id);
  perform orderlatch.lift_halt(h.halt_id, 'tests') from orderlatch.standing_halts as h;
  return v_decision_hash;
end
$$;
select test_support.advance_clock('1 second');
select test.given_worker() as fourth \gset
select pg_temp.given_shown_otherwise(:fourth, 'C') as shown \gset
select is(test.status(:'shown') || ' ' || test.reason(:'shown'), 'in_doubt an order with this id has other terms',
          'an order with other terms is shown while the submit is on its way');
select test.kinds(:other);
select is((select l.cause from orderlatch_data.lost_requests as l where l.request_id = test.holder(:'shown')), 'worker_gone',
          'the submit is given up as its worker''s connection has ended');
select throws_ok(pg_temp.declare_absent(:'shown'), 'OL203', null, 'its process may be at it, too');
select test_support.advance_clock('20 seconds');
select lives_ok(pg_temp.declare_absent(:'shown'), 'until it is answered or dead');

select orderlatch.withdraw_decision(:'shown', 'tests');
select orderlatch.update_account('paper', '{"broker_remembers_ids": false}');
select test.given_worker() as fifth \gset
select pg_temp.given_shown_otherwise(:fifth, 'D') as forgotten \gset
select test.kinds(:other);
select test_support.advance_clock('20 seconds');
select is(orderlatch.resolve_in_doubt(:'forgotten', 'absent', '{"note": "canceled"}'), 'lapsed',
          'a broker that forgets ids is not sent it again, as its worker may be frozen with the call half made');
select is(test.reason(:'forgotten'), 'declared absent by postgres: its worker never answered, and the broker does not remember ids',
          'and says why');
select is(test.broken_promises(), '{}', 'no promise is broken');

select * from finish();
rollback;
