-- What operators do is a chain of its own, and their rows are what it says.
begin;
select plan(32);

select test_support.hold_clock('2026-03-02 15:00:00Z');
set local timezone = 'Asia/Tokyo';
select test.given_account('paper', '{"broker_account_id": "paper-id"}');
select test.given_account('real', '{}', 'live');
create temporary table halted as select test.given_halt('looks wrong', 'paper') as halt_id;
select orderlatch.lift_halt(h.halt_id, 'was nothing') from halted as h;
select test.given_halt('everything');
select orderlatch.grant_live('real', '1 hour', 'open for business');
select count(*) from orderlatch.revoke_live('real');
select orderlatch.set_limit('gross_exposure', 250000, 'paper');
select orderlatch.update_account('paper', '{"max_submits": 2}');
select orderlatch.adjust_position('paper', 'MSFT', 5, 'transfer', 'moved');
select orderlatch_data.open_incident('unauthorized', test.account_id(), null, null, '{}');
create temporary table opened as select max(a.act_no) as act_no from orderlatch_data.operator_acts as a;
select orderlatch.close_incident(i.incident_id, 'a new key') from orderlatch.open_incidents as i;
create role an_operator login;
select orderlatch.bind_login('an_operator', 'paper');
select orderlatch.bind_login('an_operator', 'real');
select orderlatch.unbind_login('an_operator', 'real');

select results_eq(
  $$ select a.act, count(*)::integer from orderlatch_data.operator_acts as a group by a.act order by a.act $$,
  $$ values ('accounts insert', 2), ('accounts update', (select count(*)::integer from orderlatch_data.operator_acts as a where a.act = 'accounts update')),
            ('halts insert', 2), ('halts update', 1), ('incidents update', 1), ('live_grants insert', 1), ('live_grants update', 1),
            ('login_bindings delete', 1), ('login_bindings insert', 2), ('position_adjustments insert', 1),
            ('risk_limit_changes insert', 3) $$,
  'every deed of an operator is an act'
);
select is(
  (select count(*) from orderlatch_data.operator_acts as a, opened as o where a.act ~ '^incidents' and a.act_no <= o.act_no), 0::bigint,
  'an incident that opens is nobody''s act'
);
select is(
  (select a.detail ->> 'halted_at' from orderlatch_data.operator_acts as a where a.act = 'halts insert' order by a.act_no limit 1),
  '2026-03-02T15:00:00+00:00', 'an act is written the same way in every time zone'
);
select is_empty('select f.* from orderlatch_data.act_findings() as f', 'nothing is wrong with an honest record');
set local timezone = 'America/New_York';
set local intervalstyle = 'iso_8601';
select is_empty('select f.* from orderlatch_data.act_findings() as f', 'nor is there in another session''s settings');
create temporary table heads as select orderlatch.audit_head() as head;

create function pg_temp.found_after(p_deed text, out findings text[], out shown_by_head boolean)
language plpgsql
as $$
begin
  begin
    set local session_replication_role = replica;
    execute p_deed;
    findings := array(select distinct split_part(f.finding, ': ', 2) from orderlatch_data.act_findings() as f order by 1);
    select not bool_and(v.agrees) into shown_by_head from heads as h cross join orderlatch.verify_against(h.head) as v;
    raise exception using errcode = 'ZZ000';
  exception
    when sqlstate 'ZZ000' then
      null;
  end;
