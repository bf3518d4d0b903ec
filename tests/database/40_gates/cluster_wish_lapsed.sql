-- What was wished away while the lost window was still to be read is withdrawn after it, though it has grown too old meanwhile.
begin;
select plan(6);

select test_support.hold_clock('2026-03-02 15:00:00Z');
select test.given_reconciled_worker() as worker \gset
select test.given_approved_decision(p_members => '{"valid_until": "2026-03-02T15:00:10Z"}') as decision \gset
select test_support.advance_clock('1 second');
select test.given_other_server(p_timeline => 7);
select test.serve_reads(:worker);
select results_eq(format('select w.outcome from orderlatch.withdraw_decision(%L, %L, true) as w', :'decision', 'the signal is gone'),
                  $$ values ('wish_noted') $$, 'the wish is noted');
select test_support.advance_clock('20 seconds');
select test.serve_reads(:worker);
select is(test.status(:'decision'), 'withdrawn', 'and granted');
select test_support.advance_clock('10 minutes');
select test.serve_reads(:worker, jsonb_build_array(test.order_document(:'decision')));
select is(test.status(:'decision'), 'submitted', 'an order that appears all the same');
select is((select c.reason from orderlatch_data.order_cancels as c), 'the signal is gone', 'is canceled, as was wished');

-- More of them than one visit withdraws.
select orderlatch.lift_halt(h.halt_id, 'tests') from orderlatch.standing_halts as h;
create temporary table wished as
  select test.given_approved_decision(p_members => jsonb_build_object('symbol', 'S' || n, 'valid_until', '2026-03-02T15:15:00Z'))
      as decision_hash
    from generate_series(1, 101) as n;
select test.given_other_server(p_timeline => 8);
select test.serve_reads(:worker);
select count(w.outcome) from wished as d cross join orderlatch.withdraw_decision(d.decision_hash, 'all of it', true) as w;
select test_support.advance_clock('10 minutes');
select test.serve_reads(:worker);
select test_support.advance_clock('1 minute');
select test.serve_reads(:worker);
select results_eq($$ select test.status(d.decision_hash), count(*)::integer from wished as d group by 1 $$,
                  $$ values ('withdrawn', 101) $$, 'of many that have grown too old meanwhile each is withdrawn, and none lapses');
select is((select count(*)::integer from orderlatch_data.decision_events as e
            where e.to_status = 'withdrawn' and e.evidence -> 'cancel' = 'true'), 102, 'so that its order would be canceled');

select * from finish();
rollback;
