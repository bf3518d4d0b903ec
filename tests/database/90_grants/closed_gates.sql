-- Nothing that a strategy, a risk engine or a worker may call, set or be opens a gate: no halt is lifted or bent, no live
-- grant made or stretched, no account changed, no submit granted that a gate holds back.
begin;
select plan(93);

select test_support.hold_clock('2026-03-02 15:00:00Z');
select test.given_account('live', '{"risk_engine": "external"}', 'live');
select test.given_account('halted');
select test.given_worker('live', 'halted') as setter \gset
select orderlatch.grant_live('live', '1 hour', 'an old one');
select test.given_decision('live') as live_decision \gset
select orderlatch.revoke_live('live');
select test.given_approved_decision('halted') as halted_decision \gset
select test.given_halt('stop', 'halted') as halt \gset

select test.a_decision() as decision \gset
create role a_strategy login in role orderlatch_strategy;
create role an_engine login in role orderlatch_risk;
create role a_carrier login in role orderlatch_worker;
select orderlatch.bind_login(l.login, a.account)
  from unnest('{a_strategy,an_engine,a_carrier}'::text[]) as l(login), unnest('{live,halted}'::text[]) as a(account);
create temporary table lives (worker_id integer);
grant all on lives to public;
select test_support.act_as('a_carrier');
insert into lives select orderlatch.register_worker(
  'w', '[{"account": "live", "environment": "live"}, {"account": "halted", "environment": "paper"}]', 1);
reset session authorization;
-- its keys are proved; only its right to act is in question
update orderlatch_data.worker_accounts set verified_at = orderlatch_data.clock();

-- Everything that holds a gate, as it is now.
create function pg_temp.gates() returns jsonb language sql volatile set timezone = 'UTC' set intervalstyle = 'postgres' as $$
  select jsonb_build_object(
    'halts', (select jsonb_agg(to_jsonb(h) order by h.halt_id) from orderlatch_data.halts as h where h.halted_by <> 'a_carrier'),
    'grants', (select jsonb_agg(to_jsonb(g) order by g.grant_id) from orderlatch_data.live_grants as g),
    'accounts', (select jsonb_agg(to_jsonb(a) order by a.account_id) from orderlatch_data.accounts as a),
    'bindings', (select jsonb_agg(to_jsonb(b) order by b.login, b.account_id) from orderlatch_data.login_bindings as b),
    'limits', (select count(*) from orderlatch_data.risk_limits as l),
    'members', (select count(*) from pg_auth_members as m)
  )
$$;
create temporary table before as select pg_temp.gates() as gates;

-- What becomes of a statement of a login: its error, or done; whatever it did is taken back.
create function pg_temp.tried(p_login text, p_statement text) returns text language plpgsql as $$
declare
  v_changed boolean;
  v_submits bigint;
begin
  perform test_support.act_as(p_login);
  execute p_statement;
  reset session authorization;
  select pg_temp.gates() <> b.gates into v_changed from before as b;
  select count(*) into v_submits from orderlatch_data.broker_requests as q where q.kind = 'submit_order';
  raise exception using errcode = 'ZZ000', message = case
    when v_changed then 'OPENED A GATE' when v_submits > 0 then 'SUBMITTED' else 'opened nothing' end;
exception
  when sqlstate 'ZZ000' then
    return sqlerrm;
  when others then
    return sqlstate;
end
$$;

