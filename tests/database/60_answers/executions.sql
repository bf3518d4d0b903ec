-- What is known of an order never goes back: a final status stays, fills never shrink, an older view is ignored.
begin;
select plan(18);

select test_support.hold_clock('2026-03-02 15:00:00Z');
select test.given_account('paper', '{"max_in_doubt": 100}');
select test.given_worker() as worker \gset
create function pg_temp.shown(p_no integer, p_members jsonb) returns text language plpgsql as $$
declare
  v_decision_hash text := (select encode(d.decision_hash, 'hex') from orderlatch_data.trade_decisions as d
     where d.symbol = 'S' || p_no);
begin
  perform test.record(test.answer_status(gen_random_uuid(), 200, test.order_document(v_decision_hash, p_members)::text));
  return (select concat_ws(' ', x.status, x.filled_qty, x.filled_avg_price, to_char(x.updated_at at time zone 'utc', 'HH24:MI:SS'))
            from orderlatch_data.broker_orders as x
            where x.decision_id = test.decision_id(v_decision_hash) and x.relation = 'order');
end
$$;
select count(test.given_decision('paper', jsonb_build_object('symbol', 'S' || n))) from generate_series(1, 4) as n;

select is(pg_temp.shown(1, v.members), v.known, v.title)
  from (
    values
      ('{"status": "new", "updated_at": "2026-03-02T15:00:01Z"}'::jsonb, 'new 0 15:00:01', 'an order is as it is shown'),
      ('{"status": "partially_filled", "filled_qty": "4", "filled_avg_price": "190", "updated_at": "2026-03-02T15:00:03Z"}',
       'partially_filled 4 190 15:00:03', 'a newer view counts'),
      ('{"status": "new", "filled_qty": "0", "filled_avg_price": null, "updated_at": "2026-03-02T15:00:02Z"}',
       'partially_filled 4 190 15:00:03', 'an older one does not'),
      ('{"status": "pending_cancel", "filled_qty": "3", "updated_at": "2026-03-02T15:00:03Z"}', 'pending_cancel 4 190 15:00:03',
       'one of the same moment counts, but fills never shrink'),
      ('{"status": "unheard_of", "filled_qty": "3", "updated_at": null}', 'pending_cancel 4 190 15:00:03',
       'one of no moment does not count'),
      ('{"status": "unheard_of", "filled_qty": "x", "updated_at": "2026-03-02T15:00:04Z"}', 'unheard_of 4 190 15:00:04',
       'an unknown status is stored as it is'),
      ('{"status": "canceled", "filled_qty": "4", "updated_at": "2026-03-02T15:00:05Z"}', 'canceled 4 190 15:00:05',
       'an order ends with what it has filled'),
      ('{"status": "new", "filled_qty": "4", "updated_at": "2026-03-02T15:00:09Z"}', 'canceled 4 190 15:00:09',
       'and never begins again'),
      ('{"status": "canceled", "filled_qty": "9", "filled_avg_price": "191", "updated_at": "2026-03-02T15:00:10Z"}',
       'canceled 9 191 15:00:10', 'but what was filled before its end may be told after it')
  ) as v(members, known, title);
select is(pg_temp.shown(2, jsonb_build_object('status', s.status)) || pg_temp.shown(2, '{"status": "new", "updated_at": "2026-03-03T15:00:00Z"}'),
          'filled 0 15:00:00filled 0 15:00:00', 'filled is final') from (values ('filled')) as s(status);
select is((select array_agg(test.status(encode(d.decision_hash, 'hex'))) from orderlatch_data.trade_decisions as d
            where d.symbol in ('S1', 'S2')),
          '{submitted,submitted}', 'whatever becomes of its order, a decision stays submitted');
select is(pg_temp.shown(3, '{"status": "rejected"}'), 'rejected 0 15:00:00',
          'an order that the broker took and rejected later is an order');
select is(pg_temp.shown(4, '{"updated_at": null, "submitted_at": null, "filled_qty": null}'), 'accepted 0',
          'an order may say little of itself');
select is(pg_temp.shown(4, '{"status": "new"}'), 'new 0 15:00:00', 'and more later');
select is(test.incidents(), '{}', 'nothing of this is an incident');

-- Two orders for one decision.
select is(pg_temp.shown(4, '{"id": "another", "status": "filled", "filled_qty": "10"}'), 'new 0 15:00:00',
          'a second order leaves the first as it is');
select is((select i.incident || ' ' || i.detail from orderlatch_data.incidents as i),
          (select format('duplicate_order {"also": "another", "known": "order-%s"}', d.decision_id)
                      from orderlatch_data.trade_decisions as d where d.symbol = 'S4'),
          'but it is an incident that names both');
select is(test.halts(), '{duplicate_order}', 'and the account is halted');

select * from finish();
rollback;
