-- Who may do what: DESIGN section 10, object by object. A new object of the public face that is not in this list fails.
begin;
select plan(20);

create temporary table roles (role text, short text);
insert into roles
select 'orderlatch_' || r.short, r.short
  from unnest('{strategy,risk,worker,operator,auditor}'::text[]) as r(short);

-- The public face -----------------------------------------------------------------------------------------------------

create temporary table decided (object text, roles text[]);
insert into decided values
  -- strategies propose, withdraw and read their decisions
  ('function propose_decision', '{strategy}'),
  ('function propose_decisions', '{strategy}'),
  ('function ensure_decision', '{strategy}'),
  ('function evaluate_decision', '{operator,strategy}'),
  ('function preview_decision', '{operator,strategy}'),
  ('function withdraw_decision', '{operator,strategy}'),
  ('function decision_hash', '{operator,strategy}'),
  ('function decision_status', '{auditor,operator,risk,strategy}'),
  ('function events_since', '{auditor,operator,risk,strategy}'),
  ('function execution_exists', '{auditor,operator,risk,strategy}'),
  ('function explain_decision', '{auditor,operator,strategy}'),
  ('function verify_decision', '{auditor,operator,strategy}'),
  ('function verify_decision_events', '{auditor,operator,strategy}'),
  -- an outside risk engine judges
  ('function approve_decision', '{risk}'),
  ('function reject_decision', '{risk}'),
  -- workers claim and record
  ('function register_worker', '{worker}'),
  ('function release_worker', '{worker}'),
  ('function claim_requests', '{worker}'),
  ('function record_responses', '{worker}'),
  ('function record_trade_update', '{worker}'),
  ('function record_stream_state', '{worker}'),
  ('function mirror_health', '{worker}'),
  ('function worker_health', '{worker}'),
  ('function request_traces', '{worker}'),
  -- operators run the place
  ('function create_account', '{operator}'),
  ('function update_account', '{operator}'),
  ('function bind_login', '{operator}'),
  ('function unbind_login', '{operator}'),
  ('function set_limit', '{operator}'),
  ('function set_symbols', '{operator}'),
  ('function halt', '{operator}'),
  ('function archive_before', '{operator}'),
  ('function lift_halt', '{operator}'),
  ('function grant_live', '{operator}'),
  ('function revoke_live', '{operator}'),
  ('function cancel_order', '{operator}'),
  ('function close_incident', '{operator}'),
  ('function halt_progress', '{auditor,operator}'),
  ('function resolve_in_doubt', '{operator}'),
  ('function reconcile_account', '{operator}'),
  ('function sign_off_reconciliation', '{operator}'),
  ('function adjust_position', '{operator}'),
  ('function accept_positions', '{operator}'),
  -- what is the same for everybody
  ('function schema_version', '{auditor,operator,risk,strategy,worker}'),
  ('view error_codes', '{auditor,operator,risk,strategy,worker}'),
  ('view legal_moves', '{auditor,operator,risk,strategy,worker}'),
  ('view risk_reasons', '{auditor,operator,risk,strategy}'),
  ('view decision_members', '{auditor,operator,risk,strategy}'),
  -- auditors, and operators with them, verify and read the rest
  ('function audit_head', '{auditor,operator}'),
  ('function verify_against', '{auditor,operator}'),
  ('function verify_all', '{auditor,operator}'),
  ('view accounts', '{auditor,operator}'),
  ('view acts', '{auditor,operator}'),
  ('view answer_rules', '{auditor,operator}'),
  ('view budgets', '{auditor,operator}'),
  ('view cancels', '{auditor,operator}'),
  ('view clusters', '{auditor,operator}'),
  ('view decisions', '{auditor,operator}'),
  ('view events', '{auditor,operator}'),
  ('view executions', '{auditor,operator}'),
  ('view fills', '{auditor,operator}'),
  ('view foreign_orders', '{auditor,operator}'),
  ('view halts', '{auditor,operator}'),
  ('view in_doubt', '{auditor,operator}'),
  ('view in_flight', '{auditor,operator}'),
  ('view incident_kinds', '{auditor,operator}'),
  ('view invariants', '{auditor,operator}'),
  ('view limit_history', '{auditor,operator}'),
  ('view limit_kinds', '{auditor,operator}'),
  ('view limits', '{auditor,operator}'),
  ('view metrics', '{auditor,operator}'),
  ('view open_incidents', '{auditor,operator}'),
  ('view positions', '{auditor,operator}'),
  ('view reconciliation', '{auditor,operator}'),
  ('view sign_offs', '{auditor,operator}'),
  ('view standing_halts', '{auditor,operator}'),
  ('view streams', '{auditor,operator}'),
  ('view stuck', '{auditor,operator}'),
  ('view terse_acts', '{auditor,operator}'),
  ('view terse_budgets', '{auditor,operator}'),
  ('view terse_fills', '{auditor,operator}'),
  ('view terse_foreign', '{auditor,operator}'),
  ('view terse_halts', '{auditor,operator}'),
  ('view terse_help', '{auditor,operator}'),
  ('view terse_in_doubt', '{auditor,operator}'),
  ('view terse_in_flight', '{auditor,operator}'),
  ('view terse_incidents', '{auditor,operator}'),
  ('view terse_invariants', '{auditor,operator}'),
  ('view terse_limits', '{auditor,operator}'),
  ('view terse_live_board', '{auditor,operator}'),
  ('view terse_positions', '{auditor,operator}'),
  ('view terse_reconciliation', '{auditor,operator}'),
  ('view terse_stuck', '{auditor,operator}'),
  ('view terse_timeline', '{auditor,operator}'),
  ('view terse_today', '{auditor,operator}'),
  ('view terse_waiting', '{auditor,operator}'),
  ('view terse_wire', '{auditor,operator}'),
  ('view terse_workers', '{auditor,operator}'),
  ('view timeline', '{auditor,operator}'),
  ('view waiting', '{auditor,operator}'),
  ('view wire', '{auditor,operator}'),
  ('view archivings', '{auditor,operator}'),
  ('view workers', '{auditor,operator}');

