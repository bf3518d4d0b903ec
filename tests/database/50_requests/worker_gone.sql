-- When the life of a worker has ended its calls are lost at once; when absence may be believed does not change.
begin;
select plan(20);

select pg_postmaster_start_time() as started \gset
select test_support.hold_clock(:'started'::timestamptz + interval '10 seconds');
select test.given_account('paper', '{"max_in_doubt": 100}');
select test.given_worker() as worker \gset
select test.given_worker() as other \gset
select test.given_submitting_decision(:worker) as decision \gset
select test.given_submitting_decision(:worker, '{"symbol": "B"}') as answered \gset
select test.given_stranger() as unverified \gset
select (test.claim_one(:unverified, 'get_account')).request_id as question \gset

select is(test.kinds(:other), '{}', 'the calls of a worker that lives are waited for');
select test.kill_worker(:worker), test.kill_worker(:unverified);
select test_support.hold_clock(:'started'::timestamptz + interval '9.999999 seconds');
select is(test.kinds(:other), '{}', 'just after the server started nobody is taken for dead');
select is(test.status(:'decision'), 'submitting', 'as nobody had time to connect again');
select test_support.hold_clock(:'started'::timestamptz + interval '10 seconds');
select is(test.kinds(:other), '{find_order,find_order}', 'ten seconds later a dead worker''s submits are looked up');
select is(test.reason(:'decision'), 'lost: worker_gone', 'because it is gone');
select results_eq('select distinct l.cause, l.lost_at from orderlatch_data.lost_requests as l',
                  'select ''worker_gone''::text, orderlatch_data.clock()', 'the losses are written down');
select is((select count(*)::integer from orderlatch_data.lost_requests), 3, 'all three of them');
select is((test.doubt(:'decision')).lost, true, 'its worker never answered');
select is((test.doubt(:'decision')).believe_after,
          (select r.answer_by + interval '60 seconds' from orderlatch_data.broker_requests as r
                      where r.request_id = test.holder(:'decision')),
          'absence is believed no sooner');

-- It was not dead after all: it only lost its connection.
select is(test.record(test.answer_order(test.holder(:'answered'))), 'order_exists', 'an order that it brings exists');
select is(test.status(:'answered'), 'submitted', 'and ends the doubt');
select is(test.record(test.answer_not_sent(test.holder(:'decision'))), 'not_sent',
          'its own definite word on its submit still counts');
select is((select o.status || ' ' || o.clean || ' ' || o.submits from test.open_row(:'decision') as o), 'approved true 0',
          'the decision is as it was before');
select is((test.doubt(:'decision')).decision_id, null, 'and not in doubt');
select is((select w.verified_at from orderlatch_data.worker_accounts as w where w.worker_id = :unverified), null,
          'who asked is not verified');
select test.record(test.answer_account(:'question', 'paper-id'));
select isnt((select w.verified_at from orderlatch_data.worker_accounts as w where w.worker_id = :unverified), null,
            'until it is answered');

-- A worker that said goodbye with calls unanswered.
select test_support.advance_clock('1 minute');
select test.claim(:other);
select test.record(test.answer_maybe(test.holder(:'decision')));
select orderlatch.release_worker(:other);
select test.given_worker() as next \gset
select test_support.advance_clock('1 minute');
select is(test.kinds(:next), '{find_order}', 'the next life goes on with what the last one left');
select orderlatch.release_worker(:next);
select test.given_worker() as last \gset
select is((select array_agg(l.cause) from orderlatch_data.lost_requests as l
             join orderlatch_data.broker_requests as r on r.request_id = l.request_id and r.kind = 'find_order'
            where r.worker_id = :next), '{worker_gone}', 'a worker that said goodbye is gone');
select is((select count(*)::integer from orderlatch_data.open_requests), 0, 'nothing is on its way for ever');
select is(test.broken_promises(), '{}', 'no promise is broken');

select * from finish();
rollback;
