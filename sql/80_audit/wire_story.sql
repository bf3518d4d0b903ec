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
  select q.claimed_at, 4, 0,
         format(
           '  call: %s %s by worker %s, to begin within %s ms',
           q.method, q.path, q.worker_id, q.send_within_ms
         )
    from orderlatch_data.calls_of(p_decision_id) as q
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
    from orderlatch_data.calls_of(p_decision_id) as q
    join orderlatch_data.all_responses as r on r.request_id = q.request_id
    left join lateral (
      select min(e.moved_at) as moved_at
        from orderlatch_data.decision_events as e
       where e.decision_id = p_decision_id
         and e.request_id = q.request_id
         and not exists (
           select 1
             from orderlatch_data.all_losses as g
            where g.request_id = q.request_id and g.lost_at >= e.moved_at
         )
    ) as m on true
  union all
  select l.lost_at, 2, 0, format('  no answer to %s: lost, %s', q.kind, l.cause)
    from orderlatch_data.calls_of(p_decision_id) as q
    join orderlatch_data.all_losses as l on l.request_id = q.request_id
$$;
revoke all on function orderlatch_data.wire_story(bigint) from public;
comment on function orderlatch_data.wire_story(bigint) is
  'Calls, answers and losses of a decision as sentences. place orders what happened at one moment: birth, '
  'answers, losses and verdicts, moves, calls, incidents.';

-- The calls that a decision was the reason of, and the page of orders that completed a proof.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.calls_of(p_decision_id bigint)
returns setof orderlatch_data.broker_requests
language sql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select q.*
    from orderlatch_data.all_requests as q
   where q.decision_id = p_decision_id
  union
  select q.*
    from orderlatch_data.decision_events as e
    join orderlatch_data.all_requests as q on q.request_id = e.request_id
   where e.decision_id = p_decision_id
  union
  -- cancels of its orders, found by their time
  select q.*
    from orderlatch_data.broker_orders as b
    join orderlatch_data.order_cancels as c
      on c.account_id = b.account_id and c.broker_order_id = b.broker_order_id
    join orderlatch_data.all_requests as q
      on q.account_id = c.account_id
     and q.claimed_at >= c.asked_at
     and q.claimed_at <= coalesce(c.ended_at, 'infinity')
     and q.kind = 'cancel_order'
     and q.broker_order_id = c.broker_order_id
   where b.decision_id = p_decision_id
$$;
revoke all on function orderlatch_data.calls_of(bigint) from public;
comment on function orderlatch_data.calls_of(bigint) is
  'Its submits and lookups, calls that its events name, and cancels of its orders.';
