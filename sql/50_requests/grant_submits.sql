-- How many submits accounts may be granted now, and until when they may be sent.
-- Locks: none; the caller holds the accounts for granting. Raises: none.
create or replace function orderlatch_data.submit_rooms(p_account_ids integer[], p_now timestamptz)
returns table (account_id integer, room integer, send_until timestamptz)
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_environment text;
  v_max_in_doubt integer;
begin
  -- a loop of small questions: most accounts need only the first few of them answered
  for account_id, v_environment, v_max_in_doubt in
    select a.account_id, a.environment, a.max_in_doubt::integer
      from orderlatch_data.accounts as a
     where a.account_id = any (p_account_ids)
  loop
    send_until := case
      when v_environment = 'live' then orderlatch_data.granted_live_until(account_id, p_now)
    end;
    room := case
      when v_environment = 'live' and send_until is null then 0
      when orderlatch_data.is_halted(account_id, null, null) then 0
      when orderlatch_data.waits_for_reads(account_id) then 0
      when orderlatch_data.is_backing_off(account_id, 'submit_order', p_now) then 0
      else greatest(0, v_max_in_doubt - orderlatch_data.unknown_submits(account_id))
    end;
    return next;
  end loop;
end
$$;
revoke all on function orderlatch_data.submit_rooms(integer[], timestamptz) from public;
comment on function orderlatch_data.submit_rooms(integer[], timestamptz) is
  'room: submits that may be granted now; 0 under a halt of the account, before it is reconciled, without '
  'a live grant, while submits back off, or at the account''s max_in_doubt. send_until: end of the live '
  'grant, or null.';

-- Until when an account may submit real orders.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.granted_live_until(p_account_id integer, p_now timestamptz)
returns timestamptz
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    select max(g.granted_until)
      from orderlatch_data.live_grants as g
     where g.account_id = p_account_id and g.granted_until >= p_now + interval '1 millisecond'
  );
end
$$;
revoke all on function orderlatch_data.granted_live_until(integer, timestamptz) from public;
comment on function orderlatch_data.granted_live_until(integer, timestamptz) is
  'End of the longest live grant that lasts a millisecond more at least; null without one.';

-- How many submits of an account may have come to an order that nobody knows of.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.unknown_submits(p_account_id integer)
returns integer
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return (
      select count(*)::integer
        from orderlatch_data.calls_under_way(p_account_id) as c
       where c.kind = 'submit_order'
    )
    + (
      select count(*)::integer
        from orderlatch_data.doubts as d
       cross join lateral (
         select 1 from orderlatch_data.open_decisions as k
          where k.decision_id = d.decision_id and k.status = 'in_doubt'
         offset 0
       ) as o
        join orderlatch_data.account_states as s on s.account_id = d.account_id
       where d.account_id = p_account_id
         and (s.last_read_at is null or d.in_doubt_at >= s.last_read_at)
    );
end
$$;
revoke all on function orderlatch_data.unknown_submits(integer) from public;
comment on function orderlatch_data.unknown_submits(integer) is
  'A submit on its way may come back in doubt, so it counts; a doubt older than a good read does not.';

-- Grants submits: each decision moves to submitting in the transaction that grants its call.
-- Locks: decisions (try). Raises: none.
create or replace function orderlatch_data.grant_submits(
  p_worker_id integer,
  p_account_ids integer[],
  p_how_many integer[]
)
returns setof orderlatch_data.granted_request
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_now constant timestamptz := orderlatch_data.clock();
  v_held bigint[];
  v_send_until timestamptz[];
begin
  select array_agg(h.decision_id), array_agg(h.send_until) into v_held, v_send_until
    from (
      select c.decision_id, r.send_until, orderlatch_data.try_lock_decision(c.lock_key) as is_held
        from orderlatch_data.submit_rooms(p_account_ids, v_now) as r
        join unnest(p_account_ids, p_how_many) as m(account_id, how_many) on m.account_id = r.account_id
       cross join lateral orderlatch_data.decisions_in_turn(
         r.account_id, v_now, least(r.room, m.how_many)
       ) as c
      offset 0
    ) as h
   where h.is_held;
  if v_held is null then
    return;
  end if;

  -- a statement of its own, so that it sees what the last holder of each lock has committed;
  -- a grant lasts a millisecond at least, so what ends sooner is not granted
  return query
  with moved as (
    update orderlatch_data.open_decisions as o
       set status = 'submitting', submits = o.submits + 1,
           holder_request_id = orderlatch_data.new_request_id(), lookup_request_id = null,
           move_reason = 'claimed by worker ' || p_worker_id, move_request_id = null, move_evidence = null
      from unnest(v_held, v_send_until) as h(decision_id, send_until)
     where o.decision_id = any (v_held)
       and o.decision_id = h.decision_id
       and o.status = 'approved'
       and o.wish is null
       -- in other words than those of an index: the rows are found by their keys
       and o.lookup_first is not true
       and o.next_try_at <= v_now
       and o.lapse_at >= v_now + interval '1 millisecond'
    returning o.decision_id, o.account_id, o.holder_request_id, o.lock_key, o.approval_no,
              least(o.lapse_at, h.send_until) as send_until
  )
  select g.*
    from orderlatch_data.grant_requests(p_worker_id, array(
           select (
                    m.account_id, 'submit_order', m.holder_request_id, m.decision_id, null, null, m.lock_key,
                    '/v2/orders', null, t.body, m.send_until
                  )::orderlatch_data.wanted_call
             from moved as m
            cross join lateral (
              select orderlatch_data.order_body(d) as body
                from orderlatch_data.trade_decisions as d
               where d.decision_id = m.decision_id
              offset 0
            ) as t
            order by m.account_id, m.approval_no
         )) as g;
end
$$;
revoke all on function orderlatch_data.grant_submits(integer, integer[], integer[]) from public;
comment on function orderlatch_data.grant_submits(integer, integer[], integer[]) is
  'Grants submit_order for decisions whose turn it is, to each account as many as p_how_many says, within '
  'submit_rooms. No call may begin after the decision lapses or the live grant ends. A decision that another '
  'session holds is left for the next claim.';
