-- A worker sees for which of its accounts its keys are known to be right, and nothing of other workers.
begin;
select plan(7);

select test_support.hold_clock('2026-03-02 15:00:00Z');
select test.given_account('other');
select test.given_account();
select test.given_stranger('paper', 'other') as worker \gset
select test.given_worker('other') as elsewhere \gset

prepare health as select h.account, h.verified_at from orderlatch.worker_health($1) as h;

select results_eq(format('execute health(%s)', :worker), $$ values ('other', null::timestamptz), ('paper', null) $$,
                  'a life begins with no account verified, whatever other lives know');
select c.request_id as question from test.claim(:worker) as c where c.account = 'paper' \gset
select test.record(test.answer_account(:'question', 'broker-1'));
select results_eq(format('execute health(%s)', :worker),
                  $$ values ('other', null::timestamptz), ('paper', '2026-03-02 15:00:00Z'::timestamptz) $$,
                  'an account is verified once its get_account has said so');

select throws_ok('execute health(-7)', 'OL101', null, 'a worker that nobody registered is refused');
select test.kill_worker(:elsewhere);
select throws_ok(format('execute health(%s)', :elsewhere), 'OL101', null, 'a worker whose connection has ended is refused');

create role carrier login;
grant orderlatch_worker to carrier;
select orderlatch.bind_login('carrier', 'paper');
select test_support.act_as('carrier');
select throws_ok(format('execute health(%s)', :worker), 'OL101', null, 'a worker that another login registered is refused');
select orderlatch.register_worker('its-own', '[{"account": "paper", "environment": "paper"}]', 1) as own \gset
select results_eq(format('execute health(%s)', :own), $$ values ('paper', null::timestamptz) $$, 'its own may ask');
reset session authorization;
select orderlatch.unbind_login('carrier', 'paper');
select test_support.act_as('carrier');
select is_empty(format('execute health(%s)', :own), 'an account that it may not carry any more is gone');
reset session authorization;

select * from finish();
rollback;
