-- Answers that show orders as they were sent are recorded as a set, and leave what one after the other would leave.
begin;
select plan(36);

select test_support.hold_clock('2026-03-02 15:00:00Z');
select test.given_account('paper', '{"max_in_doubt": 100}');
select test.given_account('second', '{"max_in_doubt": 100}');
select test.given_worker('paper', 'second') as worker \gset

create temporary table answers (no integer, answer jsonb, decision_hash text);
insert into answers (no, decision_hash)
select n, test.given_submitting_decision(:worker, jsonb_build_object(
         'symbol', 'S' || n, 'order_type', 'limit', 'limit_price', '19.5'))
  from generate_series(1, 4) as n;
update answers as a set answer = test.answer_order(test.holder(a.decision_hash), jsonb_build_object('limit_price', '19.5'));

-- Everything that the answers could change, in one value: what is numbered by the order of work is left out.
create function pg_temp.world() returns jsonb language sql volatile as $$
  select jsonb_build_array(
    (select jsonb_agg(to_jsonb(o) order by o.decision_id) from orderlatch_data.open_decisions as o),
    (select jsonb_agg(to_jsonb(o) - 'event_id' order by o.decision_id) from orderlatch_data.decision_outcomes as o),
    (select jsonb_agg(to_jsonb(e) - 'event_id' order by e.decision_id, e.event_id) from orderlatch_data.decision_events as e),
    (select jsonb_agg(to_jsonb(r) order by r.request_id) from orderlatch_data.broker_responses as r),
    (select jsonb_agg(to_jsonb(r) order by r.request_id) from orderlatch_data.open_requests as r),
    (select jsonb_agg(to_jsonb(x) - 'order_no' order by x.decision_id) from orderlatch_data.broker_orders as x),
    (select jsonb_agg(to_jsonb(i) order by i.incident_id) from orderlatch_data.incidents as i),
    (select jsonb_agg(to_jsonb(l) order by l.account_id) from orderlatch_data.broker_limits as l),
    (select jsonb_agg(to_jsonb(s) order by s.account_id) from orderlatch_data.account_states as s)
  )
$$;
create function pg_temp.plain(p_answers jsonb) returns integer[] language plpgsql volatile as $$
declare
  v_reports constant orderlatch_data.broker_responses[] := orderlatch_data.read_reports(p_answers);
begin
  return coalesce(
    (select p.places from orderlatch_data.plain_submits(v_reports, orderlatch_data.lock_for_answers(v_reports)) as p), '{}');
end
$$;
-- Whether the first answer is still plain with these members laid over its order.
create function pg_temp.is_plain(p_members jsonb) returns boolean language sql volatile as $$
  select pg_temp.plain(jsonb_build_array(
           test.answer_order(test.holder(a.decision_hash), '{"limit_price": "19.5"}' || p_members))) = '{1}'
    from answers as a where a.no = 1
$$;

-- Another session that inserts an order at the last moment.
create function pg_temp.be_faster() returns trigger language plpgsql as $$
begin
  if pg_trigger_depth() = 1 and new.symbol = 'S2' then
    insert into orderlatch_data.broker_orders (account_id, broker_order_id, relation, symbol, status, is_open, filled_qty,
                                               shown_filled_qty, recorded_at, changed_at)
    values (new.account_id, new.broker_order_id, 'order', 'S2', 'new', true, 0, 0, new.recorded_at, new.changed_at);
  end if;
  return new;
end $$;

-- as a set, and one by one
select jsonb_agg(a.answer order by a.no) as batch from answers as a \gset
savepoint before;
select is(pg_temp.plain(:'batch'), '{1,2,3,4}', 'orders that are shown as they were sent are plain');
select is((select array_agg(r.meaning) from orderlatch.record_responses(:'batch') as r),
          '{order_exists,order_exists,order_exists,order_exists}', 'the orders exist');
select is((select count(*)::integer from orderlatch_data.broker_orders), 4, 'all of them are recorded');
select is(test.broken_promises(), '{}', 'no promise is broken');
select pg_temp.world() as at_once \gset
select is(pg_temp.plain(:'batch'), '{}', 'delivered again, they are not plain');
select is((select array_agg(distinct r.meaning) from orderlatch.record_responses(:'batch') as r), '{order_exists}', 'mean the same');
select is(pg_temp.world(), :'at_once'::jsonb, 'and change nothing');
rollback to before;
create or replace function orderlatch_data.is_as_sent(p_document jsonb, p_sent jsonb)
returns boolean language sql immutable as 'select false';
select is(pg_temp.plain(:'batch'), '{}', 'when none counts as plain');
select is((select array_agg(distinct r.meaning) from orderlatch.record_responses(:'batch') as r), '{order_exists}',
          'each is judged by itself');
select is(pg_temp.world(), :'at_once'::jsonb, 'and exactly the same is recorded');
rollback to before;

