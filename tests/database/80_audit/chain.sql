-- Whatever a superuser who has switched the triggers off does to the record of a decision is found.
begin;
select plan(49);

select test_support.hold_clock('2026-03-02 15:00:00Z');
select test.given_account();
create temporary table worlds as select test.given_worker() as worker_id;

-- One decision that went through doubt and was sent again, one that was refused, and one that is open.
create temporary table decisions as
  select 'doubted' as name, test.given_submitting_decision(w.worker_id, '{"symbol": "GOOG", "rationale": "it rose"}') as decision_hash
    from worlds as w;
create function pg_temp.hash_of(p_name text)
returns text
language sql
as $$ select d.decision_hash from decisions as d where d.name = p_name $$;
create function pg_temp.id_of(p_name text)
returns bigint
language sql
as $$ select test.decision_id(pg_temp.hash_of(p_name)) $$;
select is(test.record(test.answer_maybe(test.holder(pg_temp.hash_of('doubted')))), 'in_doubt', 'the first is in doubt');
select test.given_absent_twice(w.worker_id, pg_temp.hash_of('doubted')) from worlds as w;
create temporary table pages as select c.* from worlds as w cross join test.claim_one(w.worker_id, 'list_orders') as c;
select is(test.record(test.answer_status(p.request_id, 200, '[]')), 'orders_listed', 'proved absent') from pages as p;
select is((test.claim_one(w.worker_id)).kind, 'submit_order', 'sent again') from worlds as w;
select is(test.record(test.answer_order(test.holder(pg_temp.hash_of('doubted')))), 'order_exists', 'and taken, by the plain way');
insert into decisions select 'refused', test.given_decision_in('refused', w.worker_id) from worlds as w;
create temporary table lost as select test.given_submitting_decision(w.worker_id, '{"symbol": "AAPL"}') as decision_hash from worlds as w;
insert into decisions select 'lost', l.decision_hash from lost as l;
select test_support.advance_clock('1 minute');
select test.claim(w.worker_id) from worlds as w;
select is(test.status(l.decision_hash), 'in_doubt', 'one is lost') from lost as l;
select is(test.record(test.answer_order(test.holder(l.decision_hash), '{"symbol": "AAPL"}')), 'order_exists', 'and its answer comes late')
  from lost as l;
insert into decisions select 'open', test.given_approved_decision('paper', '{"symbol": "MSFT"}');

select is_empty(
  $$ select d.name, v.* from decisions as d cross join orderlatch.verify_decision_events(d.decision_hash) as v where not v.intact $$,
  'every event of an honest record is intact'
);
select results_eq(
  $$ select v.move from orderlatch.verify_decision_events(pg_temp.hash_of('doubted')) as v $$,
  $$ values ('none to planned'), ('planned to approved'), ('approved to submitting'), ('submitting to in_doubt'), ('in_doubt to approved'),
            ('approved to submitting'), ('submitting to submitted') $$,
  'each event of a decision is verified, in order'
);
select results_eq(
  $$ select v.what, v.finding from orderlatch.verify_all() as v $$,
  $$ select 'all', format('%s decisions verified, 0 findings', count(*)) from orderlatch_data.trade_decisions as t $$,
  'verify_all finds nothing in it'
);
create temporary table heads as select orderlatch.audit_head() as head;
select ok(bool_and(v.agrees), 'and it agrees with its head') from heads as h cross join orderlatch.verify_against(h.head) as v;

-- The numbers of the events that a deed done behind the back of all triggers spoils, and whether the head shows it. Undone.
create function pg_temp.spoiled_by(p_name text, p_deed text, out spoiled integer[], out shown_by_head boolean, out shown_by_all boolean)
language plpgsql
as $$
begin
  begin
    set local session_replication_role = replica;
    execute p_deed;
    select coalesce(array_agg(v.place::integer), '{}') into spoiled
      from (
        select v.*, row_number() over (order by v.event_id) as place from orderlatch.verify_decision_events(pg_temp.hash_of(p_name)) as v
      ) as v
     where not v.intact;
    select not bool_and(v.agrees) into shown_by_head from heads as h cross join orderlatch.verify_against(h.head) as v;
    select count(*) > 1 into shown_by_all from heads as h cross join orderlatch.verify_all(h.head) as v;
    raise exception using errcode = 'ZZ000';
  exception
    when sqlstate 'ZZ000' then
      null;
  end;
