-- Only a login that is bound to the whole account may carry its calls.
begin;
select plan(11);

select test.given_account();
create role carrier login;
grant orderlatch_worker to carrier;

prepare registers as select orderlatch.register_worker('w', '[{"account": "paper", "environment": "paper"}]', 1);
select test_support.act_as('carrier');
select throws_ok('execute registers', 'OL301', null, 'a login that is bound to nothing cannot register');
reset session authorization;
select orderlatch.bind_login('carrier', 'paper', 'momentum');
select test_support.act_as('carrier');
select throws_ok('execute registers', 'OL301', null, 'nor one that speaks for a single strategy');
reset session authorization;

select orderlatch.bind_login('carrier', 'paper');
select test_support.act_as('carrier');
select lives_ok('execute registers', 'one that is bound to the whole account can');
reset session authorization;
select max(w.worker_id) as worker from orderlatch_data.workers as w \gset
select test_support.act_as('carrier');
select results_eq(
  format('select c.kind from orderlatch.claim_requests(%s, ''{paper}'', 5) as c where c.request_id is not null', :worker),
  array['get_account'], 'and is granted calls');
reset session authorization;
select test.given_approved_decision() as decision \gset
select r.request_id as identity from orderlatch_data.open_requests as r \gset

select jsonb_build_array(test.answer_status(gen_random_uuid(), 200, test.order_document(:'decision')::text)) as order_of_nobodys_call \gset

select orderlatch.unbind_login('carrier', 'paper');
select test_support.act_as('carrier');
select throws_ok(format('select orderlatch.claim_requests(%s, ''{paper}'', 5)', :worker), 'OL301', null,
                 'a login that was unbound is granted nothing that it could not record');
select throws_ok(
  format('select orderlatch.record_responses(%L)', format('[{"request_id": "%s", "sent": "no"}]', :'identity')), 'OL301', null,
  'its answers are refused');
select throws_ok(
  format('select orderlatch.record_responses(%L)', :'order_of_nobodys_call'), 'OL301', null,
  'nor does it say that the order of a decision of the account exists, for a call that nobody knows');
select lives_ok('select orderlatch.record_responses(''[]'')', 'no answer needs no account');
reset session authorization;
select is((select count(*)::integer from orderlatch_data.open_requests), 1, 'the call that it was granted is still on its way');
select is((select count(*)::integer from orderlatch_data.broker_responses), 0, 'and has no answer');

select is(test.status(:'decision'), 'approved', 'nothing has become of the decision');

select * from finish();
rollback;
