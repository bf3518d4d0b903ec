-- A wish to cancel outlives a refusal that was remembered: an order that appears all the same is canceled.
begin;
select plan(5);

select test_support.hold_clock('2026-03-02 15:00:00Z');
select test.given_reconciled_worker() as worker \gset
select test.given_decision_in('in_doubt', :worker) as decision \gset
select test.prove_absent(:worker, :'decision');
select test.kinds(:worker);
select is(test.record(test.answer_error(test.holder(:'decision'), 403, 40310000, 'insufficient buying power')), 'refused_unclean', 'its repeat is refused');
select results_eq(format('select w.outcome from orderlatch.withdraw_decision(%L, %L, true) as w', :'decision', 'the signal is gone'),
                  $$ values ('wish_noted') $$, 'the strategy wishes it away, and its order canceled');
select test_support.advance_clock('10 minutes');
select test.serve_reads(:worker);
select is(test.prove_absent(:worker, :'decision'), 'refused', 'it is proved absent');
select test.serve_reads(:worker);
select test_support.advance_clock('10 minutes');
select test.serve_reads(:worker, jsonb_build_array(test.order_document(:'decision')));
select is(test.status(:'decision'), 'submitted', 'its order appears all the same');
select is((select count(*) from orderlatch_data.order_cancels as c where c.reason ~ 'the signal is gone'), 1::bigint, 'and is canceled, as was wished');

select * from finish();
rollback;