end
$$;
create function pg_temp.event_of(p_name text, p_place integer)
returns bigint
language sql
stable
as $$
  select e.event_id from orderlatch_data.decision_events as e where e.decision_id = pg_temp.id_of(p_name)
   order by e.event_id offset p_place - 1 limit 1
$$;
-- The request behind the nth event.
create function pg_temp.request_of(p_name text, p_place integer)
returns uuid
language sql
stable
as $$ select e.request_id from orderlatch_data.decision_events as e where e.event_id = pg_temp.event_of(p_name, p_place) $$;
-- Writes the chain of a decision anew, as somebody would who has read all of this.
create function pg_temp.forge(p_name text)
returns void
language plpgsql
as $$
declare
  v_event orderlatch_data.decision_events;
  v_decision orderlatch_data.trade_decisions;
  v_previous bytea;
  v_verdict_no integer := 0;
begin
  select t.* into v_decision from orderlatch_data.trade_decisions as t where t.decision_id = pg_temp.id_of(p_name);
  for v_event in select e.* from orderlatch_data.decision_events as e where e.decision_id = v_decision.decision_id order by e.event_id loop
    if orderlatch_data.is_judgment(v_event.from_status, v_event.to_status) then
      v_verdict_no := v_verdict_no + 1;
    end if;
    v_event.event_hash := orderlatch_data.event_hash(
      coalesce(v_previous, v_decision.decision_hash), v_event.from_status, v_event.to_status, v_event.moved_at, v_event.moved_by,
      v_event.reason, v_event.request_id, v_event.evidence,
      case when v_previous is null then orderlatch_data.terms_digest(v_decision) end,
      (select orderlatch_data.verdict_digest(v) from orderlatch_data.risk_verdicts as v
        where v.decision_id = v_decision.decision_id and v.verdict_no = v_verdict_no
          and orderlatch_data.is_judgment(v_event.from_status, v_event.to_status)),
      (select orderlatch_data.call_digest(q, r) from orderlatch_data.broker_requests as q
         left join orderlatch_data.broker_responses as r on r.request_id = q.request_id
        where q.request_id = v_event.request_id)
    );
    update orderlatch_data.decision_events as e set event_hash = v_event.event_hash where e.event_id = v_event.event_id;
    v_previous := v_event.event_hash;
  end loop;
end
$$;

