-- Read uncommitted is read committed under another name, and is taken.
begin isolation level read uncommitted;
select plan(2);

select test.given_account();
select is((select p.outcome from orderlatch.propose_decision('paper', test.a_decision()) as p), 'created', 'a decision can be proposed');
select is((select c.kind from test.claim_one(test.given_worker()) as c), 'submit_order', 'and its submit claimed');

select * from finish();
rollback;
