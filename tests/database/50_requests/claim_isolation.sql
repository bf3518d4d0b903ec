-- A snapshot taken before the locks would not see what their last holder committed: such transactions are refused.
begin isolation level repeatable read;
select plan(3);

select test.given_account();
select test.given_stranger() as worker \gset
select throws_ok(format('select orderlatch.claim_requests(%s, ''{paper}'', 1)', :worker), 'OL132', null,
                 'a claim in a repeatable read transaction is refused');
select throws_ok('select orderlatch.record_responses(''[]'')', 'OL132', null,
                 'answers in a repeatable read transaction are refused');
select throws_ok(format('select orderlatch.resolve_in_doubt(%L, ''absent'', ''{"note": "seen"}'')', repeat('0', 64)), 'OL103',
                 null,
                 'an unknown decision is refused before the isolation level is looked at');

select * from finish();
rollback;
