-- Tells what a decision asked for, and its moves with whoever signed for them.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.moves_story(p_decision orderlatch_data.trade_decisions)
returns table (at timestamptz, place integer, turn bigint, story text)
language sql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select case e.from_status when 'none' then p_decision.recorded_at else e.moved_at end,
         case e.from_status when 'none' then 0 else 3 end, e.event_id * 3,
         case
           when e.from_status = 'none' then format(
             '%s recorded %s %s %s, %s %s, for strategy %s', e.moved_by, p_decision.action,
             coalesce(trim_scale(p_decision.qty)::text, '$' || trim_scale(p_decision.notional)::text),
             p_decision.symbol, p_decision.order_type, p_decision.time_in_force, p_decision.strategy_id
           )
           else format('%s became %s: %s', e.from_status, e.to_status, e.reason)
         end
    from orderlatch_data.decision_events as e
   where e.decision_id = p_decision.decision_id
  union all
  select p_decision.recorded_at, 0, 9223372036854775807, '  ' || t.story
    from unnest(array[
           concat_ws(
             ', ', 'limit $' || trim_scale(p_decision.limit_price),
             'stop $' || trim_scale(p_decision.stop_price), 'trail $' || trim_scale(p_decision.trail_price),
             'trail ' || trim_scale(p_decision.trail_percent) || ' %',
             'seen at $' || trim_scale(p_decision.reference_price),
             'valid until '
               || to_char(p_decision.valid_until at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS "UTC"')
           ),
           'because: ' || left(p_decision.rationale, 88)
         ]) as t(story)
   where t.story <> ''
  union all
  -- what no answer did, somebody did
  select e.moved_at, 3, e.event_id * 3 + 2,
         left(
           case when e.request_id is null then '  signed by ' || e.moved_by else '  evidence' end
             || coalesce(': ' || e.evidence::text, ''),
           99
         )
    from orderlatch_data.decision_events as e
   where e.decision_id = p_decision.decision_id
     and e.from_status <> 'none'
     and (e.evidence is not null or (e.request_id is null and e.to_status = 'withdrawn'))
  union all
  select e.moved_at, 3, e.event_id * 3 + 1,
         format(
           '  in doubt for %s: lookups %s, of them absent %s, pages of orders %s',
           date_trunc('milliseconds', e.moved_at - e.since), w.lookups, w.absent, w.pages
         )
    from (
      select d.*, lag(d.moved_at) over (order by d.event_id) as since
        from orderlatch_data.decision_events as d
       where d.decision_id = p_decision.decision_id
    ) as e
   cross join lateral (
     select count(*) filter (where q.kind = 'find_order') as lookups,
            count(*) filter (where r.meaning = 'absent') as absent,
            count(*) filter (where q.kind = 'list_orders') as pages
       from orderlatch_data.all_requests as q
       left join orderlatch_data.all_responses as r on r.request_id = q.request_id
      where (q.decision_id = p_decision.decision_id or q.request_id = e.request_id)
        and q.kind in ('find_order', 'list_orders')
        and q.claimed_at between e.since and e.moved_at
   ) as w
   where e.from_status = 'in_doubt'
$$;
revoke all on function orderlatch_data.moves_story(orderlatch_data.trade_decisions) from public;
comment on function orderlatch_data.moves_story(orderlatch_data.trade_decisions) is
  'The decision, its moves, who signed, and how each doubt ended. place and turn as in wire_story.';

-- Tells the verdicts of a decision, with each limit that applied and what it was compared with.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.risk_story(p_decision_id bigint)
returns table (at timestamptz, place integer, turn bigint, story text)
language sql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select v.judged_at, 2, v.verdict_no * 1000 + t.line_no, t.story
    from orderlatch_data.risk_verdicts as v
   cross join lateral (
     select 0, format(
              '  risk: %s by %s%s', v.verdict, v.judged_by,
              coalesce(', ' || nullif(array_to_string(v.reasons, ', '), ''), '')
            )
     union all
     select l.line_no, format(
              '  limit %s, %s: %s', l.limit_of ->> 'limit_id', l.limit_of ->> 'limit_kind',
              case
                when k.takes = 'nothing' then 'applied'
                when l.limit_of ? 'symbols' then 'a list of ' || (l.limit_of ->> 'symbols') || ' symbols'
                else concat_ws(
                  ', ', 'at most ' || trim_scale((l.limit_of ->> 'ceiling')::numeric),
                  'with this order ' || trim_scale((s.sum_of ->> 'with')::numeric),
                  'without ' || trim_scale((s.sum_of ->> 'without')::numeric)
                )
              end
            )
       from jsonb_array_elements(orderlatch_data.told_limits(v.limits))
            with ordinality as l(limit_of, line_no)
       left join jsonb_array_elements(v.inputs -> 'sums') as s(sum_of)
         on s.sum_of -> 'limit_id' = l.limit_of -> 'limit_id'
       left join orderlatch_data.risk_limit_kinds as k on k.limit_kind = l.limit_of ->> 'limit_kind'
   ) as t(line_no, story)
   where v.decision_id = p_decision_id
$$;
revoke all on function orderlatch_data.risk_story(bigint) from public;
comment on function orderlatch_data.risk_story(bigint) is
  'Verdicts and limits as sentences: the ceiling, and of sums what was counted with the decision and without';

-- Tells the orders of a decision, their fills, what was asked to be canceled, and incidents.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.orders_story(p_decision_id bigint)
returns table (at timestamptz, place integer, turn bigint, story text)
language sql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select f.filled_at, 6, 0,
         format(
           '  %s: %s %s at $%s, order %s',
           case when f.entry = 'reversal' then f.activity || ', taken off' else f.activity end,
           trim_scale(f.qty), f.symbol, trim_scale(f.price), b.broker_order_id
         )
    from orderlatch_data.broker_orders as b
    join orderlatch_data.fills as f on f.order_no = b.order_no
   where b.decision_id = p_decision_id
  union all
  select b.changed_at, 7, b.order_no,
         format(
           '  %s %s is %s%s', case b.relation when 'order' then 'the order' else 'its ' || b.relation end,
           b.broker_order_id, b.status,
           case
             when b.filled_qty > 0 then format(
               ', %s filled%s', trim_scale(b.filled_qty),
               coalesce(' at $' || trim_scale(b.filled_avg_price), '')
             )
             else ''
           end
         )
    from orderlatch_data.broker_orders as b
   where b.decision_id = p_decision_id
  union all
  select c.asked_at, 5, 0,
         left(format('  %s asked to cancel order %s: %s', c.asked_by, c.broker_order_id, c.reason), 99)
    from orderlatch_data.broker_orders as b
    join orderlatch_data.order_cancels as c
      on c.account_id = b.account_id and c.broker_order_id = b.broker_order_id
   where b.decision_id = p_decision_id
  union all
  select i.opened_at, 5, i.incident_id, format('  incident: %s', i.incident)
    from orderlatch_data.incidents as i
   where i.decision_id = p_decision_id
  union all
  select i.closed_at, 5, i.incident_id,
         left(format('  incident %s closed by %s: %s', i.incident, i.closed_by, i.resolution), 99)
    from orderlatch_data.incidents as i
   where i.decision_id = p_decision_id and i.closed_at is not null
$$;
revoke all on function orderlatch_data.orders_story(bigint) from public;
comment on function orderlatch_data.orders_story(bigint) is
  'Fills at the broker''s time, each order as the broker last showed it, cancels and incidents as sentences.';
