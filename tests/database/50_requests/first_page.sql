-- The claim that begins a read asks for its first page, with a clock that goes on while it works.
begin;
select plan(2);

select test.given_mirrored_account();
select test.given_worker() as worker \gset
select results_eq(format('select c.kind from test.claim(%s) as c', :worker), $$ values ('list_orders') $$,
                  'a read that is due is begun and its first page granted');
select is(test.ask_again_ms(:worker) > 0, true, 'and the next claim only says when to come again');

select * from finish();
rollback;
