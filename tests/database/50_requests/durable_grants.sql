-- A grant and an answer survive a crash, whatever the server, the database or the role has switched off.
begin;
select plan(4);

select test.given_account();
select test.given_worker() as worker \gset

set local synchronous_commit = off;
select count(*) from test.claim(:worker);
select is(current_setting('synchronous_commit'), 'on', 'a claim is durable with synchronous_commit off');
set local synchronous_commit = local;
select orderlatch.record_responses('[]');
select is(current_setting('synchronous_commit'), 'on', 'answers are durable with synchronous_commit local');
set local synchronous_commit = remote_write;
select count(*) from test.claim(:worker);
select is(current_setting('synchronous_commit'), 'on', 'a claim is on disk with synchronous_commit remote_write');
set local synchronous_commit = remote_apply;
select count(*) from test.claim(:worker);
select is(current_setting('synchronous_commit'), 'remote_apply', 'a claim keeps what is stronger');

select * from finish();
rollback;
