-- What happens to one decision changes no other one of the account, wherever that one stands.
begin;
select plan(35);

select test_support.hold_clock('2026-03-02 15:00:00Z');
select test.given_account('paper', '{"max_in_doubt": 100, "throttle_wait": "1 second", "absence_spacing": "0", "absence_quiet": "0"}');
select test.given_worker() as worker \gset

create temporary table bystanders (name text, decision_hash text, seen jsonb);
create function pg_temp.see(p_decision_hash text) returns jsonb language sql volatile as $$
  select jsonb_build_object(
           'open', to_jsonb(test.open_row(p_decision_hash)), 'doubt', to_jsonb(test.doubt(p_decision_hash)),
           'moves', test.moves(p_decision_hash),
           'reads', (select jsonb_agg(r) from orderlatch_data.broker_reads as r
                      where r.read_id = (test.doubt(p_decision_hash)).read_id),
           'calls', (select jsonb_agg(r order by r.request_id) from orderlatch_data.open_requests as r
                      where r.decision_id = test.decision_id(p_decision_hash)),
           'orders', (select jsonb_agg(b) from orderlatch_data.broker_orders as b
                       where b.decision_id = test.decision_id(p_decision_hash)),
           'signal', (select count(*) from orderlatch_data.live_signals as s
                       where s.decision_id = test.decision_id(p_decision_hash))
         )
$$;
create function pg_temp.stands_by(p_name text, p_decision_hash text) returns void language sql volatile as $$
  -- it waits for nothing that comes by itself
  update orderlatch_data.doubts set next_lookup_at = 'infinity' where decision_id = test.decision_id(p_decision_hash);
  insert into bystanders values (p_name, p_decision_hash, pg_temp.see(p_decision_hash));
$$;
create function pg_temp.touched() returns text[] language sql volatile as $$
  select array(select b.name from bystanders as b where pg_temp.see(b.decision_hash) <> b.seen order by 1)
$$;
-- Nothing that the last one left behind keeps the next one waiting.
create function pg_temp.no_waits() returns void language sql volatile as $$
  delete from orderlatch_data.kind_backoffs;
  update orderlatch_data.account_states set paused_until = null;
  update orderlatch_data.doubts
     set next_lookup_at = case when second_absent_at is null then orderlatch_data.clock() else 'infinity' end,
         believe_after = orderlatch_data.clock()
   where decision_id not in (select test.decision_id(b.decision_hash) from bystanders as b);
  update orderlatch_data.open_decisions set next_try_at = orderlatch_data.clock()
   where decision_id not in (select test.decision_id(b.decision_hash) from bystanders as b);
$$;
create function pg_temp.claim(p_worker_id integer, p_kind text) returns uuid language sql volatile as $$
  select pg_temp.no_waits();
  select (test.claim_one(p_worker_id, p_kind)).request_id;
$$;
create function pg_temp.submit(p_worker_id integer, p_symbol text) returns text language plpgsql as $$
begin
  perform pg_temp.no_waits();
  return test.given_submitting_decision(p_worker_id, jsonb_build_object('symbol', p_symbol));
end
$$;

-- One that is proved absent but for a page that is on its way, and is not wanted any more; one that a lookup is on its way
-- for; one that was throttled, one that waits, one that is not judged, one that has its order, and one that is on its way.
select test.given_decision_in('in_doubt', :worker) as listed \gset
select test.record(test.answer_absent(pg_temp.claim(:worker, 'find_order')));
select test.record(test.answer_absent(pg_temp.claim(:worker, 'find_order')));
select pg_temp.claim(:worker, 'list_orders');
select orderlatch.withdraw_decision(:'listed', 'changed my mind', p_cancel => true);
select pg_temp.stands_by('listed', :'listed');
select pg_temp.submit(:worker, 'SYM2') as looked_up \gset
select test.record(test.answer_maybe(test.holder(:'looked_up')));
select pg_temp.claim(:worker, 'find_order');
select pg_temp.stands_by('looked up', :'looked_up');
select pg_temp.submit(:worker, 'SYM3') as throttled \gset
select test.record(test.answer_error(test.holder(:'throttled'), 429, 42910000, 'rate limit exceeded'));
select pg_temp.stands_by('throttled', :'throttled');
select test.given_approved_decision('paper', '{"symbol": "SYM4"}') as waiting \gset
update orderlatch_data.open_decisions set next_try_at = 'infinity' where decision_id = test.decision_id(:'waiting');
select pg_temp.stands_by('waiting', :'waiting');
select test.given_decision('paper', '{"symbol": "SYM5"}') as planned \gset
select pg_temp.stands_by('planned', :'planned');
select pg_temp.submit(:worker, 'SYM6') as submitted \gset
select test.record(test.answer_order(test.holder(:'submitted')));
select pg_temp.stands_by('submitted', :'submitted');
select pg_temp.submit(:worker, 'SYM7') as submitting \gset
select pg_temp.stands_by('submitting', :'submitting');
select is((select jsonb_object_agg(b.name, b.seen -> 'open' ->> 'status') from bystanders as b),
          '{"listed": "in_doubt", "looked up": "in_doubt", "throttled": "approved", "waiting": "approved", "planned": "planned",
            "submitted": null, "submitting": "submitting"}'::jsonb, 'each stands where it should');