create temporary table deeds (name text, found integer[], head boolean, title text, deed text);
insert into deeds values
  ('doubted', '{}', false, 'nothing at all', 'select 1'),
  ('doubted', '{}', false, 'a hash computed anew from what is there', $$ select pg_temp.forge('doubted') $$),
  -- edits: the event itself is what is found, and the head does not change with the content
  ('doubted', '{4}', false, 'a reason edited',
   $$ update orderlatch_data.decision_events as e set reason = 'x' where e.event_id = pg_temp.event_of('doubted', 4) $$),
  ('doubted', '{7}', false, 'a time edited',
   $$ update orderlatch_data.decision_events as e set moved_at = e.moved_at - interval '1 microsecond' where e.event_id = pg_temp.event_of('doubted', 7) $$),
  ('doubted', '{2}', false, 'an actor edited',
   $$ update orderlatch_data.decision_events as e set moved_by = 'x' where e.event_id = pg_temp.event_of('doubted', 2) $$),
  ('doubted', '{1}', false, 'evidence slipped in',
   $$ update orderlatch_data.decision_events as e set evidence = '{}' where e.event_id = pg_temp.event_of('doubted', 1) $$),
  ('doubted', '{4}', false, 'a request taken off an event',
   $$ update orderlatch_data.decision_events as e set request_id = null where e.event_id = pg_temp.event_of('doubted', 4) $$),
  ('doubted', '{3,4}', true, 'a hash edited',
   $$ update orderlatch_data.decision_events as e set event_hash = sha256('x') where e.event_id = pg_temp.event_of('doubted', 3) $$),
  ('doubted', '{3,4}', true, 'a hash taken away',
   $$ alter table orderlatch_data.decision_events drop constraint decision_events_has_hash;
      update orderlatch_data.decision_events as e set event_hash = null where e.event_id = pg_temp.event_of('doubted', 3) $$),
  -- what is behind an event
  ('doubted', '{1}', false, 'a rationale edited',
   $$ update orderlatch_data.trade_decisions as t set rationale = 'it fell' where t.decision_id = pg_temp.id_of('doubted') $$),
  ('doubted', '{2}', false, 'a verdict edited',
   $$ update orderlatch_data.risk_verdicts as v set limits = '{"1": 5}' where v.decision_id = pg_temp.id_of('doubted') $$),
  ('doubted', '{2}', false, 'a verdict taken away',
   $$ delete from orderlatch_data.risk_verdicts as v where v.decision_id = pg_temp.id_of('doubted') $$),
  ('doubted', '{7}', false, 'a verdict slipped in that no move was made by',
   $$ insert into orderlatch_data.risk_verdicts
      select (jsonb_populate_record(v, '{"verdict_no": 2, "verdict": "rejected", "reasons": ["order_notional"], "judged_by": "x"}')).*
        from orderlatch_data.risk_verdicts as v where v.decision_id = pg_temp.id_of('doubted') $$),
  ('doubted', '{7}', false, 'a verdict slipped in before the first',
   $$ insert into orderlatch_data.risk_verdicts
      select (jsonb_populate_record(v, '{"verdict_no": 0, "limits": {"1": 5}}')).*
        from orderlatch_data.risk_verdicts as v where v.decision_id = pg_temp.id_of('doubted') $$),
  ('doubted', '{4}', false, 'the body of a request edited',
   $$ update orderlatch_data.broker_requests as q set body = '{}' where q.request_id = pg_temp.request_of('doubted', 4) $$),
  ('doubted', '{4}', false, 'the error of an answer edited',
   $$ update orderlatch_data.broker_responses as r set error = 'x' where r.request_id = pg_temp.request_of('doubted', 4) $$),
  ('doubted', '{5}', false, 'the page that proved absence edited',
   $$ update orderlatch_data.broker_responses as r set body = '[{}]' where r.request_id = pg_temp.request_of('doubted', 5) $$),
  ('doubted', '{7}', false, 'the order in an answer edited',
   $$ update orderlatch_data.broker_responses as r set body = '{}' where r.request_id = pg_temp.request_of('doubted', 7) $$),
  ('doubted', '{7}', false, 'an answer taken away',
   $$ delete from orderlatch_data.broker_responses as r where r.request_id = pg_temp.request_of('doubted', 7) $$),
  ('refused', '{4}', false, 'a refusal edited',
   $$ update orderlatch_data.broker_responses as r set status = 422 where r.request_id = pg_temp.request_of('refused', 4) $$),
  ('lost', '{5}', false, 'a late answer edited',
   $$ update orderlatch_data.broker_responses as r set elapsed_ms = 1 where r.request_id = pg_temp.request_of('lost', 5) $$),
  -- deletions, insertions, reordering
  ('doubted', '{4}', true, 'an event deleted', $$ delete from orderlatch_data.decision_events as e where e.event_id = pg_temp.event_of('doubted', 4) $$),
  ('doubted', '{1}', true, 'the first event deleted', $$ delete from orderlatch_data.decision_events as e where e.event_id = pg_temp.event_of('doubted', 1) $$),
  ('doubted', '{3}', true, 'a whole round cut out, so that each move still follows the one before it',
   $$ delete from orderlatch_data.decision_events as e
       where e.event_id in (pg_temp.event_of('doubted', 3), pg_temp.event_of('doubted', 4), pg_temp.event_of('doubted', 5)) $$),
  ('doubted', '{1}', true, 'all events deleted', $$ delete from orderlatch_data.decision_events as e where e.decision_id = pg_temp.id_of('doubted') $$),
  ('doubted', '{3,4,6,7}', true, 'two events of the same move in each other''s place',
   $$ update orderlatch_data.decision_events as e
         set moved_at = o.moved_at, event_hash = o.event_hash
        from orderlatch_data.decision_events as o
       where (e.event_id, o.event_id) in (
         (pg_temp.event_of('doubted', 3), pg_temp.event_of('doubted', 6)), (pg_temp.event_of('doubted', 6), pg_temp.event_of('doubted', 3))
       ) $$),
  -- the end cut off: as such it shows in the status, and done well only in the head
  ('open', '{1}', true, 'the newest event cut off', $$ delete from orderlatch_data.decision_events as e where e.event_id = pg_temp.event_of('open', 2) $$),
  ('open', '{1}', true, 'the newest event cut off and the status set back, but not its verdict',
   $$ delete from orderlatch_data.decision_events as e where e.event_id = pg_temp.event_of('open', 2);
      update orderlatch_data.open_decisions as o set status = 'planned' where o.decision_id = pg_temp.id_of('open') $$),
  ('open', '{}', true, 'the newest event cut off with its verdict, and the status set back',
   $$ delete from orderlatch_data.decision_events as e where e.event_id = pg_temp.event_of('open', 2);
      delete from orderlatch_data.risk_verdicts as v where v.decision_id = pg_temp.id_of('open');
      update orderlatch_data.open_decisions as o set status = 'planned' where o.decision_id = pg_temp.id_of('open') $$),
  ('doubted', '{}', true, 'a whole chain written anew over other facts',
   $$ update orderlatch_data.trade_decisions as t set rationale = 'it fell' where t.decision_id = pg_temp.id_of('doubted');
      select pg_temp.forge('doubted') $$);

