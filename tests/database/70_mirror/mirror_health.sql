-- A worker sees how far each standing read of its accounts has come, and of no others.
begin;
select plan(13);

select test_support.hold_clock('2026-03-02 14:30:00Z');
select test.given_mirrored_account();
select test.given_mirrored_account('other');
select test.given_worker() as worker \gset
select test_support.advance_clock('10 seconds');

select results_eq(
  format('select h.* from orderlatch.mirror_health(%s, ''{paper}'') as h', :worker),
  $$ values ('paper', 'fills', interval '10 seconds', 0, null::timestamptz), ('paper', 'open_orders', '10 seconds', 0, null),
            ('paper', 'orders', '10 seconds', 0, null), ('paper', 'positions', '10 seconds', 0, null) $$,
  'what was never read lags since the account was created'
);

-- a read that is granted now and answered five seconds later covers what was until now
select c.request_id as orders from test.claim_one(:worker, 'list_orders') as c \gset
select test_support.advance_clock('5 seconds');
select test.record(test.answer_status(:'orders', 200, '[]'));
select test_support.advance_clock('20 seconds');
select results_eq(
  format('select h.lag, h.failures, h.last_success_at from orderlatch.mirror_health(%s, ''{paper}'') as h where h.purpose = ''orders''',
         :worker),
  $$ values (interval '25 seconds', 0, '2026-03-02 14:30:15Z'::timestamptz) $$,
  'what a read covers is as old as the beginning of that read'
);

select c.request_id as fills from test.claim(:worker) as c where c.kind = 'list_fills' \gset
select test.record(test.answer_status(:'fills', 503, 'oh no'));
select results_eq(
  format('select h.lag, h.failures, h.last_success_at from orderlatch.mirror_health(%s, ''{paper}'') as h where h.purpose = ''fills''',
         :worker),
  $$ values (interval '35 seconds', 1, null::timestamptz) $$,
  'a page that failed is counted, and covers nothing'
);

insert into orderlatch_data.broker_reads (account_id, purpose, from_at, after_at, next_page_at)
values (test.account_id(), 'proof', orderlatch_data.clock(), orderlatch_data.clock(), orderlatch_data.clock());
select is((select count(*)::integer from orderlatch.mirror_health(:worker, '{paper}')), 4,
          'reads that a proof waits for are not among them');
select is((select count(*)::integer from orderlatch.mirror_health(:worker, '{}')), 0, 'of no account there is nothing to say');
select is((select count(*)::integer from orderlatch.mirror_health(:worker, null)), 0, 'nor of null');

-- Who may not ask ------------------------------------------------------------------------------------------------------

select throws_ok(format('select orderlatch.mirror_health(%s, %L)', :worker, n.accounts), 'OL102', null, n.title)
  from (
    values ('{other}', 'an account that the worker did not register is refused'),
           ('{paper,nobody}', 'an account that does not exist is refused, whoever else is named')
  ) as n(accounts, title);
select throws_ok('select orderlatch.mirror_health(-7, ''{paper}'')', 'OL101', null, 'a worker that nobody registered is refused');
select test.given_worker() as dead \gset
select test.kill_worker(:dead);
select throws_ok(format('select orderlatch.mirror_health(%s, ''{paper}'')', :dead), 'OL101', null,
                 'a worker whose listening connection has ended is refused');

create role carrier login;
grant orderlatch_worker to carrier;
select orderlatch.bind_login('carrier', 'paper');
select test_support.act_as('carrier');
select throws_ok(format('select orderlatch.mirror_health(%s, ''{paper}'')', :worker), 'OL101', null,
                 'a worker that another login registered is refused');
select orderlatch.register_worker('its-own', '[{"account": "paper", "environment": "paper"}]', 1) as own \gset
select is((select count(*)::integer from orderlatch.mirror_health(:own, '{paper}')), 4, 'its own may ask');
reset session authorization;
select orderlatch.unbind_login('carrier', 'paper');
select test_support.act_as('carrier');
select throws_ok(format('select orderlatch.mirror_health(%s, ''{paper}'')', :own), 'OL301', null,
                 'but not once its login is bound no more');
reset session authorization;

select * from finish();
rollback;