-- Everything that somebody but the owner was given, in both schemas: object, grantee, right.
create temporary table given as
  select o.schema collate "default" as schema, o.object collate "default" as object,
         coalesce(r.short, g.rolname, 'PUBLIC') collate "default" as grantee, a.privilege_type, a.is_grantable
    from (
      select p.pronamespace, p.pronamespace::regnamespace::text, 'function ' || p.proname, p.proowner,
             coalesce(p.proacl, acldefault('f', p.proowner))
        from pg_proc as p
      union all
      select c.relnamespace, c.relnamespace::regnamespace::text,
             case c.relkind when 'v' then 'view ' when 'S' then 'sequence ' else 'table ' end || c.relname, c.relowner,
             coalesce(c.relacl, acldefault(case c.relkind when 'S' then 's' else 'r' end::"char", c.relowner))
        from pg_class as c
       where c.relkind in ('r', 'p', 'v', 'm', 'f', 'S')
      union all
      select c.relnamespace, c.relnamespace::regnamespace::text, 'column ' || c.relname || '.' || a.attname, c.relowner, a.attacl
        from pg_attribute as a
        join pg_class as c on c.oid = a.attrelid
       where a.attacl is not null
      union all
      select t.typnamespace, t.typnamespace::regnamespace::text, 'type ' || t.typname, t.typowner,
             coalesce(t.typacl, acldefault('T', t.typowner))
        from pg_type as t
       where t.typelem = 0
         and (t.typrelid = 0 or (select c.relkind = 'c' from pg_class as c where c.oid = t.typrelid))
      union all
      select n.oid, n.nspname, 'schema ' || n.nspname, n.nspowner, coalesce(n.nspacl, acldefault('n', n.nspowner))
        from pg_namespace as n
    ) as o(namespace, schema, object, owner, acl)
   cross join lateral aclexplode(o.acl) as a
    left join pg_roles as g on g.oid = a.grantee
    left join roles as r on r.role = g.rolname
   where o.schema in ('orderlatch', 'orderlatch_data') and a.grantee <> o.owner;

