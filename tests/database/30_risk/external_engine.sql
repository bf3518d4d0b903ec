-- An account that is judged by an engine outside, with the built-in limits having the last word.
begin;
select plan(54);

select test_support.hold_clock('2026-03-02 15:00:00Z');
select test.given_account('paper', '{"risk_engine": "external"}');
create temporary table evidence as select '{"engine": "var", "value": 0.7}'::jsonb as evidence;

-- Proposed: recorded, and left to the engine.
create temporary table proposed as
  select p.decision_id, p.decision_hash, p.status from orderlatch.propose_decision('paper', test.a_decision()) as p;
select is(p.status, 'planned', 'a proposed decision waits for the engine') from proposed as p;

-- Yes.
select results_eq(
  $$ select a.status, a.reasons from proposed as p, evidence as e, orderlatch.approve_decision(p.decision_hash, e.evidence) as a $$,
  $$ values ('approved', '{}'::text[]) $$, 'the engine approves'
);
select results_eq(
  $$ select v.verdict_no, v.verdict, v.reasons, v.inputs, v.evidence, v.judged_at, v.judged_by
       from proposed as p join orderlatch_data.risk_verdicts as v on v.decision_id = p.decision_id $$,
  $$ select 1::smallint, 'approved', '{}'::text[],
            jsonb_build_object('qty', 10, 'price', 190.25, 'signal_age_s', (v.inputs ->> 'signal_age_s')::numeric), e.evidence,
            '2026-03-02 15:00:00Z'::timestamptz, 'postgres'
       from evidence as e, orderlatch_data.risk_verdicts as v $$,
  'its evidence is kept in the verdict'
);
select results_eq(
  $$ select j.to_status, j.reason, j.evidence
       from proposed as p join orderlatch_data.decision_events as j on j.decision_id = p.decision_id and j.from_status = 'planned' $$,
  $$ select 'approved', 'within all limits', e.evidence from evidence as e $$, 'its evidence is kept in the event'
);
select results_eq(
  $$ select a.status from proposed as p, orderlatch.approve_decision(p.decision_hash, '{"second": "yes"}') as a $$,
  $$ values ('approved') $$, 'approved again, the decision stays approved'
);
select is(
  (select count(*) from proposed as p join orderlatch_data.risk_verdicts as v on v.decision_id = p.decision_id), 1::bigint,
  'a second yes adds no verdict'
);

-- No, after the yes.
select test_support.advance_clock('1 second');
select results_eq(
  $$ select r.status, r.reasons from proposed as p, orderlatch.reject_decision(p.decision_hash, '{"limit": "reached"}') as r $$,
  $$ values ('rejected', '{external_engine}'::text[]) $$, 'the engine may say no after a yes, while nothing is on its way'
);
select results_eq(
  $$ select v.verdict_no::integer, v.verdict, v.reasons, v.evidence, v.judged_at
       from proposed as p join orderlatch_data.risk_verdicts as v on v.decision_id = p.decision_id order by v.verdict_no $$,
  $$ select 1, 'approved', '{}'::text[], e.evidence, '2026-03-02 15:00:00Z'::timestamptz from evidence as e
     union all
     select 2, 'rejected', '{external_engine}', '{"limit": "reached"}', '2026-03-02 15:00:01Z' $$,
  'both verdicts are kept'
);
select results_eq(
  $$ select j.from_status, j.to_status, j.reason, j.evidence
       from proposed as p join orderlatch_data.decision_events as j on j.decision_id = p.decision_id order by j.event_id desc limit 1 $$,
  $$ values ('approved', 'rejected', 'external_engine', '{"limit": "reached"}'::jsonb) $$, 'the no is journaled with its evidence'
);
select results_eq(
  $$ select r.status, r.reasons from proposed as p, orderlatch.reject_decision(p.decision_hash, '{"a": 1}') as r $$,
  $$ values ('rejected', '{external_engine}'::text[]) $$, 'rejected again, the decision stays rejected'
);
select results_eq(
  $$ select a.status, a.reasons from proposed as p, orderlatch.approve_decision(p.decision_hash, '{"a": 1}') as a $$,
  $$ values ('rejected', '{external_engine}'::text[]) $$, 'a no is final: a later yes changes nothing'
);
select is(
  (select count(*) from proposed as p join orderlatch_data.risk_verdicts as v on v.decision_id = p.decision_id), 2::bigint,
  'neither adds a verdict'
);

