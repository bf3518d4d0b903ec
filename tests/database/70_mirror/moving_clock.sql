-- With a clock that moves, as in production: a claim that begins a read also grants its first page.
begin;
select plan(6);

select test.given_mirrored_account('paper', '{"absence_quiet": "0", "absence_spacing": "0", "lookup_first_wait": "1 millisecond"}');
select test.given_worker() as worker \gset
select is(test.kinds(:worker), '{list_orders}', 'the claim that begins a read of orders grants its first page');
select test.record(test.answer_status((test.standing_read('orders')).request_id, 200, '[]'));
select is(test.kinds(:worker), '{list_orders,list_fills}', 'so does the one that begins the next');
select orderlatch.reconcile_account('paper', 'now');
select is(test.kinds(:worker), '{list_orders}', 'a wish is served by the claim that follows it');
select test.serve(:worker, '{}');

-- The list that completes a proof of absence.
select test.given_submitting_decision(:worker) as decision \gset
select test.record(test.answer_maybe(test.holder(:'decision')));
update orderlatch_data.doubts set believe_after = orderlatch_data.clock();
create function pg_temp.look_in_vain() returns void language plpgsql as $$
begin
  while (select d.second_absent_at is null from orderlatch_data.doubts as d) loop
    update orderlatch_data.doubts set next_lookup_at = orderlatch_data.clock() where next_lookup_at is not null;
    delete from orderlatch_data.kind_backoffs;
    perform test.look_in_vain(1);
  end loop;
end
$$;
select pg_temp.look_in_vain();
select is((select count(*)::integer from orderlatch_data.broker_reads as r where r.purpose = 'proof'), 0, 'no list is begun before both answers of absence');
select is(test.kinds(:worker) @> '{list_orders}', true, 'the claim that begins a proof''s list grants its first page');
select is((select r.request_id is not null from orderlatch_data.broker_reads as r where r.purpose = 'proof'), true, 'for that read');

select * from finish();
rollback;