select results_eq(
  $$ select o.object collate "default", array_agg(g.grantee order by g.grantee) filter (where g.grantee is not null)
       from (
         select 'function ' || p.proname::text from pg_proc as p where p.pronamespace = 'orderlatch'::regnamespace
         union all
         select case c.relkind when 'v' then 'view ' else c.relkind::text || ' ' end || c.relname::text
           from pg_class as c
          where c.relnamespace = 'orderlatch'::regnamespace
       ) as o(object)
       left join given as g on g.schema = 'orderlatch' and g.object = o.object
      group by o.object
      order by o.object $$,
  $$ select d.object, d.roles from decided as d order by d.object $$,
  'every function and view of the public face is given to the roles that DESIGN section 10 names, and to no other'
);
select results_eq(
  $$ select distinct split_part(g.object, ' ', 1), g.privilege_type from given as g where g.schema = 'orderlatch' order by 1, 2 $$,
  $$ values ('function', 'EXECUTE'), ('schema', 'USAGE'), ('view', 'SELECT') $$,
  'functions can be called, views read and the schema used: nobody may do more'
);
select is_empty($$ select g.* from given as g where g.grantee = 'PUBLIC' $$, 'PUBLIC has no right on anything');
select is_empty($$ select g.* from given as g where g.is_grantable $$, 'nobody may hand a right on');
select is_empty(
  $$ select g.* from given as g where g.grantee not in (select r.short from roles as r) $$, 'no role but the five has any right'
);
select results_eq(
  $$ select g.grantee from given as g where g.object = 'schema orderlatch' order by 1 $$,
  $$ select r.short from roles as r order by 1 $$,
  'the five roles, and nobody else, may enter the public face'
);

-- Tables and helpers --------------------------------------------------------------------------------------------------

select is_empty(
  $$ select g.* from given as g where g.object = 'schema orderlatch_data' $$, 'nobody but the owner may enter orderlatch_data'
);
select results_eq(
  $$ select g.object, g.grantee from given as g where g.schema = 'orderlatch_data' order by 1, 2 $$,
  $$ values ('function act_findings', 'auditor'), ('function act_findings', 'operator'),
            ('function clock', 'auditor'), ('function clock', 'operator'),
            ('function days_that_differ', 'auditor'), ('function days_that_differ', 'operator'),
            ('function execution_of', 'auditor'), ('function execution_of', 'operator'),
            ('function first_read_since', 'auditor'), ('function first_read_since', 'operator'),
            ('function is_held', 'auditor'), ('function is_held', 'operator'),
            ('function is_same_symbol', 'auditor'), ('function is_same_symbol', 'operator'),
            ('function lock_class', 'auditor'), ('function lock_class', 'operator'),
            ('function lock_holders', 'auditor'), ('function lock_holders', 'operator'),
            ('function numbers_behind', 'auditor'), ('function numbers_behind', 'operator'),
            ('function read_budgets', 'auditor'), ('function read_budgets', 'operator'),
            ('function reads_from', 'auditor'), ('function reads_from', 'operator'),
            ('function terse_age', 'auditor'), ('function terse_age', 'operator'),
            ('function terse_number', 'auditor'), ('function terse_number', 'operator'),
            ('function terse_text', 'auditor'), ('function terse_text', 'operator'),
            ('function terse_time', 'auditor'), ('function terse_time', 'operator'),
            ('function unsealed_findings', 'auditor'), ('function unsealed_findings', 'operator'),
            ('function unsealed_promises', 'auditor'), ('function unsealed_promises', 'operator') $$,
  'of orderlatch_data nothing is given away but what views call for their readers: no table, sequence, column or type'
);
select is_empty(
  $$ select r.role, c.oid::regclass, p.privilege
       from roles as r
      cross join pg_class as c
      cross join unnest('{select,insert,update,delete,truncate,references,trigger}'::text[]) as p(privilege)
      where c.relnamespace = 'orderlatch_data'::regnamespace
        and c.relkind in ('r', 'p')
        and has_table_privilege(r.role, c.oid, p.privilege) $$,
  'no role has any right on any table, by whatever way'
);
select is_empty(
  $$ select d.* from pg_default_acl as d where d.defaclnamespace in ('orderlatch'::regnamespace, 'orderlatch_data'::regnamespace)
      or d.defaclrole = 'orderlatch_owner'::regrole $$,
  'no default gives away what is made later'
);

-- Owner and roles -----------------------------------------------------------------------------------------------------

