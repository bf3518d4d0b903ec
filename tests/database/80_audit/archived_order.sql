-- An order that the broker shows long after its decision ended is the same news whether its calls are archived or not.
begin;
select plan(2);

create function pg_temp.told(p_archive boolean)
returns jsonb
language plpgsql
as $$
declare
  v_worker integer;
  v_hashes text[] := '{}';
  v_orders jsonb;
  v_told jsonb;
begin
  perform test_support.hold_clock('2026-03-02 15:00:00Z');
  perform test.given_mirrored_account('paper', '{"reconcile_from": "2026-01-01T00:00:00Z"}');
  v_worker := test.given_worker();
  perform test.serve_reads(v_worker);
  v_hashes := array(select test.given_decision_in(s, v_worker) from unnest('{rejected,withdrawn,lapsed,refused}'::text[]) as s);
  perform test_support.hold_clock('2026-05-02 15:00:00Z');
  if p_archive then
    perform orderlatch.archive_before('2026-04-01Z', 'old', 'paper');
  end if;
  select jsonb_agg(test.order_document(h, jsonb_build_object('id', 'late-' || n))) into v_orders
    from unnest(v_hashes) with ordinality as h(h, n);
  perform orderlatch.reconcile_account('paper', 'tests', '2026-01-01Z');
  perform test.serve_reads(v_worker, v_orders);
  v_told := jsonb_build_object(
    'status', (select jsonb_agg(test.status(h) order by n) from unnest(v_hashes) with ordinality as h(h, n)),
    'incidents', test.incidents(),
    'halts', (select count(*) from orderlatch_data.halts as h where h.lifted_at is null),
    'broken', test.broken_promises(),
    'archived', exists (select 1 from orderlatch_data.archived_calls)
  );
  raise exception using errcode = 'ZZ000', message = v_told::text;
exception when sqlstate 'ZZ000' then
  return sqlerrm::jsonb;
end
$$;
select is(
  pg_temp.told(false),
  '{"status": ["submitted", "submitted", "submitted", "submitted"], "halts": 1, "broken": [], "archived": false, "incidents":
    ["order_despite_verdict", "order_despite_verdict", "order_despite_verdict", "order_despite_verdict"]}',
  'it is found, its decision is submitted, and the account halted'
);
select is(pg_temp.told(true), pg_temp.told(false) || '{"archived": true}', 'with its calls in the archive nothing differs');

select * from finish();
rollback;
