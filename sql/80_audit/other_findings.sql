-- What is wrong with acts and seals, and with everything against a head.
-- Locks: none. Raises: OL131 argument_invalid.
create or replace function orderlatch_data.other_findings(p_head text)
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
  select 'acts', f.act_no, f.finding from orderlatch_data.act_findings() as f
  union all
  select 'seals', d.differs_at, 'events of block ' || d.differs_at || ' are not those that were sealed'
    from orderlatch_data.fold_events((
           select coalesce(max(s.block_no), 0) * 10000 from orderlatch_data.event_seals as s
         )) as d
   where d.differs_at is not null
  union all
  select 'numbers', b.drawn, format('%s is at %s, and %s was given already', b.numbers, b.drawn, b.given)
    from orderlatch_data.numbers_behind() as b
  union all
  select 'promises', null::bigint, format('promise %s is broken %s times', v.promise_no, v.violations)
    from orderlatch_data.other_promises() as v
   where v.violations > 0
  union all
  select 'archive', q.decision_id, format('call %s is in the books and in the archive', q.request_id)
    from orderlatch_data.broker_requests as q
    join orderlatch_data.archived_calls as c on c.request_id = q.request_id;
  if p_head is not null then
    return query
    select 'head', null::bigint, h.what || ': ' || h.finding
      from orderlatch.verify_against(p_head) as h
     where not h.agrees;
  end if;
end
$$;
revoke all on function orderlatch_data.other_findings(text) from public;
comment on function orderlatch_data.other_findings(text) is
  'at_id: the act_no, the number of the block, the newest number drawn, or the decision_id.';

-- How often each promise is broken that is not about a decision.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.other_promises()
returns table (promise_no integer, violations bigint)
language sql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select m.promise_no, m.violations from orderlatch_data.mirror_promises as m where m.promise_no <> 14
  union all
  select g.promise_no, g.violations from orderlatch_data.gate_promises as g
  union all
  select r.promise_no, r.violations from orderlatch_data.risk_promises as r where r.promise_no <> 19
  union all
  select h.promise_no, h.violations from orderlatch_data.holding_promises() as h
  union all
  -- under whatever key a decision holds a signal
  select 11, count(*)
    from orderlatch_data.live_signals as g
    join orderlatch_data.decision_outcomes as s on s.decision_id = g.decision_id
   where s.status in ('rejected', 'withdrawn') or (s.clean and s.status in ('refused', 'lapsed'))
  union all
  -- of orders that belong to no decision
  select o.promise_no, o.violations
    from orderlatch_data.order_promises(orderlatch_data.orders_of(null)) as o
  union all
  select c.promise_no, c.violations from orderlatch_data.other_call_promises('-infinity') as c
$$;
revoke all on function orderlatch_data.other_promises() from public;
comment on function orderlatch_data.other_promises() is
  'Promises of the view invariants that decision_findings does not count, over all that is recorded.';
