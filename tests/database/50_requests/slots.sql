-- A worker with few slots and always a submit to send still reads: of what is less urgent one goes for each token of the reserve.
begin;
select plan(9);

select test_support.hold_clock('2026-03-02 15:00:00Z');
select test.given_reconciled_worker('paper', '{"max_in_doubt": 100}') as worker \gset
select test_support.advance_clock('1 hour');
select test.serve_reads(:worker);
select test_support.advance_clock('2 seconds');
select count(test.given_approved_decision('paper', jsonb_build_object('symbol', 'S' || n))) from generate_series(1, 40) as n;
select orderlatch.reconcile_account('paper', 'tests');
update orderlatch_data.account_budgets set tokens = 20, reserved = 2, counted_at = orderlatch_data.clock();

select is(test.kinds(:worker, 1), '{list_orders}', 'with one slot, a read goes before the submits');
select is(test.kinds(:worker, 1), '{list_orders}', 'while the reserve has another token, another one');
select is(test.kinds(:worker, 1), '{submit_order}', 'then submits go');
select is(test.kinds(:worker, 1), '{submit_order}', 'one after the other');
select test_support.advance_clock('3.4 seconds');
select is(test.kinds(:worker, 2), '{list_fills,submit_order}', 'until the reserve has a token again: of two slots it takes one');
select is(test.kinds(:worker, 2), '{submit_order,submit_order}', 'and no more');
update orderlatch_data.account_budgets set tokens = 20, reserved = 2, counted_at = orderlatch_data.clock();
select is(test.kinds(:worker, 20),
          array_fill('submit_order'::text, array[18]) || '{list_positions}', 'where there are slots for all, the more urgent goes first');
select test_support.advance_clock('4 seconds');
select orderlatch.reconcile_account('paper', 'tests');
insert into orderlatch_data.kind_backoffs (account_id, kind, failures, failed_at, next_try_at)
select test.account_id(), k.kind, 1, orderlatch_data.clock(), orderlatch_data.clock() + interval '1 minute' from unnest('{list_orders,list_fills,list_positions}'::text[]) as k(kind);
select is(test.kinds(:worker, 1), '{submit_order}', 'a read that backs off takes nothing from a submit');
select is(test.broken_promises(), '{}', 'no promise is broken');

select * from finish();
rollback;
