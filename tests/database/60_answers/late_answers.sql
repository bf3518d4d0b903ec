-- A lost submit keeps its decision until a newer one is granted: its own late answer still ends the doubt that its silence caused.
begin;
select plan(45);

select test_support.hold_clock('2026-03-02 15:00:00Z');
select test.given_account('paper', '{"max_in_doubt": 100, "max_decision_age": "1 day", "throttle_wait": "1 second"}');
select test.given_worker() as worker \gset
create function pg_temp.given_lost(p_symbol text) returns text language plpgsql as $$
declare
  v_worker integer := (select max(w.worker_id) from orderlatch_data.workers as w);
  v_decision_hash text;
begin
  perform test_support.advance_clock('10 minutes');
  v_decision_hash := test.given_submitting_decision(v_worker, jsonb_build_object('symbol', p_symbol));
  perform test_support.advance_clock('20 seconds');
  perform test.look_in_vain(v_worker);
  if not (test.doubt(v_decision_hash)).lost then
    raise exception 'the submit is not lost';
  end if;
  return v_decision_hash;
end
$$;
create function pg_temp.row_of(p_decision_hash text) returns text language sql volatile as $$
  select concat_ws(' ', o.status, 'clean=' || o.clean, 'submits=' || o.submits, 'lookup_first=' || o.lookup_first,
                   'doubt=' || (select count(*) from orderlatch_data.doubts as d where d.decision_id = o.decision_id))
    from test.open_row(p_decision_hash) as o
$$;

select pg_temp.given_lost('A') as found \gset
select is(test.record(test.answer_order(test.holder(:'found'))), 'order_exists', 'a late order exists');
select is(test.status(:'found'), 'submitted', 'and ends the doubt');

select pg_temp.given_lost('B') as refused \gset
select is(test.record(test.answer_error(test.holder(:'refused'), 403, 40310000, 'insufficient buying power')), 'refused',
          'a late no to a clean decision is final');
select is(test.status(:'refused') || ' ' || (select o.clean from orderlatch_data.decision_outcomes as o
            where o.decision_id = test.decision_id(:'refused')),
          'refused true', 'it was clean but for the silence');
select is((test.doubt(:'refused')).decision_id, null, 'nothing is left of the doubt');

select pg_temp.given_lost('C') as unsent \gset
select is(test.record(test.answer_not_sent(test.holder(:'unsent'))), 'not_sent', 'a late word that the call never left counts');
select is(pg_temp.row_of(:'unsent'), 'approved clean=true submits=0 lookup_first=false doubt=0',
          'the decision is as if nothing had been, but for a back-off');
select orderlatch.withdraw_decision(:'unsent', 'done');

select pg_temp.given_lost('D') as key \gset
select is(test.record(test.answer_error(test.holder(:'key'), 401, null, 'unauthorized.')), 'unauthorized',
          'so does one that the key was not accepted');
select is(pg_temp.row_of(:'key'), 'approved clean=true submits=0 lookup_first=false doubt=0', 'the decision waits for the key');
select is(test.halts(), '{unauthorized}', 'and the account is halted');
select orderlatch.lift_halt(h.halt_id, 'tests') from orderlatch_data.halts as h;
select orderlatch.withdraw_decision(:'key', 'done');

select pg_temp.given_lost('E') as throttled \gset
select test.given_absent_twice(:worker, :'throttled');
select (test.claim_one(:worker, 'list_orders')).request_id as page \gset
select is(test.record(test.answer_error(test.holder(:'throttled'), 429, 42910000, 'rate limit exceeded')), 'throttled',
          'a late 429 counts');
select is(pg_temp.row_of(:'throttled'), 'approved clean=false submits=1 lookup_first=true doubt=1',
          'the decision is looked up first');
select is((select jsonb_build_object('first', d.first_absent_at, 'second', d.second_absent_at, 'read', d.read_id, 'lost', d.lost, 'lookups', d.lookups)
             from test.doubt(:'throttled') as d), '{"first": null, "second": null, "read": null, "lost": false, "lookups": 0}'::jsonb,
          'what was proved before is forgotten');
select is(test.record(test.answer_status(:'page', 200, '[]')), 'orders_listed', 'the list that was on its way');
select is(test.status(:'throttled'), 'approved', 'decides nothing');
select test_support.advance_clock('1 second');
select is(test.record(test.answer_absent((test.claim_one(:worker, 'find_order')).request_id)), 'absent', 'its lookup does');
select is(pg_temp.row_of(:'throttled'), 'approved clean=false submits=1 lookup_first=false doubt=0', 'it may go');
select orderlatch.withdraw_decision(:'throttled', 'done');

select pg_temp.given_lost('F') as duplicate \gset
select is(test.record(test.answer_error(test.holder(:'duplicate'), 422, 40010001, 'client_order_id must be unique')), 'duplicate',
          'a late duplicate counts');
select is((select d.duplicate || ' ' || d.lost from test.doubt(:'duplicate') as d), 'true false',
          'absence is not believed any more');
select is(orderlatch.resolve_in_doubt(:'duplicate', 'adopt', '{"broker_order_id": "dup"}'), 'submitted', 'a person may end it');

-- A worker that was frozen in the middle of its call: the proof that had been gathered is worth nothing.
select pg_temp.given_lost('G') as frozen \gset
select test.given_absent_twice(:worker, :'frozen');
select (test.claim_one(:worker, 'list_orders')).request_id as page \gset
select test_support.advance_clock('1 second');
select is(test.record(test.answer_maybe(test.holder(:'frozen'), 'read timeout')), 'in_doubt',
          'a late time-out says that the call went on until now');
