-- What is approved without a price counts at the newest known one for the next, in one batch as in two.
begin;
select plan(5);

select test_support.hold_clock('2026-03-02 15:00:00Z');
create temporary table sales as
  select test.a_decision('{"action": "sell", "qty": "5", "reference_price": null}') as closing,
         test.a_decision('{"action": "sell", "qty": "30", "order_type": "limit", "limit_price": "200"}') as beyond;
-- An account that holds ten shares, bought at 190.25 dollars.
create function pg_temp.given_holder(p_account text, p_ceiling numeric)
returns void
language plpgsql
as $$
declare
  v_worker_id integer;
begin
  perform test.given_account(p_account);
  v_worker_id := test.given_worker(p_account);
  perform orderlatch.propose_decision(p_account, test.a_decision());
  perform test.record(test.answer_order((test.claim_one(v_worker_id)).request_id, '{"status": "filled", "filled_qty": "10"}'));
  perform test.take_fills(jsonb_build_array(test.a_fill(b.broker_order_id, p_account)), p_account)
     from orderlatch_data.broker_orders as b
    where b.account_id = test.account_id(p_account);
  perform orderlatch.set_limit('gross_exposure', p_ceiling, p_account);
end
$$;
select pg_temp.given_holder(a.account, a.ceiling)
  from (values ('batch', 1e6), ('single', 1e6), ('tight', 2000)) as a(account, ceiling);
create function pg_temp.counted(p_account text)
returns numeric
language sql
as $$
  select round((v.inputs #>> '{sums,0,with}')::numeric, 2)
    from orderlatch_data.risk_verdicts as v where v.account_id = test.account_id(p_account) order by v.decision_id desc limit 1
$$;

select results_eq(
  format($$ select p.reasons from sales as s, orderlatch.propose_decision('single', s.%I) as p $$, c.sale),
  $$ values ('{}'::text[]) $$, format('one by one, the sale that is %s passes', c.sale)
)
  from (values (1, 'closing'), (2, 'beyond')) as c(place, sale) order by c.place;
select results_eq(
  $$ select p.reasons from sales as s, orderlatch.propose_decisions('batch', jsonb_build_array(s.closing, s.beyond)) as p $$,
  $$ values ('{}'::text[]), ('{}') $$, 'and so they do in one batch'
);
select is(pg_temp.counted('batch'), pg_temp.counted('single'), 'where they count for the same');
select results_eq(
  $$ select p.reasons from sales as s, orderlatch.propose_decisions('tight', jsonb_build_array(s.closing, s.beyond)) as p $$,
  $$ values ('{}'::text[]), ('{gross_exposure}') $$, 'so that a limit says what is wrong'
);

select * from finish();
rollback;