-- No at once.
create temporary table second as select test.given_decision() as decision_hash;
select results_eq(
  $$ select r.status, r.reasons from second as s, orderlatch.reject_decision(s.decision_hash, '{"a": 1}') as r $$,
  $$ values ('rejected', '{external_engine}'::text[]) $$, 'the engine rejects a planned decision'
);

-- The last word.
create temporary table third as select test.given_decision('paper', '{"order_type": "limit"}') as decision_hash;
select results_eq(
  $$ select a.status, a.reasons from third as t, orderlatch.approve_decision(t.decision_hash, '{"engine": "sure"}') as a $$,
  $$ values ('rejected', '{invalid_order:missing_limit_price}'::text[]) $$, 'the built-in rules reject what the engine approves'
);
select results_eq(
  $$ select v.verdict, v.evidence
       from third as t join orderlatch_data.risk_verdicts as v on v.decision_id = test.decision_id(t.decision_hash) $$,
  $$ values ('rejected', '{"engine": "sure"}'::jsonb) $$, 'the engine''s evidence is kept all the same'
);
create temporary table fourth as
  select test.given_decision() as decision_hash, orderlatch.set_limit('order_quantity', 5, 'paper') as limit_id;
select results_eq(
  $$ select a.status, a.reasons from fourth as f, orderlatch.approve_decision(f.decision_hash, '{"engine": "sure"}') as a $$,
  $$ values ('rejected', '{order_quantity}'::text[]) $$, 'the built-in limits reject what the engine approves'
);

-- Too late for a no.
create temporary table worlds as
  select s.status, test.given_account(s.status) as account, test.given_worker(s.status) as worker_id, null::text as decision_hash
    from unnest('{submitting,in_doubt,submitted,refused,withdrawn,lapsed}'::text[]) as s(status);
update worlds set decision_hash = test.given_decision_in(worlds.status, worlds.worker_id);
select orderlatch.update_account(w.account, '{"risk_engine": "external"}') from worlds as w;
select throws_ok(
         format('select orderlatch.reject_decision(%L, %L)', w.decision_hash, '{"a": 1}'), 'OL203', null,
         format('a decision that is %s cannot be rejected any more', w.status)
       )
  from worlds as w;
select is(test.status(w.decision_hash), w.status, format('it is still %s', w.status)) from worlds as w;
select test.given_account('throttled');
create temporary table throttled as
  select w.worker_id, test.given_decision_in('submitting', w.worker_id) as decision_hash
    from (select test.given_worker('throttled') as worker_id) as w;
select test.record(test.answer_error(test.holder(t.decision_hash), 429, 42910000, 'too many requests.')) from throttled as t;
select orderlatch.update_account('throttled', '{"risk_engine": "external"}');
select throws_ok(
  format('select orderlatch.reject_decision(%L, %L)', t.decision_hash, '{"a": 1}'), 'OL203', null,
  'an approved decision whose order may exist after a 429 cannot be rejected'
) from throttled as t;

-- Refusals.
select orderlatch.update_account('paper', '{"max_decision_age": "1 hour"}');
create temporary table standing as select test.given_decision() as decision_hash;
select throws_ok(
         format('select orderlatch.%s_decision(%L, %L)', f.deed, s.decision_hash, c.evidence), 'OL307', null,
         format('to %s takes evidence, and %s is none', f.deed, c.title)
       )
  from standing as s
 cross join (values ('approve'), ('reject')) as f(deed)
 cross join (
   values (null, 'null'), ('{}', 'an empty object'),
          (jsonb_build_object('x', repeat('y', 16385))::text, 'an object of more than 16 KiB')
 ) as c(evidence, title);
select is(test.status(s.decision_hash), 'planned', 'what was refused has moved nothing') from standing as s;
select test.given_account('builtin');
create temporary table builtin as select test.given_decision('builtin') as decision_hash;
select throws_ok(
         format('select orderlatch.%s_decision(%L, %L)', f.deed, b.decision_hash, '{"a": 1}'), 'OL304', null,
         format('to %s is for accounts with an external engine', f.deed)
       )
  from builtin as b
 cross join (values ('approve'), ('reject')) as f(deed);