end
$$;
create temporary table deeds (row_findings text[], head boolean, title text, deed text);
insert into deeds values
  ('{the row is not what its newest act says}', false, 'the author of a halt edited', $$ update orderlatch_data.halts set halted_by = 'x' where lifted_at is null $$),
  ('{the row is not what its newest act says}', false, 'a halt lifted in secret',
   $$ update orderlatch_data.halts set lifted_at = halted_at, lifted_by = 'x', lift_reason = 'x' where lifted_at is null $$),
  ('{the row is gone}', false, 'a halt deleted', $$ delete from orderlatch_data.halts where lifted_at is null $$),
  ('{the row was not made by any act}', false, 'a live grant slipped in',
   $$ insert into orderlatch_data.live_grants (account_id, granted_at, granted_until, granted_by, reason)
      select a.account_id, orderlatch_data.clock(), orderlatch_data.clock() + interval '1 day', 'x', 'x' from orderlatch_data.accounts as a where a.account = 'real' $$),
  ('{the row is not what its newest act says}', false, 'a live grant prolonged', $$ update orderlatch_data.live_grants set granted_until = granted_until + interval '1 hour' $$),
  ('{the row is not what its newest act says}', false, 'a limit''s history edited', $$ update orderlatch_data.risk_limit_changes set to_ceiling = 1e9 where to_ceiling = 250000 $$),
  ('{the row is not what its newest act says}', false, 'a setting changed', $$ update orderlatch_data.accounts set max_submits = 9 where account = 'paper' $$),
  ('{the row is not what its newest act says}', false, 'a duration changed', $$ update orderlatch_data.accounts set absence_quiet = '2 minutes' where account = 'paper' $$),
  ('{the row was not made by any act}', false, 'a login bound in secret',
   $$ insert into orderlatch_data.login_bindings (login, account_id, bound_at, bound_by)
      select 'x', a.account_id, orderlatch_data.clock(), 'x' from orderlatch_data.accounts as a where a.account = 'paper' $$),
  ('{the row was not made by any act}', false, 'a binding that ended put back',
   $$ insert into orderlatch_data.login_bindings (login, account_id, bound_at, bound_by)
      select 'an_operator', a.account_id, orderlatch_data.clock(), 'x' from orderlatch_data.accounts as a where a.account = 'real' $$),
  ('{the row is gone}', false, 'a binding taken in secret', $$ delete from orderlatch_data.login_bindings $$),
  ('{the row is gone}', false, 'an adjustment deleted', $$ delete from orderlatch_data.position_adjustments $$),
  ('{the row is not what its newest act says}', false, 'a resolution edited', $$ update orderlatch_data.incidents set resolution = 'x' where closed_at is not null $$),
  ('{"",the row is not what its newest act says}', false, 'a halt and its act edited alike',
   $$ update orderlatch_data.halts set reason = 'x' where lifted_at is null;
      update orderlatch_data.operator_acts set detail = detail || '{"reason": "y"}' where act = 'halts insert' and detail ->> 'reason' = 'everything' $$),
  ('{""}', false, 'the author of an act edited', $$ update orderlatch_data.operator_acts set acted_by = 'x' where act = 'accounts insert' $$),
  ('{"",the row was not made by any act}', true, 'an act deleted', $$ delete from orderlatch_data.operator_acts where act = 'position_adjustments insert' $$),
  ('{"",the row is gone}', true, 'the newest act deleted',
   $$ delete from orderlatch_data.operator_acts where act_no = (select max(a.act_no) from orderlatch_data.operator_acts as a) $$),
  ('{""}', false, 'an end forgotten', $$ delete from orderlatch_data.act_tips $$),
  ('{}', true, 'the newest act deleted, and everything else set back to before it',
   $$ with gone as (
        delete from orderlatch_data.operator_acts as a where a.act_no = (select max(b.act_no) from orderlatch_data.operator_acts as b) returning a.*
      ), ends as (delete from orderlatch_data.act_tips), bound as (
        insert into orderlatch_data.login_bindings select (jsonb_populate_record(null::orderlatch_data.login_bindings, g.detail)).* from gone as g
      )
      insert into orderlatch_data.act_tips select unnest(g.saw) from gone as g $$),
  ('{}', true, 'the whole chain of acts written anew', $$ select pg_temp.forge_acts() $$);
create function pg_temp.forge_acts()
returns void
language plpgsql
as $$
declare
  v_act orderlatch_data.operator_acts;
begin
  update orderlatch_data.operator_acts set acted_by = 'somebody else';
  for v_act in select a.* from orderlatch_data.operator_acts as a order by a.act_no loop
    update orderlatch_data.operator_acts as a
       set act_hash = orderlatch_data.act_hash(v_act.act_no, v_act.act, v_act.detail, v_act.acted_at, v_act.acted_by, v_act.saw)
     where a.act_no = v_act.act_no;
  end loop;
end
$$;
select is((s.findings, s.shown_by_head), (d.row_findings, d.head), d.title)
  from deeds as d cross join lateral pg_temp.found_after(d.deed) as s;
select is_empty('select f.* from orderlatch_data.act_findings() as f', 'all of it is undone');
select is_empty(
  $$ select v.* from heads as h cross join orderlatch.verify_all(h.head) as v where v.what <> 'all' $$, 'verify_all finds nothing either');
select throws_ok(format('%s orderlatch_data.operator_acts', d.deed), 'OL901', null, 'acts are written once: ' || d.deed)
  from unnest('{truncate,delete from}'::text[]) as d(deed);
select throws_ok($$ update orderlatch_data.operator_acts set acted_by = 'x' $$, 'OL901', null, 'and are not edited');
select results_eq(
  $$ select v.what, v.finding from orderlatch.verify_all('0.0.' || repeat('0', 64)) as v where v.what = 'head' $$,
  $$ values ('head', 'events up to 0 and acts up to 0: they are not those that the head was taken over') $$,
  'a head of another database agrees with nothing'
);
select is(
  (select count(*) from orderlatch_data.act_tips as t), 1::bigint, 'acts that one session writes have one end');

select * from finish();
rollback;
