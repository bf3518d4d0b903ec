-- Time goes on while a claim works: what comes due in the middle of one is granted by it or by the next, never forgotten.
begin;
select plan(7);

select test_support.hold_clock('2026-03-02 15:00:00Z');
select test.given_mirrored_account('paper', '{"max_in_doubt": 100, "rate_limit": 1000000, "burst": 500000}');
select test.given_worker() as worker \gset
select test.serve(:worker, '{}');
select test.given_decision_in('submitted', :worker, '{"symbol": "KNOWN"}') as known \gset
select test.given_decision_in('in_doubt', :worker, '{"symbol": "DOUBT"}') as doubtful \gset
select orderlatch_data.check_order(test.account_id(), 'order-' || test.decision_id(:'known'), 'tests', '1 hour');
select orderlatch.withdraw_decision(:'known', 'tests', true);
select test.given_decision_in('approved', :worker, '{"symbol": "WAITS"}') as waits \gset
select test.given_halt('until it is lifted') as halt \gset
update orderlatch_data.doubts set next_lookup_at = orderlatch_data.clock() + interval '1 hour';
update orderlatch_data.order_cancels set next_try_at = orderlatch_data.clock() + interval '1 hour';
update orderlatch_data.open_decisions set tries = 1, next_try_at = orderlatch_data.clock() + interval '1 hour' where status = 'approved';
select test.kinds(:worker);
select orderlatch.lift_halt(:halt, 'tests');
delete from orderlatch_data.kind_backoffs;

-- A millisecond passes with each look at the clock.
create sequence pg_temp.ticks minvalue 0 start 0;
grant usage on sequence pg_temp.ticks to public;
create function pg_temp.tick() returns timestamptz language sql volatile security definer as $$
  select c.held_at + nextval('pg_temp.ticks') * interval '1 millisecond' from test_support.clock as c
$$;
create or replace function orderlatch_data.clock() returns timestamptz language plpgsql volatile as 'begin return pg_temp.tick(); end';

-- At how many of the moments within a claim something may come due without being granted by it, nor due after it.
create function pg_temp.forgotten(p_statement text, p_kind text) returns integer language plpgsql as $$
declare
  v_forgotten integer := 0;
  v_kinds text[];
begin
  for v_tick in 1 .. 120 loop
    begin
      perform setval('pg_temp.ticks', 0);
      execute format(p_statement, (select c.held_at from test_support.clock as c) + v_tick * interval '1 millisecond');
      update orderlatch_data.account_agenda set due_at = '-infinity';
      perform setval('pg_temp.ticks', 0);
      v_kinds := test.kinds((select max(w.worker_id) from orderlatch_data.workers as w));
      raise exception using errcode = 'ZZ000', message = (
        select v_kinds @> array[p_kind] or g.due_at <= c.held_at + greatest(v_tick, currval('pg_temp.ticks')) * interval '1 millisecond'
          from orderlatch_data.account_agenda as g
         cross join test_support.clock as c
      )::text;
    exception when sqlstate 'ZZ000' then
      v_forgotten := v_forgotten + (sqlerrm = 'false')::integer;
    end;
  end loop;
  return v_forgotten;
end
$$;
select cmp_ok(currval('pg_temp.ticks'), '<', 120::bigint, 'a claim looks at the clock less often than that')
  from (select setval('pg_temp.ticks', 0), test.kinds(:worker)) as k;
select is(pg_temp.forgotten(d.statement, d.kind), 0, format('%s is not forgotten: %s', d.kind, left(d.statement, 40)))
  from (
    values ('update orderlatch_data.doubts set next_lookup_at = %L', 'find_order'),
           ('update orderlatch_data.order_checks set next_try_at = %L', 'get_order'),
           ('update orderlatch_data.order_cancels set next_try_at = %L', 'cancel_order'),
           ($$insert into orderlatch_data.read_wishes (account_id, purpose, reason, due_at) select test.account_id(), 'fills', 'tests', %L$$, 'list_fills'),
           ($$update orderlatch_data.open_decisions set next_try_at = %L where status = 'approved'$$, 'submit_order'),
           ($$with ready as (update orderlatch_data.open_decisions set next_try_at = '2026-03-02' where status = 'approved')
              update orderlatch_data.account_states set paused_until = %L$$, 'submit_order')
  ) as d(statement, kind);

select * from finish();
rollback;