-- what is not plain
select ok(pg_temp.is_plain('{"status": "filled", "filled_qty": "10", "filled_avg_price": "19.4"}'), 'a fill at once is plain');
select ok(not pg_temp.is_plain(m.members), m.what || ' is judged by itself')
  from (values
    ('{"qty": "10.0"}'::jsonb, 'a quantity in other letters'), ('{"qty": "11"}', 'another quantity'),
    ('{"side": "sell"}', 'another side'), ('{"stop_price": "18"}', 'a term that was not sent'),
    ('{"order_class": "bracket"}', 'another class'), ('{"legs": [{"id": "leg"}]}', 'an order with legs'),
    ('{"replaces": "other"}', 'an order that replaces one'), ('{"client_order_id": "mine"}', 'an order of another id')
  ) as m(members, what);

-- what makes an answer be judged by itself, whatever it shows
select a.answer as first, a.decision_hash as decision from answers as a where a.no = 1 \gset
select is(pg_temp.plain(jsonb_build_array(:'first'::jsonb, :'first'::jsonb)), '{}', 'two answers to one request are not plain');
select is(pg_temp.plain(jsonb_build_array(:'first'::jsonb, test.answer_order(test.holder(:'decision'), '{"limit_price": "19.5", "id": "another"}'))), '{}',
          'not even when they show two orders');
insert into orderlatch_data.kind_backoffs (account_id, kind, failures, next_try_at, failed_at)
select test.account_id(), 'submit_order', 1, orderlatch_data.clock(), orderlatch_data.clock();
select is(pg_temp.plain(jsonb_build_array(:'first'::jsonb)), '{}', 'an answer that ends a back-off is not');
rollback to before;
select test.record(test.answer_maybe(test.holder(:'decision')));
select is(pg_temp.plain(jsonb_build_array(:'first'::jsonb)), '{}', 'nor one about a decision in doubt');
rollback to before;
select orderlatch.withdraw_decision(:'decision', 'changed my mind', true);
select is(pg_temp.plain(jsonb_build_array(:'first'::jsonb)), '{}', 'nor one about a decision that is wished away');
rollback to before;
select orderlatch_data.open_incident('order_mismatch', test.account_id(), test.decision_id(:'decision'), null, '{}');
select is(pg_temp.plain(jsonb_build_array(:'first'::jsonb)), '{}', 'nor one about a decision with an incident');
rollback to before;
update orderlatch_data.open_decisions as o set holder_request_id = orderlatch_data.new_request_id() where o.decision_id = test.decision_id(:'decision');
select is(pg_temp.plain(jsonb_build_array(:'first'::jsonb)), '{}', 'nor one to a request that does not hold its decision any more');
rollback to before;
select test.order_document(:'decision') ->> 'id' as id \gset
select test.insert_order(test.a_broker_order(:'id'));
select is(pg_temp.plain(jsonb_build_array(:'first'::jsonb)), '{}', 'nor one that shows an order which was foreign');
rollback to before;
select test.insert_order(test.a_broker_order('a leg'));
update orderlatch_data.broker_orders as b set parent_broker_order_id = :'id';
select is(pg_temp.plain(jsonb_build_array(:'first'::jsonb)), '{}', 'nor one whose order has a leg that came first');
rollback to before;
select test.insert_order(test.a_broker_order('another'));
update orderlatch_data.broker_orders as b set decision_id = test.decision_id(:'decision'), relation = 'order';
select is(pg_temp.plain(jsonb_build_array(:'first'::jsonb)), '{}', 'nor one whose decision has an order already');
rollback to before;

-- an order that another session inserts meanwhile
create trigger a_faster_session before insert on orderlatch_data.broker_orders for each row execute function pg_temp.be_faster();
select is((select orderlatch_data.record_plain_submits(r, orderlatch_data.lock_for_answers(r))
             from orderlatch_data.read_reports(:'batch') as r), '{1,3,4}', 'an order that came meanwhile is not recorded as a set');
rollback to before;
create trigger a_faster_session before insert on orderlatch_data.broker_orders for each row execute function pg_temp.be_faster();
select is((select array_agg(r.answer_no || ' ' || r.meaning order by r.answer_no) from orderlatch.record_responses(:'batch') as r),
          '{"1 order_exists","2 order_exists","3 order_exists","4 order_exists"}', 'its answer is judged by itself');
select is((select array_agg(o.status order by o.decision_id) from orderlatch_data.decision_outcomes as o),
          '{submitted,submitted,submitted,submitted}', 'and moves its decision too');
select is(test.broken_promises(), '{}', 'by every promise');
rollback to before;

-- among others
select jsonb_agg(
         case a.no
           when 2 then test.answer_error(test.holder(a.decision_hash), 403, 40310000, 'insufficient buying power')
           when 3 then test.answer_order(test.holder(a.decision_hash), '{"limit_price": "19.50"}')
           else a.answer
         end order by a.no) as batch
  from answers as a \gset
select is((select array_agg(r.answer_no || ' ' || r.meaning order by r.answer_no) from orderlatch.record_responses(:'batch') as r),
          '{"1 order_exists","2 refused","3 order_exists","4 order_exists"}', 'each answer of a batch is recorded once');
select is((select count(*)::integer from orderlatch_data.open_requests), 0, 'none is left on its way');
select is(test.broken_promises(), '{}', 'and no promise is broken');

select * from finish();
rollback;
