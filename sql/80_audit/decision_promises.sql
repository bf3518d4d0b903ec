-- How often some decisions break each promise that is about one decision by itself.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.decision_promises(p_decision_ids bigint[])
returns table (promise_no integer, violations bigint)
language sql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  -- open or settled, and in one status, which its newest event says
  select c.promise_no, count(*)
    from (
      select d.decision_id, o.status as open_as, s.status as settled_as, s.event_id as settled_by,
             x.decision_id is not null as has_order, e.event_id, e.to_status,
             d.decision_hash <> sha256(convert_to(d.intent, 'UTF8')) as is_changed, s.clean,
             orderlatch_data.signal_key(
               d.account_id, d.strategy_id, d.symbol, d.timeframe, d.event_ts, d.leg
             ) as signal_key
        from orderlatch_data.trade_decisions as d
        left join orderlatch_data.open_decisions as o on o.decision_id = d.decision_id
        left join orderlatch_data.decision_outcomes as s on s.decision_id = d.decision_id
        left join orderlatch_data.broker_orders as x on x.decision_id = d.decision_id and x.relation = 'order'
        left join lateral (
          select n.event_id, n.to_status
            from (
              select v.* from orderlatch_data.decision_events as v where v.decision_id = d.decision_id
              offset 0
            ) as n
           order by n.event_id desc
           limit 1
        ) as e on true
       where d.decision_id = any (p_decision_ids)
    ) as p
   cross join lateral (
     select 1 where (p.open_as is null) = (p.settled_as is null)
     union all
     select 2 where coalesce(p.settled_as = 'submitted', false) <> p.has_order
     union all
     select 3 where p.to_status is distinct from coalesce(p.open_as, p.settled_as)
     union all
     select 4 where p.settled_as is not null
                and (p.settled_as is distinct from p.to_status or p.settled_by is distinct from p.event_id)
     union all
     select 10 where p.is_changed
     union all
     select 11
      where (p.settled_as in ('rejected', 'withdrawn') or (p.clean and p.settled_as in ('refused', 'lapsed')))
        and exists (
          select 1
            from orderlatch_data.live_signals as g
           where g.signal_key = p.signal_key and g.decision_id = p.decision_id
          offset 0
        )
   ) as c(promise_no)
   group by c.promise_no
  union all
  -- each event begins where the one before it ended; 3 is told in two parts
  select 3, count(*)
    from (
      select e.from_status, lag(e.to_status, 1, 'none') over chain as before
        from orderlatch_data.decision_events as e
       where e.decision_id = any (p_decision_ids)
      window chain as (partition by e.decision_id order by e.event_id)
    ) as c
   where c.from_status is distinct from c.before
  having count(*) > 0
$$;
revoke all on function orderlatch_data.decision_promises(bigint[]) from public;
comment on function orderlatch_data.decision_promises(bigint[]) is
  'Promises 1 to 4, 10 and 11 of the view invariants, for the decisions given; no row where none is broken.';

-- How often the calls of some decisions break each promise about calls.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.call_promises(p_decision_ids bigint[])
returns table (promise_no integer, violations bigint)
language sql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  with calls as materialized (
    select q.request_id, q.decision_id, q.kind, q.claimed_at, q.body, r.recorded_at, l.lost_at,
           o.request_id is not null as is_open
      from orderlatch_data.all_requests as q
      left join orderlatch_data.open_requests as o on o.request_id = q.request_id
      left join orderlatch_data.all_responses as r on r.request_id = q.request_id
      left join orderlatch_data.all_losses as l on l.request_id = q.request_id
     where q.decision_id = any (p_decision_ids)
  )
  select 6, count(*) from calls as q where q.is_open = (coalesce(q.recorded_at, q.lost_at) is not null)
  union all
  select 7, count(*)
    from calls as q
   where q.kind = 'submit_order'
     and (
       q.body::jsonb ->> 'client_order_id' is distinct from (
         select encode(d.decision_hash, 'hex')
           from orderlatch_data.trade_decisions as d
          where d.decision_id = q.decision_id
       )
       or case
            when not exists (
              select 1
                from orderlatch_data.risk_verdicts as v
               where v.decision_id = q.decision_id and v.verdict = 'approved' and v.judged_at <= q.claimed_at
            ) then orderlatch_data.times_are_in_order(q.decision_id)
          end
     )
  union all
  select 8, count(*)
    from calls as q
    join calls as p
      on p.decision_id = q.decision_id and p.kind = 'submit_order' and p.claimed_at < q.claimed_at
   where q.kind = 'submit_order'
     and case
           when coalesce(least(p.recorded_at, p.lost_at) > q.claimed_at, true)
             then orderlatch_data.times_are_in_order(q.decision_id)
         end
$$;
revoke all on function orderlatch_data.call_promises(bigint[]) from public;
comment on function orderlatch_data.call_promises(bigint[]) is
  'Promises 6 to 8 of the view invariants, for the calls of the decisions given.';

-- Whether no event of a decision is earlier than the one before it: the clock was not set back between them.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.times_are_in_order(p_decision_id bigint)
returns boolean
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return not exists (
    select 1
      from (
        select e.moved_at, lag(e.moved_at) over (order by e.event_id) as before
          from orderlatch_data.decision_events as e
         where e.decision_id = p_decision_id
      ) as m
     where m.moved_at < m.before
  );
end
$$;
revoke all on function orderlatch_data.times_are_in_order(bigint) from public;
comment on function orderlatch_data.times_are_in_order(bigint) is
  'Promises that compare moments hold of these decisions only; the order of events, their hashes and the '
  'legal moves say of all others that an approval came before each submit, and an end before the next.';

-- How often the calls since a moment that are about no decision break a promise about calls.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.other_call_promises(p_since timestamptz)
returns table (promise_no integer, violations bigint)
language sql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  -- what is archived has its answer or its loss by a constraint
  select 6, count(*)
    from orderlatch_data.accounts as a
   cross join lateral (
     select q.request_id
       from orderlatch_data.broker_requests as q
      where q.account_id = a.account_id and q.decision_id is null and q.claimed_at > p_since
   ) as q
    left join orderlatch_data.open_requests as o on o.request_id = q.request_id
    left join orderlatch_data.broker_responses as r on r.request_id = q.request_id
    left join orderlatch_data.lost_requests as l on l.request_id = q.request_id
   where (o.request_id is null) = (r.request_id is null and l.request_id is null)
$$;
revoke all on function orderlatch_data.other_call_promises(timestamptz) from public;
comment on function orderlatch_data.other_call_promises(timestamptz) is
  'Promise 6 of the view invariants, for the calls that were granted after p_since.';
