-- Functions that run with the owner's rights cannot be fooled by what a caller puts into his own way.
begin;
select plan(13);

select test_support.hold_clock('2026-03-02 15:00:00Z');
select test.given_account();
create temporary table delivery as select test.a_decision() as decision, orderlatch.decision_hash('paper', test.a_decision()) as hash;
create role trader login in role orderlatch_strategy;
select orderlatch.bind_login('trader', 'paper');
create schema evil authorization trader;

select test_support.act_as('trader');

-- A temporary table in the name of every table there is, believed by whoever looks there first.
do $$
declare
  v_table text;
begin
  for v_table in
    select c.relname from pg_class as c where c.relnamespace = 'orderlatch_data'::regnamespace and c.relkind = 'r' order by c.relname
  loop
    execute format('create temporary table %I (like information_schema.sql_features)', v_table);
  end loop;
end
$$;

-- Functions and operators in place of those of Postgres, first in the caller's search path.
create table evil.calls (name text);
create function evil.sha256(bytea) returns bytea language plpgsql as
$$ begin insert into evil.calls values ('sha256'); return '\x00'; end $$;
create function evil.pg_has_role(name, text, text) returns boolean language plpgsql as
$$ begin insert into evil.calls values ('pg_has_role'); return true; end $$;
create function evil.encode(bytea, text) returns text language plpgsql as
$$ begin insert into evil.calls values ('encode'); return repeat('0', 64); end $$;
create function evil.jsonb_typeof(jsonb) returns text language plpgsql as
$$ begin insert into evil.calls values ('jsonb_typeof'); return 'object'; end $$;
create function evil.equal(text, text) returns boolean language plpgsql as
$$ begin insert into evil.calls values ('='); return true; end $$;
create operator evil.= (leftarg = text, rightarg = text, function = evil.equal);
set local search_path = evil, pg_temp, pg_catalog, public;

create temporary table first as
  select p.decision_hash, p.status, p.outcome from delivery as d, orderlatch.propose_decision('paper', d.decision) as p;
create temporary table withdrawn as
  select w.outcome from first as f, orderlatch.withdraw_decision(f.decision_hash, 'why') as w;
create temporary table verified as
  select v.intact from first as f, orderlatch.verify_decision(f.decision_hash) as v;

set local search_path = pg_catalog, public;
reset session authorization;

select is((select f.status from first as f), 'approved', 'a decision is proposed past what stands in the way');
select is((select f.outcome from first as f), 'created', 'and recorded');
select isnt((select f.decision_hash from first as f), repeat('0', 64), 'its hash is not the one that the caller made up');
select is((select w.outcome from withdrawn as w), 'withdrawn', 'it is withdrawn');
select ok((select v.intact from verified as v), 'and intact');
select is_empty('select c.name from evil.calls as c', 'nothing of the caller was called with the owner''s rights');
select results_eq(
  $$ select count(*) from orderlatch_data.trade_decisions
     union all select count(*) from orderlatch_data.decision_events
     union all select count(*) from orderlatch_data.risk_verdicts $$,
  'values (1::bigint), (3), (1)', 'everything went into the real tables'
);
select is((select d.recorded_by from orderlatch_data.trade_decisions as d), 'trader', 'and is signed by the login');

-- The tables themselves are out of reach.
create temporary table reached (name text, sqlstate text);
create function pg_temp.try_as(p_login text, p_statement text)
returns text
language plpgsql
as $$
begin
  perform test_support.act_as(p_login);
  execute p_statement;
  raise exception using errcode = 'ZZZZZ', message = 'allowed';
exception
  when others then
    return case sqlstate when 'ZZZZZ' then sqlerrm else sqlstate end;
end
$$;
insert into reached
select c.relname, pg_temp.try_as('trader', format('select 1 from orderlatch_data.%I', c.relname))
  from pg_class as c
 where c.relnamespace = 'orderlatch_data'::regnamespace and c.relkind in ('r', 'v', 'S');
select cmp_ok((select count(*) from reached), '>', 25::bigint, 'there are tables and sequences to reach for');
select is_empty($$ select r.name from reached as r where r.sqlstate <> '42501' $$, 'a login reaches none of them');
select is(
  pg_temp.try_as('trader', 'set role orderlatch_owner'), '42501', 'a login cannot become the owner'
);
select is(
  pg_temp.try_as('trader', $$select orderlatch_data.lock_account('judging', 1)$$), '42501', 'a login calls no private function'
);
select is(
  pg_temp.try_as('trader', $$create function orderlatch.decision_hash(text, json) returns text language sql as 'select null'$$),
  '42501', 'a login puts nothing into the public face'
);

select * from finish();
rollback;
