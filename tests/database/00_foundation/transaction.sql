-- What is committed stays committed, whatever has been switched off: every function that records a fact that a call
-- to the broker may rest on raises synchronous_commit for its own transaction.
alter role current_user in database :DBNAME set synchronous_commit = off;
\c
begin;
select plan(54);

select is(current_setting('synchronous_commit'), 'off', 'this login has switched synchronous_commit off');
select test_support.hold_clock('2026-03-02 15:00:00Z');
select test.given_account();
select test.given_account('external', '{"risk_engine": "external"}');
select test.given_account('live', '{}', 'live');
create temporary table known as
  select test.given_decision() as decision_hash, test.given_decision('external') as external_hash,
         test.given_decision('external') as second_hash, test.a_decision() as decision, test.given_worker('paper', 'external') as worker_id;
create temporary table doubtful as
  select w.worker_id, test.given_decision_in('in_doubt', w.worker_id) as decision_hash
    from (select test.given_worker(test.given_account('doubtful')) as worker_id) as w;
select is(current_setting('synchronous_commit'), 'on', 'by now it is on, for the rest of this transaction');

-- The setting after a statement that began with p_before; the statement is taken back.
create function pg_temp.setting_after(p_statement text, p_before text)
returns text
language plpgsql
as $$
begin
  perform set_config('synchronous_commit', p_before, true);
  execute p_statement;
  raise exception using errcode = 'ZZZZZ', message = current_setting('synchronous_commit');
exception
  when sqlstate 'ZZZZZ' then
    return sqlerrm;
end
$$;
create temporary table deeds as
  select d.deed, d.statement
    from known as k
   cross join doubtful as w
   cross join lateral (
     values
       ('proposing', format('select orderlatch.propose_decision(%L, %L)', 'paper', k.decision)),
       ('proposing an array', format('select orderlatch.propose_decisions(%L, %L)', 'paper', jsonb_build_array(k.decision))),
       ('recording', format('select orderlatch.ensure_decision(%L, %L)', 'paper', k.decision)),
       ('judging', format('select orderlatch.evaluate_decision(%L)', k.decision_hash)),
       ('approving', format('select orderlatch.approve_decision(%L, %L)', k.external_hash, '{"a": 1}')),
       ('rejecting', format('select orderlatch.reject_decision(%L, %L)', k.second_hash, '{"a": 1}')),
       ('withdrawing', format('select orderlatch.withdraw_decision(%L, %L)', k.decision_hash, 'why')),
       ('claiming', format('select orderlatch.claim_requests(%s, %L, 10)', k.worker_id, '{paper}')),
       ('recording answers', 'select orderlatch.record_responses(''[]'')'),
       ('ending a doubt', format('select orderlatch.resolve_in_doubt(%L, %L, %L)', w.decision_hash, 'absent', '{"a": 1}')),
       ('halting', 'select orderlatch.halt(''why'')'),
       ('limiting', 'select orderlatch.set_limit(''order_quantity'', 1)'),
       ('ending live grants', 'select orderlatch.revoke_live(''live'')')
   ) as d(deed, statement);

select is(pg_temp.setting_after(d.statement, 'off'), 'on', format('%s is durable where it is switched off', d.deed)) from deeds as d;
select is(pg_temp.setting_after(d.statement, 'local'), 'on', format('%s is durable where it is local', d.deed)) from deeds as d;
select is(pg_temp.setting_after(d.statement, 'remote_write'), 'on', format('%s is durable where a standby only writes', d.deed))
  from deeds as d;
select is(
         pg_temp.setting_after(d.statement, 'remote_apply'), 'remote_apply', format('%s leaves remote_apply, which waits for more', d.deed)
       )
  from deeds as d;

select * from finish();
rollback;
