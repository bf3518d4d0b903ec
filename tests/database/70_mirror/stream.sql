-- The trade_updates stream: every oddity of its messages; it makes things fast, and nothing depends on it.
begin;
select plan(49);

select test_support.hold_clock('2026-03-02 16:00:00Z');
select test.given_mirrored_account('paper', '{"reconcile_from": "2026-03-02T14:00:00Z", "on_foreign_order": "ignore"}');
select test.given_mirrored_account('other');
select test.given_worker() as worker \gset
select test.serve(:worker, '{}');
create function pg_temp.frame(p_frame text) returns text language sql volatile as $$
  select orderlatch.record_trade_update(1, 'paper', convert_to(p_frame, 'UTF8'))
$$;
create function pg_temp.counts() returns text language sql volatile as $$
  select s.updates || ' and ' || s.unreadable || ' unreadable' from orderlatch_data.stream_states as s
$$;

-- Connected, lost, connected again: each beginning makes one reconciliation due.
select orderlatch.record_stream_state(:worker, 'paper', true);
select is((select s.connected_at is not null and s.lost_at is null from orderlatch_data.stream_states as s), true, 'a stream is connected');
select bag_eq($$ select w.purpose from orderlatch_data.read_wishes as w $$, $$ values ('orders'), ('open_orders'), ('fills') $$, 'what happened before is read');
select test_support.advance_clock('1 second');
select test.serve(:worker, '{}');
select orderlatch.record_stream_state(:worker, 'paper', false);
select is((select s.lost_at from orderlatch_data.stream_states as s), orderlatch_data.clock(), 'it is lost');
select is((select count(*)::integer from orderlatch_data.read_wishes), 0, 'nothing can be done about that');
select orderlatch.record_stream_state(:worker, 'paper', true);
select orderlatch.record_stream_state(:worker, 'paper', true);
select is((select count(*)::integer from orderlatch_data.read_wishes), 3, 'connected again everything is read, once');
select is((select s.lost_at from orderlatch_data.stream_states as s), null, 'and it is not lost');
select test.serve(:worker, '{}');

-- Frames.
select is(pg_temp.frame(f.frame), f.wanted, f.title)
  from (
    values
      ('{"stream":"authorization","data":{"status":"authorized","action":"authenticate"}}', 'not_an_update', 'the answer to a login is no update'),
      ('{"stream":"listening","data":{"streams":["trade_updates"]}}', 'not_an_update', 'nor is that to listen'),
      ('{"action":"error","data":{"error_message":"x"}}', 'not_an_update', 'nor an error'),
      ('{"stream":"account_updates","data":{"order":{}}}', 'not_an_update', 'nor one of another stream'),
      ('{"stream":"trade_updates"}', 'unreadable', 'an update without data is unreadable'),
      ('{"stream":"trade_updates","data":{"event":"new","order":{"id":"x"}}}', 'unreadable', 'so is one with half an order'),
      ('{"stream":"trade_updates","data":[]}', 'unreadable', 'so is one that is a list'),
      ('', 'unreadable', 'so is nothing'), ('null', 'unreadable', 'null'), ('[1]', 'unreadable', 'a list'), ('{', 'unreadable', 'half a message'), ('7', 'unreadable', 'a number'),
      ('{"stream":"trade_updates","data":"\ud800"}', 'unreadable', 'half a character')
  ) as f(frame, wanted, title);
select is(orderlatch.record_trade_update(:worker, 'paper', '\x82a673747265616d'), 'unreadable', 'so is MessagePack');
select is(pg_temp.counts(), '0 and 10 unreadable', 'they are counted');
select is((select count(*)::integer from orderlatch_data.broker_orders), 0, 'and left nothing');
select throws_ok($$ select orderlatch.record_trade_update(1, 'paper', null) $$, 'OL131', null, 'no message is refused');
select throws_ok($$ select orderlatch.record_trade_update(1, 'paper', convert_to(repeat('x', 8388609), 'UTF8')) $$, 'OL131', null, 'more than 8 MiB too');
select throws_ok($$ select orderlatch.record_stream_state(1, 'paper', null) $$, 'OL131', null, 'so is a state that is none');

-- Who may.
select throws_ok($$ select orderlatch.record_trade_update(99, 'paper', '{}') $$, 'OL101', null, 'a life that is none is refused');
select throws_ok($$ select orderlatch.record_trade_update(1, 'nobody', '{}') $$, 'OL102', null, 'so is an account that is none');
select is(test.tell(:worker, 'new', test.a_broker_order('swapped'), p_account => 'other'), 'not_verified', 'of an account whose keys the life has not proved nothing is taken');
select is((select count(*)::integer from orderlatch_data.broker_orders), 0, 'not even an order');
create role stranger login;
grant orderlatch_worker to stranger;
select orderlatch.bind_login('stranger', 'other');
select test_support.act_as('stranger');
select throws_ok($$ select orderlatch.record_trade_update(1, 'paper', '{}') $$, 'OL301', null, 'a login that does not carry the account is refused');
select throws_ok($$ select orderlatch.record_stream_state(1, 'paper', true) $$, 'OL301', null, 'also about its state');
reset session authorization;

