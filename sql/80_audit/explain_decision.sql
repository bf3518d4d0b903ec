-- Tells what passed between a decision and the broker, one sentence a line.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.wire_story(p_decision_id bigint)
returns table (at timestamptz, place integer, turn bigint, story text)
language sql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  with calls as (
    -- its own, and the page of orders that completed a proof
    select q.*
      from orderlatch_data.broker_requests as q
     where q.decision_id = p_decision_id
    union
    select q.*
      from orderlatch_data.decision_events as e
      join orderlatch_data.broker_requests as q on q.request_id = e.request_id
     where e.decision_id = p_decision_id
  )
  select q.claimed_at, 4, 0,
         format(
           '  call: %s %s by worker %s, to begin within %s ms',
           q.method, q.path, q.worker_id, q.send_within_ms
         )
    from calls as q
  union all
  -- an answer is told before the moves that it made
  select least(r.recorded_at, m.moved_at), 1, 0,
         format(
           '  %s%s: %s%s%s',
           case r.sent
             when 'yes' then 'answer: HTTP ' || r.status
             when 'no' then 'not sent'
             else 'no whole answer'
           end,
           coalesce(' after ' || r.elapsed_ms || ' ms', ''),
           r.meaning,
           -- the broker repeats the id that it was asked for
           coalesce(
             ' (' || left(regexp_replace(coalesce(r.message, r.error), '[0-9a-f]{64}', 'this id'), 60) || ')',
             ''
           ),
           coalesce(', X-Request-ID ' || r.broker_request_id, '')
         )
    from calls as q
    join orderlatch_data.broker_responses as r on r.request_id = q.request_id
    left join lateral (
      select min(e.moved_at) as moved_at
        from orderlatch_data.decision_events as e
       where e.decision_id = p_decision_id
         and e.request_id = q.request_id
         and not exists (
           select 1
             from orderlatch_data.lost_requests as g
            where g.request_id = q.request_id and g.lost_at >= e.moved_at
         )
    ) as m on true
  union all
  select l.lost_at, 2, 0, format('  no answer to %s: lost, %s', q.kind, l.cause)
    from calls as q
    join orderlatch_data.lost_requests as l on l.request_id = q.request_id
$$;
revoke all on function orderlatch_data.wire_story(bigint) from public;
comment on function orderlatch_data.wire_story(bigint) is
  'Calls, answers and losses of a decision as sentences. place orders what happened at one moment: birth, '
  'answers, losses and verdicts, moves, calls, incidents.';

-- Tells the whole life of one decision, one sentence a line.
-- Locks: none. Raises: OL103 decision_unknown, OL131 argument_invalid, OL301 login_not_bound.
create or replace function orderlatch.explain_decision(p_decision_hash text)
returns table (at timestamptz, story text)
language plpgsql
stable
parallel safe
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_decision constant orderlatch_data.trade_decisions := orderlatch_data.find_decision(p_decision_hash);
begin
  return query
  select l.at, l.story
    from (
      select e.moved_at as at, case e.from_status when 'none' then 0 else 3 end as place, e.event_id as turn,
             case
               when e.from_status = 'none' then format(
                 '%s recorded %s %s %s, %s %s, for strategy %s', e.moved_by, v_decision.action,
                 coalesce(trim_scale(v_decision.qty)::text, '$' || trim_scale(v_decision.notional)::text),
                 v_decision.symbol, v_decision.order_type, v_decision.time_in_force, v_decision.strategy_id
               )
               else format('%s became %s: %s', e.from_status, e.to_status, e.reason)
             end as story
        from orderlatch_data.decision_events as e
       where e.decision_id = v_decision.decision_id
      union all
      select w.at, w.place, w.turn, w.story
        from orderlatch_data.wire_story(v_decision.decision_id) as w
      union all
      select v.judged_at, 2, v.verdict_no,
             format(
               '  risk: %s by %s%s', v.verdict, v.judged_by,
               coalesce(', ' || nullif(array_to_string(v.reasons, ', '), ''), '')
             )
        from orderlatch_data.risk_verdicts as v
       where v.decision_id = v_decision.decision_id
      union all
      select i.opened_at, 5, i.incident_id, format('  incident: %s', i.incident)
        from orderlatch_data.incidents as i
       where i.decision_id = v_decision.decision_id
    ) as l
   order by l.at, l.place, l.turn, l.story;
end
$$;
revoke all on function orderlatch.explain_decision(text) from public;
grant execute on function orderlatch.explain_decision(text) to
  orderlatch_strategy, orderlatch_operator, orderlatch_auditor;
comment on function orderlatch.explain_decision(text) is
  'The whole life of a decision in plain sentences: verdicts, moves, calls with status, latency and the '
  'broker''s X-Request-ID, losses, incidents. p_decision_hash: 64 hex digits. Raises OL103 '
  'decision_unknown, OL131 argument_invalid, OL301 login_not_bound.';