select is((select jsonb_build_object('lost', d.lost, 'first', d.first_absent_at, 'second', d.second_absent_at, 'read', d.read_id,
                                     'believe_in', d.believe_after - orderlatch_data.clock(), 'due',
                                       d.next_lookup_at <= orderlatch_data.clock())
             from test.doubt(:'frozen') as d),
          '{"lost": false, "first": null, "second": null, "read": null, "believe_in": "00:01:00", "due": true}'::jsonb,
          'absence is believed a minute from now');
select is(test.record(test.answer_status(:'page', 200, '[]')), 'orders_listed', 'the list that was on its way before');
select is(test.status(:'frozen'), 'in_doubt', 'proves nothing');
select test_support.advance_clock('30 seconds');
select test.look_in_vain(:worker);
select is((test.doubt(:'frozen')).first_absent_at, null, 'a lookup within the minute does not count');
select orderlatch.update_account('paper', '{"broker_remembers_ids": false}');
select is(test.prove_absent(:worker, :'frozen'), 'approved',
          'proved anew it may be sent again, to a broker that forgets ids too: its worker has answered');
select orderlatch.update_account('paper', '{"broker_remembers_ids": true}');
select test_support.advance_clock('5 minutes');
select test.claim_one(:worker);

-- The same for a late refusal of one that is not clean.
select test_support.advance_clock('20 seconds');
select test.look_in_vain(:worker);
select test.given_absent_twice(:worker, :'frozen');
select is(test.record(test.answer_error(test.holder(:'frozen'), 403, 40310000, 'insufficient qty')), 'refused_unclean',
          'a late no to an unclean decision is remembered');
select is((select d.refusal ->> 'message' from test.doubt(:'frozen') as d where d.second_absent_at is null), 'insufficient qty',
          'and the proof begins anew');
select is(test.prove_absent(:worker, :'frozen'), 'refused', 'it ends in refused');

-- The same when nobody came to miss its answer in all that time.
select test_support.advance_clock('10 minutes');
select test.given_submitting_decision(:worker, '{"symbol": "G2"}') as unmissed \gset
select test_support.advance_clock('10 minutes');
select is(test.record(test.answer_maybe(test.holder(:'unmissed'), 'read timeout')), 'in_doubt',
          'a time-out that is reported long after answer_by');
select is((select d.believe_after - orderlatch_data.clock() || ' ' || d.lost from test.doubt(:'unmissed') as d), '00:01:00 false',
          'says that the call went on until now, too');
select test.prove_absent(:worker, :'unmissed');
select orderlatch.withdraw_decision(:'unmissed', 'done');

-- A mismatch is stronger than any late word.
select pg_temp.given_lost('H') as odd \gset
select test.record(test.answer_status(gen_random_uuid(), 200, test.order_document(:'odd', '{"qty": "1"}')::text));
select is(test.record(test.answer_not_sent(test.holder(:'odd'))), 'stale', 'a late word cannot deny an order that was seen');
select is(test.status(:'odd') || ' ' || (test.doubt(:'odd')).mismatched, 'in_doubt true', 'the doubt is for a person');
select orderlatch.resolve_in_doubt(:'odd', 'absent', '{"note": "t"}');
select orderlatch.lift_halt(h.halt_id, 'tests') from orderlatch_data.halts as h where h.lifted_at is null;

-- With a wish.
select pg_temp.given_lost('I') as wished \gset
select orderlatch.withdraw_decision(:'wished', 'changed my mind');
select is(test.record(test.answer_not_sent(test.holder(:'wished'))), 'not_sent', 'a late word that the call never left');
select is(test.status(:'wished'), 'withdrawn', 'grants a wish');

-- Answered once, in time or late, a request has said all.
select is(test.record(test.answer_error(test.holder(:'wished'), 403, 40310000, 'no')), 'not_sent',
          'a second late answer is the first');
select is(test.status(:'wished'), 'withdrawn', 'and changes nothing');

-- A late order of the first submit while the second is on its way, and the second's own order.
select pg_temp.given_lost('J') as twice \gset
select test.holder(:'twice') as first \gset
select test.prove_absent(:worker, :'twice');
select test_support.advance_clock('1 minute');
select (test.claim_one(:worker)).request_id as second \gset
select is(test.record(test.answer_order(:'first')), 'order_exists', 'the first submit did land, late');
select is(test.status(:'twice'), 'submitted', 'the decision has its order');
select is(test.record(test.answer_error(:'second', 422, 40010001, 'client_order_id must be unique')), 'stale',
          'the second''s duplicate is no news');
select is((select count(*)::integer from orderlatch_data.incidents as i where i.incident = 'duplicate_order'), 0,
          'there is one order');
select pg_temp.given_lost('K') as both \gset
select test.holder(:'both') as first \gset
select test.prove_absent(:worker, :'both');
select test_support.advance_clock('1 minute');
select (test.claim_one(:worker)).request_id as second \gset
select test.record(test.answer_order(:'first'));
select is(test.record(test.answer_order(:'second', '{"id": "a-second-order"}')), 'order_exists',
          'a broker that forgot the id takes both');
select is((select count(*)::integer from orderlatch_data.incidents as i
            where i.incident = 'duplicate_order' and i.closed_at is null), 1, 'that is an incident');
select is(test.halts(), '{duplicate_order}', 'and a halt');
select is(test.broken_promises(), '{}', 'no promise is broken');

select * from finish();
rollback;
