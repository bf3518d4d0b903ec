-- No setting that a session can choose changes a hash.
\set vectors `cat tests/fixtures/decision_hash_vectors.json tests/fixtures/decision_hash_more_vectors.json`
begin;
select plan(3);

create temporary table vectors as
select v.account, v.decision_json::jsonb as decision, v.sha256
  from jsonb_to_recordset(replace(:'vectors', ']' || chr(10) || '[', ',')::jsonb)
       as v(account text, decision_json text, sha256 text);

set local timezone = 'America/St_Johns';
set local datestyle = 'SQL, DMY';
set local intervalstyle = 'sql_standard';
set local extra_float_digits = -15;
set local bytea_output = 'escape';
set local standard_conforming_strings = off;
set local escape_string_warning = off;
set local backslash_quote = on;
set local quote_all_identifiers = on;
set local transform_null_equals = on;
set local search_path = pg_temp, public;
set local plan_cache_mode = force_custom_plan;
set local "plpgsql.variable_conflict" = use_variable;
set local lc_numeric = 'C';
set local lc_time = 'C';

-- A function keeps what it parsed under the settings of its first call: this must be the first call of the session.
select is_empty(
  'select v.sha256 from vectors as v where orderlatch.decision_hash(v.account, v.decision) <> v.sha256',
  'under the oddest settings a hash is the same'
);
set local plan_cache_mode = force_generic_plan;
set local timezone = 'Pacific/Kiritimati';
set local datestyle = 'German, YMD';
select is_empty(
  'select v.sha256 from vectors as v where orderlatch.decision_hash(v.account, v.decision) <> v.sha256',
  'settings that change later change nothing either'
);
select is(
  (select count(*) from pg_proc as p
    where p.pronamespace in ('orderlatch'::regnamespace, 'orderlatch_data'::regnamespace)
      and p.proname in ('decision_hash', 'read_decision', 'build_intent', 'canonical_json', 'canonical_decimal',
                        'canonical_time', 'parse_time', 'signal_key')
      and p.provolatile = 'i' and p.proparallel = 's'),
  8::bigint, 'what makes a hash promises to be immutable'
);

select * from finish();
rollback;
