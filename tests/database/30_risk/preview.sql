-- A preview says what proposing would do, and does nothing: no row of any table is written, no lock is taken.
select test_support.hold_clock('2026-03-02 15:00:00Z') \g /dev/null
select test.given_account('paper'), test.given_account('external', '{"risk_engine": "external"}') \g /dev/null
select orderlatch.set_limit('open_orders', 3, 'paper'), orderlatch.set_limit('notional_a_day', 5000, 'paper'),
       orderlatch.set_limit('order_quantity', 100) \g /dev/null

begin;
select plan(35);

-- Every row of every table, to be compared.
create function pg_temp.rows()
returns table (table_name text, content text)
language plpgsql
as $$
begin
  for table_name in
    select t.tablename from pg_tables as t where t.schemaname = 'orderlatch_data' order by t.tablename
  loop
    execute format('select md5(coalesce(string_agg(r::text, chr(10) order by r::text), '''')) from orderlatch_data.%I as r', table_name)
      into content;
    return next;
  end loop;
end
$$;
create function pg_temp.held()
returns bigint
language sql
as $$ select count(*) from pg_locks as l where l.locktype = 'advisory' and l.objsubid = 2 and l.pid = pg_backend_pid() $$;

-- The same decision previewed, and then proposed ------------------------------------------------------------------------------

create temporary table cases (account text, title text, decision jsonb);
insert into cases
select c.account, c.title,
       test.a_decision('{"order_type": "limit", "limit_price": "100", "reference_price": "100"}'::jsonb || c.members)
  from (
    values
      ('paper', 'a decision that fits', '{"qty": "10"}'::jsonb),
      ('paper', 'another that fits', '{"symbol": "AAPL", "qty": "20"}'),
      ('paper', 'one that does not fit any more', '{"qty": "20.01"}'),
      ('paper', 'one at fault', '{"limit_price": null, "qty": "101"}'),
      ('paper', 'a bracket', '{"order_class": "bracket", "qty": "1", "take_profit": {"limit_price": "110"}, "stop_loss": {"stop_price": "90"}}'),
      ('paper', 'a fourth open order', '{"symbol": "MSFT", "qty": "1"}'),
      ('external', 'a decision for an external engine', '{"qty": "10"}')
  ) as c(account, title, members);
create temporary table previewed (title text, decision_hash text, outcome text, status text, reasons text[], limits jsonb, inputs jsonb);
create temporary table proposed (like previewed);
create temporary table before as select r.table_name, r.content from pg_temp.rows() as r limit 0;
do $$
declare
  v_case cases;
begin
  for v_case in select c.* from cases as c order by c.ctid loop
    delete from before;
    insert into before select r.table_name, r.content from pg_temp.rows() as r;
    insert into previewed
    select v_case.title, p.decision_hash, p.outcome, p.status, p.reasons, p.limits, p.inputs
      from orderlatch.preview_decision(v_case.account, v_case.decision) as p;
    if exists (select r.table_name, r.content from pg_temp.rows() as r except select b.table_name, b.content from before as b) then
      raise exception 'the preview of % has changed something', v_case.title;
    end if;
    insert into proposed
    select v_case.title, p.decision_hash, p.outcome, p.status, p.reasons, orderlatch_data.told_limits(v.limits), v.inputs
      from orderlatch.propose_decision(v_case.account, v_case.decision) as p
      left join orderlatch_data.risk_verdicts as v on v.decision_id = p.decision_id;
    -- a verdict is written by a later statement
    update proposed as p
       set limits = orderlatch_data.told_limits(v.limits), inputs = v.inputs
      from orderlatch_data.risk_verdicts as v
     where p.title = v_case.title and v.decision_id = test.decision_id(p.decision_hash);
  end loop;
end
$$;
select is((select count(*) from before) > 20, true, 'a preview changes no row of any table');
select results_eq(
         format('select p.decision_hash, p.outcome, p.status from previewed as p where p.title = %L', c.title),
         format('select p.decision_hash, p.outcome, p.status from proposed as p where p.title = %L', c.title),
         format('%s: the preview says what proposing does', c.title)
       )
  from cases as c;
select results_eq(
         format('select p.reasons, p.limits, p.inputs from previewed as p where p.title = %L', c.title),
         format('select p.reasons, p.limits, p.inputs from proposed as p where p.title = %L', c.title),
         format('%s: with the reasons, limits and inputs of the verdict', c.title)
       )
  from cases as c where c.account = 'paper';
select results_eq(
  $$ select p.status, count(*) from previewed as p group by p.status order by p.status $$,
  $$ values ('approved', 3::bigint), ('planned', 1), ('rejected', 3) $$, 'there are some of each'
);
select results_eq(
  $$ select p.reasons, p.inputs -> 'qty' from previewed as p where p.title = 'a decision for an external engine' $$,
  $$ values ('{}'::text[], '10'::jsonb) $$, 'where an engine judges, what the built-in limits would say'
);

-- What is known already ------------------------------------------------------------------------------------------------------

select results_eq(
         format('select p.decision_hash, p.outcome, p.status, p.reasons, p.limits, p.inputs from orderlatch.preview_decision(%L, %L) as p',
                c.account, c.decision),
         format($$ select q.decision_hash, 'existing', q.status, q.reasons, q.limits, q.inputs from proposed as q where q.title = %L $$, c.title),
         format('%s, proposed before, is known, with the verdict that it got', c.title)
       )
  from cases as c;
select results_eq(
  $$ select p.outcome, p.status, p.reasons, p.limits, p.inputs
       from cases as c, orderlatch.preview_decision('paper', c.decision || '{"qty": "11"}') as p
      where c.title = 'a decision that fits' $$,
  $$ select 'conflict', 'rejected', '{signal_already_decided}'::text[], '[]'::jsonb, jsonb_build_object('live_decision', q.decision_hash)
       from proposed as q where q.title = 'a decision that fits' $$,
  'another intent for its signal would be a conflict'
);

-- An order that was seen before its decision.
create temporary table seen as
  select test.a_decision('{"symbol": "SEEN", "qty": "1", "leg": "as decided"}') as decision,
         test.a_decision('{"symbol": "SEEN", "qty": "1", "leg": "otherwise"}') as bent;
select test.record(
         test.answer_status(
           gen_random_uuid(), 200,
           jsonb_build_object(
             'id', o.id, 'client_order_id', orderlatch.decision_hash('paper', o.decision), 'symbol', 'SEEN', 'side', 'buy', 'type', 'market',
             'time_in_force', 'day', 'qty', o.qty, 'status', 'filled', 'filled_qty', o.qty, 'submitted_at', '2026-03-02T14:31:00Z'
           )::text
         )
       )
  from seen as s
 cross join lateral (values ('seen-1', s.decision, '1'), ('seen-2', s.bent, '2')) as o(id, decision, qty);
select results_eq(
  $$ select p.outcome, p.status from seen as s, orderlatch.preview_decision('paper', s.decision) as p $$,
  $$ values ('created', 'submitted') $$, 'a decision whose order was seen would be submitted at once'
);
select results_eq(
  $$ select p.outcome, p.status from seen as s, orderlatch.preview_decision('paper', s.bent) as p $$,
  $$ values ('created', 'in_doubt') $$, 'one whose order has other terms would be in doubt'
);

-- Refusals, rights, locks --------------------------------------------------------------------------------------------------------

select throws_ok(format('select orderlatch.preview_decision(%L, %L)', c.account, c.decision), c.sqlstate, null, format('%s is refused', c.title))
  from (
    values
      ('nobody', '{}', 'OL102', 'an unknown account'), ('paper', '[]', 'OL110', 'what is no object'),
      ('paper', '{"strategy_id": "momentum"}', 'OL112', 'a decision without a symbol'), ('paper', null, 'OL110', 'nothing')
  ) as c(account, decision, sqlstate, title);
create role preview_login in role orderlatch_strategy;
select orderlatch.bind_login('preview_login', 'paper', 'momentum');
create temporary table strange as select test.a_decision() as decision, test.a_decision('{"strategy_id": "reversal"}') as other;
grant select on strange to public;
select test_support.act_as('preview_login');
select lives_ok('select orderlatch.preview_decision(''paper'', s.decision) from strange as s', 'a strategy previews its own decisions');
select throws_ok(
  'select orderlatch.preview_decision(''paper'', s.other) from strange as s', 'OL301', null, 'and not those of another'
);
select throws_ok(
  'select orderlatch.preview_decision(''external'', s.decision) from strange as s', 'OL301', null, 'nor those of another account'
);
reset session authorization;
select is(
  (select p.provolatile from pg_proc as p where p.oid = 'orderlatch.preview_decision'::regproc), 's', 'a preview could not write if it wanted to'
);

-- In a read-only transaction, and what it holds after it.
create function pg_temp.locks_taken()
returns bigint
language plpgsql
as $$
declare
  v_before constant bigint := pg_temp.held();
begin
  perform set_config('transaction_read_only', 'on', true);
  perform orderlatch.preview_decision('paper', s.decision) from strange as s;
  raise exception using errcode = 'ZZZZZ', message = pg_temp.held() - v_before;
exception
  -- takes the setting back
  when sqlstate 'ZZZZZ' then
    return sqlerrm::bigint;
end
$$;
select is(pg_temp.locks_taken(), 0::bigint, 'a preview takes no lock, and works in a read-only transaction');

select * from finish();
rollback;
