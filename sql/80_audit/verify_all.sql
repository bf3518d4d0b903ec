-- Verifies everything that is recorded, in steps, and says how far it has come.
-- Locks: none. Raises: OL131 argument_invalid.
create or replace function orderlatch.verify_all(
  p_head text default null,
  p_after_decision_id bigint default 0,
  p_step integer default 2000
)
returns table (what text, at_id bigint, finding text)
language plpgsql
stable
parallel safe
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_after bigint := p_after_decision_id;
  v_decision_ids bigint[];
  v_decisions integer := 0;
  v_findings integer := 0;
begin
  if p_step is null or p_step not between 1 and 100000 or p_after_decision_id is null then
    raise exception using
      errcode = 'OL131',
      message = 'argument_invalid: p_step must be from 1 to 100000, and p_after_decision_id a number';
  end if;
  -- a loop, so that memory and the wait for news are those of a step, however much is recorded
  loop
    v_decision_ids := orderlatch_data.ids_after(v_after, p_step);
    exit when cardinality(v_decision_ids) = 0;
    for what, at_id, finding in
      select f.what, f.at_id, f.finding from orderlatch_data.decision_findings(v_decision_ids) as f
    loop
      v_findings := v_findings + 1;
      return next;
    end loop;
    v_decisions := v_decisions + cardinality(v_decision_ids);
    v_after := v_decision_ids[cardinality(v_decision_ids)];
    raise notice '% decisions verified, up to decision_id %: % findings', v_decisions, v_after, v_findings;
  end loop;

  for what, at_id, finding in
    select f.what, f.at_id, f.finding from orderlatch_data.other_findings(p_head) as f
  loop
    v_findings := v_findings + 1;
    return next;
  end loop;
  what := 'all';
  at_id := v_after;
  finding := format('%s decisions verified, %s findings', v_decisions, v_findings);
  return next;
end
$$;
revoke all on function orderlatch.verify_all(text, bigint, integer) from public;
grant execute on function orderlatch.verify_all(text, bigint, integer) to
  orderlatch_operator, orderlatch_auditor;
comment on function orderlatch.verify_all(text, bigint, integer) is
  'Recomputes every hash: of each decision''s intent, columns and chain of events with what is behind them, '
  'of the acts of operators, and of every seal. One row for each finding, with the decision_id or act_no, '
  'and at the end one row "all" that counts. A notice after each step of p_step decisions says how far it '
  'has come. '
  'p_head: a head kept elsewhere to compare with, or null. p_after_decision_id: go on behind this one. '
  'Raises OL131 argument_invalid.';

-- The next decisions of which anything is left.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.ids_after(p_after bigint, p_how_many integer)
returns bigint[]
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_last bigint;
begin
  select max(d.decision_id) into v_last
    from (
      select t.decision_id
        from orderlatch_data.trade_decisions as t
       where t.decision_id > p_after
       order by t.decision_id
       limit p_how_many
    ) as d;
  -- events may be left of decisions that are gone; the last step takes those behind the last decision too
  if not exists (select 1 from orderlatch_data.trade_decisions as t where t.decision_id > v_last) then
    v_last := null;
  end if;
  return array(
    select i.decision_id
      from (
        select t.decision_id
          from orderlatch_data.trade_decisions as t
         where t.decision_id > p_after and (v_last is null or t.decision_id <= v_last)
        union
        select e.decision_id
          from orderlatch_data.decision_events as e
         where e.decision_id > p_after and (v_last is null or e.decision_id <= v_last)
      ) as i
     order by i.decision_id
  );
end
$$;
revoke all on function orderlatch_data.ids_after(bigint, integer) from public;
comment on function orderlatch_data.ids_after(bigint, integer) is
  'At least p_how_many, as far as there are; ascending.';

-- What is wrong with some decisions: their hash, their columns, their chain.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.decision_findings(p_decision_ids bigint[])
returns table (what text, at_id bigint, finding text)
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  return query
  select 'decision', d.decision_id,
         case
           when d.decision_hash <> sha256(convert_to(d.intent, 'UTF8'))
           then 'its intent is not what was hashed'
           else 'its columns are not what its intent says'
         end
    from orderlatch_data.trade_decisions as d
   where d.decision_id = any (p_decision_ids)
     and (
       d.decision_hash <> sha256(convert_to(d.intent, 'UTF8'))
       or d.intent is distinct from orderlatch_data.rebuilt_intent(d)
     )
  union all
  select 'promises', p_decision_ids[1], format(
           'promise %s is broken %s times in the decisions from here on to %s', v.promise_no, v.violations,
           p_decision_ids[cardinality(p_decision_ids)]
         )
    from orderlatch_data.promises_about(p_decision_ids, orderlatch_data.orders_of(p_decision_ids)) as v
   where v.violations > 0
  union all
  select 'events', f.decision_id, concat_ws(': ', 'event ' || f.event_id, f.finding)
    from orderlatch_data.chain_findings(p_decision_ids) as f;
end
$$;
revoke all on function orderlatch_data.decision_findings(bigint[]) from public;
comment on function orderlatch_data.decision_findings(bigint[]) is
  'at_id: the decision_id; of a promise of invariants that is broken, the first of p_decision_ids.';