-- What each may call: all of it is tried, with arguments that would open a gate if anything could.
create temporary table tries (login text, called text, statement text, expected text);
insert into tries
select c.login, c.called, c.statement, c.expected
  from (
    values
      ('a_strategy', 'preview_decision', format('select orderlatch.preview_decision(%L, %L)', 'live', :'decision'), 'opened nothing'),
      ('a_strategy', 'propose_decision', format('select orderlatch.propose_decision(%L, %L)', 'halted', :'decision'), 'opened nothing'),
      ('a_strategy', 'propose_decisions', format('select orderlatch.propose_decisions(%L, jsonb_build_array(%L::jsonb))', 'live', :'decision'), 'opened nothing'),
      ('a_strategy', 'ensure_decision', format('select orderlatch.ensure_decision(%L, %L)', 'live', :'decision'), 'opened nothing'),
      ('a_strategy', 'evaluate_decision', format('select orderlatch.evaluate_decision(%L)', :'live_decision'), 'OL304'),
      ('a_strategy', 'withdraw_decision', format('select orderlatch.withdraw_decision(%L, %L, true)', :'halted_decision', 'x'), 'opened nothing'),
      ('a_strategy', 'decision_hash', format('select orderlatch.decision_hash(%L, %L)', 'live', :'decision'), 'opened nothing'),
      ('a_strategy', 'decision_status', format('select orderlatch.decision_status(%L)', :'live_decision'), 'opened nothing'),
      ('a_strategy', 'events_since', 'select orderlatch.events_since(null)', 'opened nothing'),
      ('a_strategy', 'execution_exists', format('select orderlatch.execution_exists(%L)', :'live_decision'), 'opened nothing'),
      ('a_strategy', 'explain_decision', format('select orderlatch.explain_decision(%L)', :'live_decision'), 'opened nothing'),
      ('a_strategy', 'verify_decision', format('select orderlatch.verify_decision(%L)', :'live_decision'), 'opened nothing'),
      ('a_strategy', 'verify_decision_events', format('select orderlatch.verify_decision_events(%L)', :'live_decision'), 'opened nothing'),
      ('a_strategy', 'schema_version', 'select orderlatch.schema_version()', 'opened nothing'),
      ('an_engine', 'approve_decision', format('select orderlatch.approve_decision(%L, %L)', :'live_decision', '{"sure": true}'), 'opened nothing'),
      ('an_engine', 'reject_decision', format('select orderlatch.reject_decision(%L, %L)', :'live_decision', '{"sure": true}'), 'opened nothing'),
      ('an_engine', 'decision_status', format('select orderlatch.decision_status(%L)', :'live_decision'), 'opened nothing'),
      ('an_engine', 'events_since', 'select orderlatch.events_since(null)', 'opened nothing'),
      ('an_engine', 'execution_exists', format('select orderlatch.execution_exists(%L)', :'live_decision'), 'opened nothing'),
      ('an_engine', 'schema_version', 'select orderlatch.schema_version()', 'opened nothing'),
      ('a_carrier', 'register_worker', $$select orderlatch.register_worker('w', '[{"account": "live", "environment": "live"}]', 1)$$, 'opened nothing'),
      ('a_carrier', 'claim_requests', 'select orderlatch.claim_requests(l.worker_id, null, 1000) from lives as l', 'opened nothing'),
      ('a_carrier', 'mirror_health', 'select h.account from lives as l, orderlatch.mirror_health(l.worker_id, null) as h', 'opened nothing'),
      ('a_carrier', 'worker_health', 'select h.account from lives as l, orderlatch.worker_health(l.worker_id) as h', 'opened nothing'),
      ('a_carrier', 'request_traces', 'select t.trace_id from orderlatch.request_traces(array[gen_random_uuid()]) as t', 'opened nothing'),
      ('a_carrier', 'record_responses', $$select orderlatch.record_responses(
         '[{"request_id": "11111111-2222-4333-8444-555555555555", "sent": "yes", "status": 200, "body": "e30="}]')$$, 'opened nothing'),
      ('a_carrier', 'record_trade_update', $$select orderlatch.record_trade_update(l.worker_id, 'live', '{"stream": "trade_updates"}') from lives as l$$,
       'opened nothing'),
      ('a_carrier', 'record_stream_state', $$select orderlatch.record_stream_state(l.worker_id, 'live', true) from lives as l$$, 'opened nothing'),
      ('a_carrier', 'release_worker', 
       $$select orderlatch.release_worker(orderlatch.register_worker('w', '[{"account": "live", "environment": "live"}]', 1))$$, 'opened nothing'),
      ('a_carrier', 'schema_version', 'select orderlatch.schema_version()', 'opened nothing')
  ) as c(login, called, statement, expected);
select results_eq(
  $$ select l.login, p.proname::text collate "default"
       from (values ('a_strategy'), ('an_engine'), ('a_carrier')) as l(login)
       join pg_proc as p on p.pronamespace = 'orderlatch'::regnamespace and has_function_privilege(l.login, p.oid, 'execute')
      order by 1, 2 $$,
  $$ select t.login, t.called from tries as t order by 1, 2 $$,
  'every function that a strategy, a risk engine or a worker may call is tried'
);
select is(pg_temp.tried(t.login, t.statement), t.expected, format('%s calls %s', t.login, t.called)) from tries as t;