create temporary table spoiled as select d.*, s.spoiled as was, s.shown_by_head, s.shown_by_all from deeds as d cross join lateral pg_temp.spoiled_by(d.name, d.deed) as s;
select is((s.was, s.shown_by_head), (s.found, s.head), format('%s: %s', s.name, s.title)) from spoiled as s;
select is_empty(
  $$ select s.title, s.shown_by_all from spoiled as s where s.shown_by_all <> (s.found <> '{}' or s.head) $$,
  'verify_all, given the head, shows every one of them, and nothing where nothing was done'
);

-- A decision that is gone with all its rows, and the log of one that is gone.
select ok((pg_temp.spoiled_by('doubted', format(
  'delete from orderlatch_data.decision_events as e where e.decision_id = %1$s; delete from orderlatch_data.open_decisions as o where o.decision_id = %1$s;
   delete from orderlatch_data.risk_verdicts as v where v.decision_id = %1$s; delete from orderlatch_data.trade_decisions as t where t.decision_id = %1$s',
  pg_temp.id_of('open')))).shown_by_head, 'a decision that is gone with all that was said of it shows against the head');
select ok((pg_temp.spoiled_by('doubted', format(
  'delete from orderlatch_data.trade_decisions as t where t.decision_id = %s', pg_temp.id_of('lost')))).shown_by_all,
  'events of a decision that is gone are found by verify_all');

-- What is refused.
select throws_ok($$ select * from orderlatch.verify_against('x') $$, 'OL131', null, 'what is no head is refused');
select throws_ok($$ select * from orderlatch.verify_all(p_step => 0) $$, 'OL131', null, 'steps of nothing are refused');
select throws_ok(format('select * from orderlatch.verify_decision_events(%L)', repeat('0', 64)), 'OL103', null, 'a decision that nobody knows has no chain');
select throws_ok('delete from orderlatch_data.chain_starts', 'OL901', null, 'where the chains begin cannot be moved');
select throws_ok('delete from orderlatch_data.event_seals', 'OL901', null, 'a seal cannot be broken');
select is_empty('select h.* from orderlatch_data.answers_at_hand as h', 'no answer is left at hand');

select * from finish();
rollback;