select is_empty(
  $$ select p.oid::regprocedure::text, p.proowner::regrole from pg_proc as p
      where p.pronamespace in ('orderlatch'::regnamespace, 'orderlatch_data'::regnamespace)
        and p.proowner <> 'orderlatch_owner'::regrole
     union all
     select c.oid::regclass::text, c.relowner::regrole from pg_class as c
      where c.relnamespace in ('orderlatch'::regnamespace, 'orderlatch_data'::regnamespace)
        and c.relowner <> 'orderlatch_owner'::regrole
     union all
     select t.typname, t.typowner::regrole from pg_type as t
      where t.typnamespace in ('orderlatch'::regnamespace, 'orderlatch_data'::regnamespace)
        and t.typowner <> 'orderlatch_owner'::regrole
     union all
     select n.nspname, n.nspowner::regrole from pg_namespace as n
      where n.nspname in ('orderlatch', 'orderlatch_data') and n.nspowner <> 'orderlatch_owner'::regrole $$,
  'orderlatch_owner owns everything'
);
select is_empty(
  $$ select r.rolname from pg_roles as r
      where (r.rolname = 'orderlatch_owner' or r.rolname in (select s.role from roles as s))
        and (r.rolcanlogin or r.rolsuper or r.rolcreaterole or r.rolcreatedb or r.rolreplication or r.rolbypassrls) $$,
  'neither the owner nor any of the five is a login, a superuser, or more than a role'
);
select results_eq(
  $$ select m.member::regrole::text, m.roleid::regrole::text from pg_auth_members as m
      where m.member::regrole::text ~ '^orderlatch_' order by 1, 2 $$,
  $$ values ('orderlatch_owner', 'pg_read_all_stats') $$,
  'none of the six is a member of another; the owner alone may see since when sessions hold locks'
);

-- Functions -----------------------------------------------------------------------------------------------------------

select is_empty(
  $$ select p.oid::regprocedure from pg_proc as p where p.pronamespace = 'orderlatch'::regnamespace and not p.prosecdef $$,
  'every function of the public face is security definer'
);
select results_eq(
  $$ select p.proname::text collate "default" from pg_proc as p
      where p.pronamespace = 'orderlatch_data'::regnamespace and p.prosecdef and p.prorettype <> 'trigger'::regtype order by 1 $$,
  $$ values ('act_findings'), ('days_that_differ'), ('execution_of'), ('first_read_since'), ('is_held'), ('lock_holders'), ('numbers_behind'), ('read_budgets'), ('terse_age'), ('terse_time'), ('unsealed_findings'), ('unsealed_promises') $$,
  'of the helpers only triggers, and those that views call, run with the rights of the owner'
);
select is_empty(
  $$ select p.oid::regprocedure, p.proconfig from pg_proc as p
      where p.pronamespace in ('orderlatch'::regnamespace, 'orderlatch_data'::regnamespace)
        and not coalesce('search_path=pg_catalog, pg_temp' = any (p.proconfig), false) $$,
  'every function pins its search_path, temporary objects last'
);
select is_empty(
  $$ select p.oid::regprocedure, s.setting
       from pg_proc as p
      cross join unnest(p.proconfig) as s(setting)
      where p.pronamespace in ('orderlatch'::regnamespace, 'orderlatch_data'::regnamespace)
        and s.setting not in (
          'search_path=pg_catalog, pg_temp', 'lock_timeout=5s', 'lock_timeout=1s', 'lock_timeout=4s',
          'enable_seqscan=off', 'enable_bitmapscan=off', 'jit=off', 'max_parallel_workers_per_gather=0', 'plan_cache_mode=force_generic_plan',
          'TimeZone=UTC', 'IntervalStyle=postgres'
        )
        -- what takes a page on behalf of a function that forces generic plans
        and not (s.setting = 'plan_cache_mode=auto' and p.proname in ('apply_page', 'apply_fill_page', 'apply_positions')) $$,
  'no function brings another setting with it'
);
select is_empty(
  $$ select p.oid::regprocedure from pg_proc as p
      where p.pronamespace in ('orderlatch'::regnamespace, 'orderlatch_data'::regnamespace)
        and p.prolang not in (select l.oid from pg_language as l where l.lanname in ('sql', 'plpgsql')) $$,
  'every function is SQL or PL/pgSQL'
);

-- Advisory locks ------------------------------------------------------------------------------------------------------

select is_empty(
  $$ select p.oid::regprocedure, r.role
       from pg_proc as p
      cross join (select s.role from roles as s union all select 'public') as r(role)
      where p.pronamespace = 'pg_catalog'::regnamespace
        and p.proname ~ '^pg_(try_)?advisory_.*lock'
        and p.proname !~ 'unlock'
        and has_function_privilege(r.role, p.oid, 'execute') $$,
  'nobody may take an advisory lock by hand, and so hold up trading'
);
select is_empty(
  $$ select p.oid::regprocedure
       from pg_proc as p
      where p.pronamespace = 'orderlatch_data'::regnamespace
        and p.proname ~ 'lock'
        and exists (select 1 from roles as r where has_schema_privilege(r.role, 'orderlatch_data', 'usage')) $$,
  'nor through the helpers that take them'
);

select * from finish();
rollback;