-- What opens gates, none of them may call, nor touch the tables.
select is(pg_temp.tried(l.login, d.statement), '42501', format('%s may not %s', l.login, d.deed))
  from unnest('{a_strategy,an_engine,a_carrier}'::text[]) as l(login)
 cross join (
   values ('lift a halt', format('select orderlatch.lift_halt(%s, %L)', :halt, 'x')),
          ('grant live', $$select orderlatch.grant_live('live', '1 hour', 'x')$$),
          ('change an account', $$select orderlatch.update_account('live', '{"max_in_doubt": 9}')$$),
          ('create one', $$select orderlatch.create_account('mine', 'paper')$$),
          ('bind a login', $$select orderlatch.bind_login(current_user, 'live')$$),
          ('set a limit', $$select orderlatch.set_limit('order_quantity', 1000000)$$),
          ('resolve a doubt', format($$select orderlatch.resolve_in_doubt(%L, 'absent', '{"a": 1}')$$, :'halted_decision')),
          ('write a grant by hand', $$insert into orderlatch_data.live_grants (account_id, granted_at, granted_until, granted_by, reason)
                                     values (1, now(), now() + interval '1 hour', 'me', 'x')$$),
          ('lift by hand', 'update orderlatch_data.halts set lifted_at = now()'),
          ('call a helper', 'select orderlatch_data.grant_submits(null, 1, 1)'),
          ('switch triggers off', 'alter table orderlatch_data.open_decisions disable trigger all'),
          ('switch them off by a setting', 'set session_replication_role = replica'),
          ('hang a trigger of its own on a table',
           'create trigger mine before insert on orderlatch_data.halts for each row execute function suppress_redundant_updates_trigger()'),
          ('forge an act', 'select orderlatch_data.record_act(''halts update'', ''{}'')'),
          ('become the owner', 'set role orderlatch_owner')
 ) as d(deed, statement);

-- No setting opens one: a claim under it is granted nothing that a gate holds back.
create function pg_temp.claimed_under(p_setting text) returns text language plpgsql as $$
declare
  v_outcome text := pg_temp.tried('a_carrier', format(
    'do $do$ begin %s; perform from lives as l, orderlatch.claim_requests(l.worker_id, null, 1000) as c; end $do$', p_setting));
begin
  return case when v_outcome in ('opened nothing', '42501', '42704', '25001', '25P02') then 'nothing' else v_outcome end;
end
$$;
select is(pg_temp.claimed_under(s.setting), 'nothing', format('%s opens nothing', s.setting))
  from unnest(array[
    $$set local search_path = pg_temp, public$$, $$set local session_replication_role = 'replica'$$, $$set local row_security = off$$,
    $$set local timezone = 'Pacific/Kiritimati'$$, $$set local datestyle = 'SQL, DMY'$$, $$set local intervalstyle = 'iso_8601'$$,
    $$set local synchronous_commit = off$$, $$set local lock_timeout = '1ms'$$, $$set local enable_indexscan = off$$,
    $$set local constraint_exclusion = on$$, $$set local check_function_bodies = off$$, $$set local orderlatch.live = 'true'$$,
    $$set local plpgsql.variable_conflict = 'use_variable'$$, $$set local standard_conforming_strings = off$$
  ]) as s(setting);
-- Nor does a table of one's own.
select test_support.act_as('a_carrier');
create temporary table halts (halt_id bigint);
create temporary table live_grants (account_id integer, granted_until timestamptz);
insert into live_grants values (1, 'infinity'), (2, 'infinity');
select is((select count(*) from lives as l, orderlatch.claim_requests(l.worker_id, null, 1000) as c where c.kind = 'submit_order'), 0::bigint,
          'temporary tables of the same names open nothing');
reset session authorization;
select is(pg_temp.gates(), b.gates, 'after all of this every gate is as it was') from before as b;

-- And so that the test itself is one: with the gates open, the same claim submits.
select orderlatch.lift_halt(:halt, 'tests');
select test_support.act_as('a_carrier');
select is((select array_agg(c.account || ' ' || c.kind) from lives as l, orderlatch.claim_requests(l.worker_id, null, 1000) as c where c.kind = 'submit_order'),
          '{halted submit_order}', 'when an operator lifts the halt the same claim submits');
reset session authorization;

select * from finish();
rollback;
