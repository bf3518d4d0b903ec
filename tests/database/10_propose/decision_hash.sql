-- Decision hash, version 1, against vectors and real decisions.
\set vectors `cat tests/fixtures/decision_hash_vectors.json tests/fixtures/decision_hash_more_vectors.json`
\set goog `cat tests/fixtures/goog.jsonl`
\set redelivered `cat tests/fixtures/goog-redelivered.jsonl`
begin;
select plan(11);

create temporary table vectors as
select v.name, v.account, v.decision_json::jsonb as decision, v.canonical, v.sha256
  from jsonb_to_recordset(replace(:'vectors', ']' || chr(10) || '[', ',')::jsonb)
       as v(name text, account text, decision_json text, canonical text, sha256 text);

select is((select count(*) from vectors as v), 25::bigint, 'all vectors are here');
select results_eq(
  $$ select v.name, d.intent from vectors as v, orderlatch_data.read_decision(v.account, v.decision) as r, unnest(r.decisions) as d order by v.name $$,
  $$ select v.name, v.canonical from vectors as v order by v.name $$,
  'the canonical intent is that of the vectors'
);
select results_eq(
  $$ select v.name, orderlatch.decision_hash(v.account, v.decision) from vectors as v order by v.name $$,
  $$ select v.name, v.sha256 from vectors as v order by v.name $$,
  'the decision hash is that of the vectors'
);
select results_eq(
  $$ select v.name, orderlatch.decision_hash(v.account, v.canonical::jsonb) from vectors as v order by v.name $$,
  $$ select v.name, v.sha256 from vectors as v order by v.name $$,
  'an intent is itself a decision, with the same hash'
);
select results_eq(
  $$ select v.name, orderlatch.decision_hash(v.account, v.decision || jsonb_build_object('decision_hash', v.sha256))
       from vectors as v order by v.name $$,
  $$ select v.name, v.sha256 from vectors as v order by v.name $$,
  'the right hash may be delivered along'
);
select results_eq(
  $$ select v.name, orderlatch_data.build_intent(
              d.hash_version, v.account, d.strategy_id, d.symbol, d.event_ts, d.timeframe, d.leg, d.action, d.qty,
              d.notional, d.order_type, d.time_in_force, d.limit_price, d.stop_price, d.trail_price, d.trail_percent,
              d.extended_hours, d.order_class, d.take_profit, d.stop_loss, d.position_intent, d.params)
       from vectors as v, orderlatch_data.read_decision(v.account, v.decision) as r, unnest(r.decisions) as d order by v.name $$,
  $$ select v.name, v.canonical from vectors as v order by v.name $$,
  'the intent can be built again from the typed members'
);
select throws_ok(
  $$ select orderlatch_data.build_intent(2::smallint, 'a', 's', 'X', '2026-02-08Z', 't', '', 'buy', 1, null, 'market',
       'day', null, null, null, null, false, 'simple', null, null, null, null) $$,
  'OL131', 'argument_invalid: hash version is not known to this installation', 'another hash version is refused by name'
);

create temporary table goog as
select orderlatch.decision_hash('paper', l.line::jsonb) as decision_hash
  from regexp_split_to_table(:'goog', chr(10)) as l(line);
create temporary table redelivered as
select orderlatch.decision_hash('paper', l.line::jsonb) as decision_hash
  from regexp_split_to_table(:'redelivered', chr(10)) as l(line);

select is((select count(*) from redelivered as r), 98::bigint, '98 real deliveries have a hash');
select is((select count(distinct g.decision_hash) from goog as g), 65::bigint, '65 real decisions have 65 hashes');
select set_eq('select r.decision_hash from redelivered as r', 'select g.decision_hash from goog as g',
  'the redelivered ones are the same 65');
select is_empty(
  $$ select g.decision_hash from goog as g
      where g.decision_hash in (select orderlatch.decision_hash('live', l.line::jsonb)
                                  from regexp_split_to_table($$ || quote_literal(:'goog') || $$, chr(10)) as l(line)) $$,
  'on another account they are other decisions'
);

select * from finish();
rollback;