select is((select count(*)::integer from orderlatch_data.open_requests), 3, 'three calls of theirs are on their way');

-- A submit's answers.
select pg_temp.submit(:worker, 'A') as refused \gset
select is(test.record(test.answer_error(test.holder(:'refused'), 403, 40310000, 'insufficient buying power')), 'refused', 'a refusal');
select is(pg_temp.touched(), '{}', 'is of one decision');
select pg_temp.submit(:worker, 'B') as unsent \gset
select is(test.record(test.answer_not_sent(test.holder(:'unsent'))), 'not_sent', 'a call that never left');
select is(pg_temp.touched(), '{}', 'brings back one decision');
select orderlatch.withdraw_decision(:'unsent', 'done');
select is(pg_temp.touched(), '{}', 'one is withdrawn');
select pg_temp.submit(:worker, 'C') as unclean \gset
select is(test.record(test.answer_error(test.holder(:'unclean'), 429, 42910000, 'rate limit exceeded')), 'throttled', 'a 429');
select is(pg_temp.touched(), '{}', 'brings back one decision');
select is(test.record(test.answer_absent(pg_temp.claim(:worker, 'find_order'))), 'absent', 'its lookup');
select is(pg_temp.touched(), '{}', 'frees one decision');
select is(test.record(test.answer_error(pg_temp.claim(:worker, 'submit_order'), 403, 40310000, 'insufficient buying power')),
          'refused_unclean', 'a no to what is not clean');
select is(pg_temp.touched(), '{}', 'puts one in doubt');

-- A proof of absence.
select is(test.record(test.answer_absent(pg_temp.claim(:worker, 'find_order'))), 'absent', 'a first lookup');
select is(pg_temp.touched(), '{}', 'counts for one decision');
select is(test.record(test.answer_absent(pg_temp.claim(:worker, 'find_order'))), 'absent', 'a second one');
select is(pg_temp.touched(), '{}', 'counts for one decision');
select pg_temp.claim(:worker, 'list_orders') as page \gset
select is(pg_temp.touched(), '{}', 'a list is begun for one decision');
select is(test.record(test.answer_maybe(:'page')), 'in_doubt', 'its page fails');
select is(pg_temp.touched(), '{}', 'which is about one decision');
select test_support.advance_clock('2 seconds');
select is(test.record(test.answer_status(pg_temp.claim(:worker, 'list_orders'), 200, '[]')), 'orders_listed', 'its list');
select is(test.status(:'unclean') || ' ' || pg_temp.touched()::text, 'refused {}', 'proves something of one decision');

-- A loss, and the late answer to it.
select pg_temp.submit(:worker, 'D') as lost \gset
select orderlatch_data.lose_request(a, test.holder(:'lost'), 'no_answer_in_time') from orderlatch_data.accounts as a;
select is((test.doubt(:'lost')).lost || ' ' || pg_temp.touched()::text, 'true {}', 'one submit is lost');
select is(test.record(test.answer_maybe(test.holder(:'lost'))), 'in_doubt', 'a late answer to it');
select is(pg_temp.touched(), '{}', 'is about one decision');
select is(orderlatch.resolve_in_doubt(:'lost', 'absent', '{"note": "t"}') || ' ' || pg_temp.touched()::text, 'approved {}',
          'a person says what became of one decision');
select is(test.record(test.answer_error(pg_temp.claim(:worker, 'submit_order'), 422, 40010001, 'client_order_id must be unique')),
          'duplicate', 'an id that is taken');
select is(pg_temp.touched(), '{}', 'is that of one decision');
select is(test.record(test.answer_order(pg_temp.claim(:worker, 'find_order'))), 'order_exists', 'a lookup that finds');
select is(test.status(:'lost') || ' ' || pg_temp.touched()::text, 'submitted {}', 'finds one order');

-- What ends without a call.
select test.given_decision_in('lapsed', :worker);
select is(pg_temp.touched(), '{}', 'one lapses');
select pg_temp.submit(:worker, 'E') as odd \gset
select test.record(test.answer_maybe(test.holder(:'odd')));
select is(test.record(test.answer_order(pg_temp.claim(:worker, 'find_order'), '{"qty": "1"}')), 'order_mismatch',
          'an order with other terms');
select is(test.status(:'odd') || ' ' || pg_temp.touched()::text, 'in_doubt {}', 'is that of one decision');
select is((select count(*)::integer from orderlatch_data.order_cancels), 0, 'nothing is canceled but what was not wanted');
select is(test.broken_promises(), '{}', 'no promise is broken');

select * from finish();
rollback;
