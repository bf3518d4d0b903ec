-- A trace that a strategy gives with a decision is told to the worker that carries its calls; a bad one to nobody.
begin;
select plan(16);

select test_support.hold_clock('2026-03-02 15:00:00Z');
create role carrier login in role orderlatch_worker;
select test.given_account();
create temporary table worlds as select test.given_worker() as worker_id;

create function pg_temp.traced(p_metadata jsonb)
returns text
language plpgsql
as $$
declare
  v_hash constant text := test.given_decision_in(
    'submitted', (select w.worker_id from worlds as w), jsonb_build_object('metadata', p_metadata)
  );
begin
  return (select t.trace_id || ' ' || t.parent_id from orderlatch.request_traces(array[test.holder(v_hash)]) as t);
end
$$;
select is(
  pg_temp.traced('{"traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}'),
  '4bf92f3577b34da6a3ce929d0e0e4736 00f067aa0ba902b7', 'a submit is told the trace of its decision');
select is(pg_temp.traced('{"desk": "one"}'), null, 'a decision without a trace has none');
-- Whatever is wrong with a trace, the decision goes its way: given_decision_in saw it submitted.
select is(pg_temp.traced(jsonb_build_object('traceparent', b.bad)), null, 'and so has one with a bad trace: ' || b.bad::text)
  from unnest(array[
    '"00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01"', '"00-00000000000000000000000000000000-00f067aa0ba902b7-01"',
    '"00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01"', '"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x"',
    '"ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"', '"00-4bf9-00f067aa0ba902b7-01"', '7', 'null', '{}', '""'
  ]::jsonb[]) as b(bad);

-- A lookup, and a call about the order, are told the same.
create temporary table traced as
  select test.given_decision_in('submitted', w.worker_id,
    '{"metadata": {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"}}') as decision_hash
    from worlds as w;
create temporary table cancels as
  select x.broker_order_id from traced as t cross join orderlatch_data.execution_of(test.decision_id(t.decision_hash)) as x;
select c.state from cancels as o cross join orderlatch.cancel_order('paper', o.broker_order_id, 'not wanted') as c;
create temporary table calls as select c.request_id from worlds as w cross join test.claim(w.worker_id) as c where c.kind = 'cancel_order';
select is(
  (select t.trace_id from calls as c cross join orderlatch.request_traces(array[c.request_id]) as t),
  '0af7651916cd43dd8448eb211c80319c', 'a cancel of its order is told the trace of the decision');
select test_support.act_as('carrier');
select is(
  (select count(*) from orderlatch.request_traces((select array_agg(q.request_id) from calls as q))), 0::bigint,
  'a worker that is not bound to the account is told nothing');
reset session authorization;
select is_empty(
  $$ select r.request_id from orderlatch.request_traces(array[gen_random_uuid(), null]) as r $$, 'of a call that nobody made nothing is told');

-- It is no part of the decision.
select is(
  (orderlatch.propose_decision('paper', d.decision || '{"metadata": {"traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}}')).decision_hash,
  (orderlatch.propose_decision('paper', d.decision)).decision_hash, 'a trace changes no hash'
) from (select test.a_decision('{"symbol": "SAME"}') as decision offset 0) as d;

select * from finish();
rollback;