-- The built-in limits count at the moment of the engine's yes, and what it approved before counts for the next.
select test.given_account('summed', '{"risk_engine": "external", "one_decision_per_signal": false}');
select orderlatch.set_limit('open_orders', 2, 'summed');
create temporary table summed as
  select n, test.given_decision('summed', jsonb_build_object('leg', n::text)) as decision_hash from generate_series(1, 3) as n;
select results_eq(
         format('select a.status, a.reasons from orderlatch.approve_decision(%L, %L) as a', s.decision_hash, '{"engine": "sure"}'),
         format('values (%L, %L::text[])', case when s.n < 3 then 'approved' else 'rejected' end,
                case when s.n < 3 then '{}' else '{open_orders}' end),
         format('yes number %s of the engine, with room for two', s.n)
       )
  from summed as s
 order by s.n;
select is(
  (select v.evidence from summed as s join orderlatch_data.risk_verdicts as v on v.decision_id = test.decision_id(s.decision_hash) where s.n = 3),
  '{"engine": "sure"}'::jsonb, 'the evidence of a yes that was overruled is kept'
);
select orderlatch.reject_decision(s.decision_hash, '{"engine": "changed its mind"}') from summed as s where s.n = 1;
create temporary table fourth_of_summed as select test.given_decision('summed', '{"leg": "4"}') as decision_hash;
select is(
  (select a.status from fourth_of_summed as f, orderlatch.approve_decision(f.decision_hash, '{"engine": "sure"}') as a), 'approved',
  'a no gives back what the yes before it had taken'
);

-- A silent engine lets decisions lapse; nothing passes without its word, whatever else happens.
select test.given_account('silent', '{"risk_engine": "external", "max_decision_age": "15 minutes"}');
create temporary table silent as
  select w.worker_id, test.given_decision('silent') as decision_hash,
         test.given_decision('silent', '{"valid_until": "2026-03-02T15:05:00Z"}') as short
    from (select test.given_worker('silent') as worker_id) as w;
select is(test.kinds(s.worker_id), '{}', 'nothing is claimed that the engine has not approved') from silent as s;
select test_support.hold_clock('2026-03-02 15:05:01.000001Z');
select is(test.kinds(s.worker_id), '{}', 'nor when its time is up') from silent as s;
select is(test.status(s.short), 'lapsed', 'which lapses what is valid no longer') from silent as s;
select is(test.status(s.decision_hash), 'planned', 'and leaves what still is') from silent as s;
select throws_ok(
  format('select orderlatch.evaluate_decision(%L)', s.decision_hash), 'OL304', null, 'the built-in engine does not step in'
) from silent as s;
select results_eq(
  $$ select p.status, p.outcome
       from silent as s
       join orderlatch_data.trade_decisions as d on d.decision_id = test.decision_id(s.decision_hash)
      cross join lateral orderlatch.propose_decision('silent', d.intent::jsonb || '{"reference_price": "190.25"}') as p $$,
  $$ values ('planned', 'existing') $$, 'proposing again does not either'
);
select test_support.hold_clock('2026-03-02 15:16:00Z');
select is(test.kinds(s.worker_id), '{}', 'a quarter of an hour later nothing has been claimed') from silent as s;
select is(test.status(s.decision_hash), 'lapsed', 'and the other has lapsed') from silent as s;
select results_eq(
  $$ select a.status, a.reasons from silent as s, orderlatch.approve_decision(s.decision_hash, '{"engine": "late"}') as a $$,
  $$ values ('lapsed', '{}'::text[]) $$, 'a yes that comes too late changes nothing'
);
select is_empty(
  $$ select 1 from silent as s join orderlatch_data.risk_verdicts as v on v.decision_id = test.decision_id(s.decision_hash) $$,
  'and is no verdict'
);
select is_empty('select i.promise from orderlatch.invariants as i where i.violations > 0', 'every invariant holds');

select * from finish();
rollback;
