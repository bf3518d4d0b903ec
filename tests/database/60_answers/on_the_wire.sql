-- A submit whose worker's life has ended may be on the wire all the same: nobody declares absent what may still arrive.
begin;
select plan(7);

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
select is(test.broken_promises(), '{}', 'no promise is broken');

select * from finish();
rollback;
