-- What follows proved absence: the first that applies of refused, withdrawn, lapsed and approved.
begin;
select plan(19);

select test_support.hold_clock('2026-03-02 15:00:00Z');
select test.given_account('paper', '{"max_in_doubt": 100, "max_decision_age": "1 day"}');
select test.given_worker() as worker \gset

-- Puts a decision in doubt and proves it absent under an account's settings; says how it ends and why.
create function pg_temp.ends(p_symbol text, p_settings jsonb, p_lost boolean default false, p_members jsonb default '{}',
  p_halt text default null)
returns text language plpgsql as $$
declare
  v_worker integer := (select max(w.worker_id) from orderlatch_data.workers as w);
  v_decision_hash text := test.given_submitting_decision(v_worker, jsonb_build_object('symbol', p_symbol) || p_members);
begin
  if p_lost then
    perform test_support.advance_clock('20 seconds');
    perform test.look_in_vain(v_worker);
  else
    perform test.record(test.answer_maybe(test.holder(v_decision_hash)));
  end if;
  perform test.given_absent_twice(v_worker, v_decision_hash);
  if p_halt is not null then
    perform orderlatch.halt('tests', 'paper', case p_halt when 'strategy' then 'momentum' end,
      case p_halt when 'symbol' then p_symbol end);
  end if;
  perform orderlatch.update_account('paper', p_settings);
  perform test.record(test.answer_status((test.claim_one(v_worker, 'list_orders')).request_id, 200, '[]'));
  perform orderlatch.update_account('paper', '{"on_absent": "resubmit", "broker_remembers_ids": true, "max_submits": 3}');
  perform orderlatch.lift_halt(h.halt_id, 'tests') from orderlatch_data.halts as h where h.lifted_at is null;
  perform orderlatch.withdraw_decision(v_decision_hash, 'done') where test.status(v_decision_hash) = 'approved';
  perform test_support.advance_clock('5 minutes');
  return (
    select concat_ws(' ', e.to_status, regexp_replace(e.reason, '^proved absent: ', ''))
      from orderlatch_data.decision_events as e
     where e.decision_id = test.decision_id(v_decision_hash) and e.from_status = 'in_doubt');
end
$$;

select is(pg_temp.ends('A', '{}'), 'approved to be sent again', 'it is sent again');
select is(pg_temp.ends('B', '{"on_absent": "lapse"}'), 'lapsed the account does not send again',
          'unless the account never does that');
select is(pg_temp.ends('C', '{}', p_halt => 'account'), 'lapsed a halt stands', 'a halt of the account stands');
select is(pg_temp.ends('D', '{}', p_halt => 'strategy'), 'lapsed a halt stands', 'or of its strategy');
select is(pg_temp.ends('E', '{}', p_halt => 'symbol'), 'lapsed a halt stands', 'or of its symbol');
select is(pg_temp.ends('F', '{}', p_members => jsonb_build_object('valid_until',
            orderlatch_data.canonical_time(orderlatch_data.clock() + interval '100 seconds'))), 'lapsed not valid any more',
              'it is not valid any more');
select is(pg_temp.ends('G', '{"max_submits": 1}'), 'lapsed 1 submits behind it', 'it has had its submits');
select is(pg_temp.ends('H', '{"max_submits": 2}'), 'approved to be sent again', 'but not when one is left');
select is(pg_temp.ends('I', '{"broker_remembers_ids": false}'), 'approved to be sent again',
          'a broker that forgets ids takes it again when the worker has answered');
select is(pg_temp.ends('J', '{"broker_remembers_ids": false}', true),
          'lapsed its worker never answered, and the broker does not remember ids',
          'but not when the worker may still be frozen in the middle of its call');
select is(pg_temp.ends('K', '{}', true), 'approved to be sent again', 'a broker that remembers ids takes it again all the same');
select is(pg_temp.ends('L', '{"on_absent": "lapse", "max_submits": 1}', true, p_halt => 'account'),
          'lapsed the account does not send again',
          'the first that applies is named');

-- Through all of max_submits.
select orderlatch.update_account('paper', '{"max_submits": 3}');
select test.given_submitting_decision(:worker, '{"symbol": "M"}') as often \gset
create function pg_temp.once_more(p_decision_hash text) returns text language plpgsql as $$
begin
  perform test.record(test.answer_maybe(test.holder(p_decision_hash)));
  perform test.prove_absent((select max(w.worker_id) from orderlatch_data.workers as w), p_decision_hash);
  perform test_support.advance_clock('5 minutes');
  perform test.claim((select max(w.worker_id) from orderlatch_data.workers as w));
  return test.status(p_decision_hash);
end
$$;
select is(pg_temp.once_more(:'often'), 'submitting', 'absent once, it is sent a second time');
select is(pg_temp.once_more(:'often'), 'submitting', 'absent twice, a third time');
select is(pg_temp.once_more(:'often'), 'lapsed', 'absent three times, it lapses');
select is((select array_agg(distinct r.body::jsonb ->> 'client_order_id') || count(*)::text
            from orderlatch_data.broker_requests as r
            where r.kind = 'submit_order' and r.decision_id = test.decision_id(:'often')), array[:'often', '3'],
              'always under the same id');
select is((select o.clean from orderlatch_data.decision_outcomes as o where o.decision_id = test.decision_id(:'often')), false,
          'not clean');
select is((select count(*)::integer from orderlatch_data.live_signals as g where g.decision_id = test.decision_id(:'often')), 1,
          'so that its signal stays decided');
select is(test.broken_promises(), '{}', 'no promise is broken');

select * from finish();
rollback;
