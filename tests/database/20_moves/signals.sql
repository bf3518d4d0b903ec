-- When a signal may be decided anew: once its decision ended without an order, and none can appear any more.
begin;
select plan(20);

select test_support.hold_clock('2026-03-02 15:00:00Z');

-- A decision of account p_account that ends in p_status after a doubt, so not clean.
create function pg_temp.end_unclean(p_status text, p_account text)
returns text
language plpgsql
as $$
declare
  v_worker_id constant integer := test.given_worker(
    test.given_account(
      p_account,
      jsonb_build_object('risk_engine', 'external', 'on_absent', case p_status when 'lapsed' then 'lapse' else 'resubmit' end)
    )
  );
  v_evidence constant jsonb := '{"note": "looked at the broker''s page"}';
  v_decision_hash constant text := test.given_decision(p_account);
begin
  perform orderlatch.approve_decision(v_decision_hash, v_evidence);
  perform test.record(test.answer_maybe((test.claim_one(v_worker_id)).request_id));
  case p_status
    when 'submitted' then
      perform test.record(test.answer_order((test.claim_one(v_worker_id, 'find_order')).request_id));
    when 'withdrawn' then
      perform orderlatch.withdraw_decision(v_decision_hash, 'the signal is gone');
      perform orderlatch.resolve_in_doubt(v_decision_hash, 'absent', v_evidence);
    when 'lapsed' then
      perform orderlatch.resolve_in_doubt(v_decision_hash, 'absent', v_evidence);
    else
      perform orderlatch.resolve_in_doubt(v_decision_hash, 'absent', v_evidence);
      if p_status = 'rejected' then
        perform orderlatch.reject_decision(v_decision_hash, v_evidence);
      else
        perform test_support.advance_clock('1 minute');
        perform test.record(
          test.answer_error((test.claim_one(v_worker_id)).request_id, 403, 40310000, 'insufficient buying power')
        );
        perform orderlatch.resolve_in_doubt(v_decision_hash, 'absent', v_evidence);
      end if;
  end case;
  return v_decision_hash;
end
$$;

create temporary table ends (status text, clean boolean, free_again boolean, account text, decision_hash text);
insert into ends (status, clean, free_again, account) values
  ('rejected', true, true, 'rejected-clean'),
  ('rejected', false, true, 'rejected-unclean'),
  ('withdrawn', true, true, 'withdrawn-clean'),
  ('withdrawn', false, true, 'withdrawn-unclean'),
  ('refused', true, true, 'refused-clean'),
  ('refused', false, false, 'refused-unclean'),
  ('lapsed', true, true, 'lapsed-clean'),
  ('lapsed', false, false, 'lapsed-unclean'),
  ('submitted', true, false, 'submitted-clean'),
  ('submitted', false, false, 'submitted-unclean');
update ends as e
   set decision_hash = case
         when e.clean then test.given_decision_in(e.status, test.given_worker(test.given_account(e.account)))
         else pg_temp.end_unclean(e.status, e.account)
       end;

select results_eq(
         format(
           $$ select o.status, o.clean, exists (select 1 from orderlatch_data.live_signals as g where g.decision_id = o.decision_id)
                from orderlatch_data.decision_outcomes as o
               where o.decision_id = %s $$,
           test.decision_id(e.decision_hash)
         ),
         format('values (%L, %L::boolean, %L::boolean)', e.status, e.clean, not e.free_again),
         format(
           'a decision that ended %s, %s, %s its signal',
           e.status, case when e.clean then 'clean' else 'not clean' end, case when e.free_again then 'gives back' else 'keeps' end
         )
       )
  from ends as e;

-- The same signal with another quantity.
select is(
         (
           select p.outcome
             from orderlatch_data.trade_decisions as d
            cross join lateral orderlatch.ensure_decision(
              e.account,
              test.a_decision(
                jsonb_build_object('symbol', d.symbol, 'event_ts', orderlatch_data.canonical_time(d.event_ts), 'qty', '11')
              )
            ) as p
            where d.decision_id = test.decision_id(e.decision_hash)
         ),
         case when e.free_again then 'created' else 'conflict' end,
         format(
           'after %s, %s, a decision for the same signal is %s',
           e.status, case when e.clean then 'clean' else 'not clean' end,
           case when e.free_again then 'taken' else 'a conflict' end
         )
       )
  from ends as e;

select * from finish();
rollback;
