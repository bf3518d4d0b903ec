-- What is wrong with the chains of events of some decisions.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.chain_findings(p_decision_ids bigint[])
returns table (decision_id bigint, event_id bigint, finding text)
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  return query
  with links as (
    select e as event, e.decision_id, e.event_id, e.from_status, e.to_status, e.event_hash,
           lag(e.event_hash) over chain as previous_hash,
           lag(e.to_status, 1, 'none') over chain as before, lag(e.event_id) over chain is null as is_first,
           lead(e.event_id) over chain is null as is_last,
           orderlatch_data.is_judgment(e.from_status, e.to_status) as is_judged,
           count(*) filter (where orderlatch_data.is_judgment(e.from_status, e.to_status)) over chain
             as verdict_no
      from orderlatch_data.decision_events as e
     where e.decision_id = any (p_decision_ids)
    window chain as (partition by e.decision_id order by e.event_id)
  ), judged as (
    select l.decision_id, l.event_id,
           case
             when d.decision_id is null then 'its decision is gone'
             when l.from_status <> l.before then 'it does not follow the event before it'
             when l.event_hash is null and l.event_id > c.last_event_id then 'it has no hash'
             when l.event_hash is not null
               and not orderlatch_data.is_as_hashed(coalesce(l.previous_hash, ''), l.is_first, d, l.event, v)
             then 'it, or what is behind it, is not what was written'
             when l.is_last and l.to_status is distinct from coalesce(o.status, s.status)
             then 'it is the newest, and its decision is ' || coalesce(o.status, s.status, 'nowhere')
             when l.is_last and exists (
               select 1
                 from orderlatch_data.risk_verdicts as n
                where n.decision_id = l.decision_id and n.verdict_no not between 1 and l.verdict_no
             )
             then 'it is the newest, and there is a verdict that no move was made by'
           end as finding
      from links as l
     cross join orderlatch_data.chain_starts as c
      left join orderlatch_data.trade_decisions as d on d.decision_id = l.decision_id
      left join orderlatch_data.open_decisions as o on o.decision_id = l.decision_id
      left join orderlatch_data.decision_outcomes as s on s.decision_id = l.decision_id
      left join orderlatch_data.risk_verdicts as v
        on v.decision_id = l.decision_id and v.verdict_no = l.verdict_no and l.is_judged
  )
  select j.decision_id, j.event_id, j.finding from judged as j where j.finding is not null
  union all
  select d.decision_id, null, 'none of its events is left'
    from orderlatch_data.trade_decisions as d
   where d.decision_id = any (p_decision_ids)
     and not exists (
       select 1 from orderlatch_data.decision_events as e where e.decision_id = d.decision_id offset 0
     )
   order by 1, 2;
end
$$;
revoke all on function orderlatch_data.chain_findings(bigint[]) from public;
comment on function orderlatch_data.chain_findings(bigint[]) is
  'One row for each event that is not what was written, or does not fit its neighbours or the status of its '
  'decision; none for a decision whose chain is whole.';

-- Whether an event, and what is behind it, is what was hashed when it was written.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.is_as_hashed(
  p_previous_hash bytea,
  p_is_first boolean,
  p_decision orderlatch_data.trade_decisions,
  p_event orderlatch_data.decision_events,
  p_verdict orderlatch_data.risk_verdicts
)
returns boolean
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_request orderlatch_data.broker_requests;
  v_answer orderlatch_data.broker_responses;
  v_calls bytea[] := array[null::bytea];
begin
  if p_event.request_id is not null then
    select q.* into v_request
      from orderlatch_data.all_requests as q
     where q.request_id = p_event.request_id;
    select r.*, null as filler into v_answer
      from orderlatch_data.all_responses as r
     where r.request_id = p_event.request_id;
    if v_request.request_id is not null then
      -- an event of a loss was written before an answer that came late
      v_calls := array[
        orderlatch_data.call_digest(v_request, v_answer), orderlatch_data.call_digest(v_request, null)
      ];
    end if;
  end if;
  return exists (
    select 1
      from unnest(v_calls) as c(call_digest)
     where p_event.event_hash = orderlatch_data.event_hash(
             case when p_is_first then p_decision.decision_hash else p_previous_hash end,
             p_event.from_status, p_event.to_status, p_event.moved_at, p_event.moved_by, p_event.reason,
             p_event.request_id, p_event.evidence,
             case when p_is_first then orderlatch_data.terms_digest(p_decision) end,
             case when p_verdict.decision_id is not null then orderlatch_data.verdict_digest(p_verdict) end,
             c.call_digest
           )
  );
end
$$;
revoke all on function orderlatch_data.is_as_hashed(
  bytea, boolean, orderlatch_data.trade_decisions, orderlatch_data.decision_events,
  orderlatch_data.risk_verdicts
) from public;
comment on function orderlatch_data.is_as_hashed(
  bytea, boolean, orderlatch_data.trade_decisions, orderlatch_data.decision_events,
  orderlatch_data.risk_verdicts
) is
  'p_previous_hash: of the event before, in the same decision. p_verdict: the one behind the move, or null. '
  'The request and its answer are read here.';

-- What is wrong with the chains of decisions that are open, or have events that are not sealed.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.unsealed_findings()
returns table (decision_id bigint, event_id bigint, finding text)
language plpgsql
stable
parallel safe
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  return query
  select f.decision_id, f.event_id, f.finding
    from orderlatch_data.chain_findings(orderlatch_data.unsealed_decisions()) as f;
end
$$;
revoke all on function orderlatch_data.unsealed_findings() from public;
grant execute on function orderlatch_data.unsealed_findings() to orderlatch_operator, orderlatch_auditor;
comment on function orderlatch_data.unsealed_findings() is
  'chain_findings of unsealed_decisions. With the rights of the owner, as the view invariants calls it for '
  'its readers.';

-- Decisions that are open, or of which an event is not in a sealed block.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.unsealed_decisions()
returns bigint[]
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  -- as values, so that each plan knows how little lies behind them
  v_sealed_event constant bigint := (
    select coalesce(max(s.block_no), 0) * 10000 from orderlatch_data.event_seals as s
  );
  v_sealed_decision constant bigint := (
    select coalesce(max(b.decision_id), 0)
      from (
        select e.decision_id
          from orderlatch_data.decision_events as e
         where e.event_id > v_sealed_event - 10000 and e.event_id <= v_sealed_event
        offset 0
      ) as b
  );
begin
  return array(
    select e.decision_id from orderlatch_data.decision_events as e where e.event_id > v_sealed_event
    union
    select o.decision_id from orderlatch_data.open_decisions as o
    union
    -- recorded since, and without any event
    select d.decision_id from orderlatch_data.trade_decisions as d where d.decision_id > v_sealed_decision
  );
end
$$;
revoke all on function orderlatch_data.unsealed_decisions() from public;
comment on function orderlatch_data.unsealed_decisions() is 'Their ids, each once.';