-- Before the answer to the submit; told twice; told late.
select test.given_submitting_decision(:worker) as decision \gset
select is(test.tell(:worker, 'pending_new', test.order_document(:'decision', '{"status": "pending_new"}'), '{"execution_id": null, "event_id": "01H", "at": "2026-03-02T16:00:00.123456789Z"}'),
          'order_updated', 'an event may come before the answer to the submit');
select is(test.status(:'decision'), 'submitted', 'the decision is submitted');
select is(test.record(test.answer_order(test.holder(:'decision'))), 'order_exists', 'the answer says it again');
select is(test.moves(:'decision'), '{none>planned,planned>approved,approved>submitting,submitting>submitted}', 'it moves once');
select test.tell(:worker, 'fill', test.order_document(:'decision', '{"status": "filled", "filled_qty": "10", "filled_avg_price": "190", "updated_at": "2026-03-02T15:00:02Z"}'),
                 '{"price": "190", "qty": "10", "position_qty": "10", "execution_id": "6c2a"}') from generate_series(1, 2);
select is((select count(*)::integer from orderlatch_data.fills), 0, 'a fill is not booked from the stream');
select is((select s.order_status || ' ' || s.filled_qty from orderlatch.decision_status(:'decision') as s), 'filled 10', 'but its order says at once what it filled');
select is((select array_agg(w.purpose || ' ' || w.reason) from orderlatch_data.read_wishes as w), '{"fills the stream told of a fill"}', 'and the fills are due, once');
select test.tell(:worker, 'new', test.order_document(:'decision', '{"status": "new", "updated_at": "2026-03-02T15:00:01Z"}'));
select is((select s.order_status from orderlatch.decision_status(:'decision') as s), 'filled', 'an event that comes late changes nothing');
select is(pg_temp.counts(), '4 and 10 unreadable', 'they are counted too');

-- A busy minute: fills are read at most every two seconds.
create function pg_temp.busy(p_seconds integer) returns integer language plpgsql as $$
declare
  v_reads integer := 0;
begin
  for n in 1 .. p_seconds * 4 loop
    perform test_support.advance_clock('250 milliseconds');
    perform test.tell(1, 'partial_fill', test.a_broker_order('busy', jsonb_build_object('filled_qty', n::text, 'updated_at', orderlatch_data.canonical_time(orderlatch_data.clock()))));
    v_reads := v_reads + (select count(*) from unnest(test.serve(1, '{}')) as k where k = 'list_fills');
  end loop;
  return v_reads;
end
$$;
select test.serve(:worker, '{}');
select is(pg_temp.busy(20), 11, 'eighty fills in twenty seconds cost eleven calls');

-- Busts and corrections: their activity may bear an old time.
select test_support.advance_clock('1 minute');
select test.serve(:worker, '{}');
select test.tell(:worker, 'trade_bust', test.a_broker_order('busy', '{"submitted_at": "2026-03-02T14:30:00Z", "filled_qty": "0", "updated_at": "2026-03-02T16:30:00Z"}'), '{"previous_execution_id": "x"}');
select is((select w.from_at from orderlatch_data.read_wishes as w where w.purpose = 'fills'), '2026-03-02 14:29:00Z'::timestamptz, 'after a bust fills are read from before its order');
select is((test.broker_order('busy')).filled_qty > 0, true, 'the stream alone takes nothing off');
select test.serve(:worker, '{}');
select test.tell(:worker, 'trade_correct', test.a_broker_order('busy', '{"submitted_at": "2026-03-02T14:30:00Z"}'));
select is((select w.reason from orderlatch_data.read_wishes as w where w.purpose = 'fills'), 'the stream told of a trade_correct', 'so are they after a correction');

-- Multi-leg orders, unknown events, the old order of a replacement.
select is(test.tell(:worker, e.event, e.document), 'order_updated', e.event || ' is recorded')
  from (
    values ('calculated', test.a_broker_order('mleg', '{"symbol": "", "side": "", "asset_class": ""}')),
           ('an_event_of_next_year', test.a_broker_order('later')),
           ('replaced', test.a_broker_order('was', '{"status": "replaced", "replaced_by": "is"}'))
  ) as e(event, document);
select is((select count(*)::integer from orderlatch_data.broker_orders as b where b.broker_order_id in ('mleg', 'later', 'was')), 3, 'as an order');
-- Without any stream the lists show the same.
select is(test.broken_promises(), '{}', 'no promise is broken');

select * from finish();
rollback;
