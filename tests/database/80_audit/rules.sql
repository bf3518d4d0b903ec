-- The rules that people and strategies read are those in force.
begin;
select plan(8);

select results_eq(
  $$ select v.from_status, v.to_status, v.meaning from orderlatch.legal_moves as v $$,
  $$ select m.from_status, m.to_status, m.meaning from orderlatch_data.legal_moves as m order by 1, 2 $$,
  'legal_moves shows every edge'
);
select results_eq(
  $$ select v.rule_no, v.kind, v.status_from, v.status_to, v.code, v.message_pattern, v.json_only, v.meaning, v.why
       from orderlatch.answer_rules as v $$,
  $$ select r.rule_no, coalesce(r.kind, '(any)'), r.status_from, r.status_to, r.code, r.message_pattern, r.json_only, r.meaning, r.why
       from orderlatch_data.answer_rules as r
      order by r.rule_no $$,
  'answer_rules shows every rule in the order in which they are tried'
);
select is_empty(
  $$ select r.rule_no from orderlatch.answer_rules as r where r.kind = '(any)' and r.meaning in ('refused', 'duplicate', 'absent') $$,
  'no rule calls an answer final without naming its kind of request'
);
select is_empty(
  $$ select r.rule_no from orderlatch.answer_rules as r where r.meaning in ('refused', 'throttled', 'absent') and not r.json_only $$,
  'no rule believes a refusal, a 429 or a 404 that is not in the broker''s own words'
);
select results_eq(
  $$ select v.reason, v.description from orderlatch.risk_reasons as v $$,
  $$ select r.reason, r.description from orderlatch_data.risk_reasons as r order by 1 $$,
  'risk_reasons shows every reason code'
);
select is_empty(
  $$ select distinct m.found[1]
       from pg_proc as p
      cross join regexp_matches(p.prosrc, '''((?:invalid|unsupported)_order:[a-z_]+)''', 'g') as m(found)
      where p.pronamespace = 'orderlatch_data'::regnamespace
     except
     select r.reason from orderlatch.risk_reasons as r $$,
  'every order rule gives a reason that is in the list'
);
select is_empty(
  $$ select r.reason
       from orderlatch.risk_reasons as r
      where not exists (
        select 1
          from pg_proc as p
         where p.pronamespace in ('orderlatch'::regnamespace, 'orderlatch_data'::regnamespace)
           and pg_get_functiondef(p.oid) ~ ('[''{]' || r.reason || '[''}]')
      ) $$,
  'every reason in the list is given by some function'
);
select set_eq(
  $$ select k.limit_kind from orderlatch.limit_kinds as k $$,
  $$ select distinct m.found[1]
       from regexp_matches(
              (select p.prosrc from pg_proc as p where p.oid = 'orderlatch_data.limit_breach'::regproc), 'when ''([a-z_]+)''', 'g'
            ) as m(found) $$,
  'every kind of limit is judged, and no other can be set'
);

select * from finish();
rollback;
