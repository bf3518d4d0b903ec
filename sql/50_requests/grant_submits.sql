-- How many submits an account may be granted now, and until when they may be sent.
-- Locks: none; the caller holds the account for granting. Raises: none.
create or replace function orderlatch_data.submit_room(p_account orderlatch_data.accounts, p_now timestamptz)
returns table (room integer, send_until timestamptz)
language sql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select case
           when exists (
             select 1
               from orderlatch_data.halts as h
              where h.lifted_at is null
                and (h.account_id is null or h.account_id = p_account.account_id)
                and h.strategy_id is null
                and h.symbol is null
           ) then 0
           when orderlatch_data.is_unreconciled(p_account.account_id) then 0
           when exists (
             select 1
               from orderlatch_data.kind_backoffs as b
              where b.account_id = p_account.account_id
                and b.kind = 'submit_order'
                and b.next_try_at > p_now
           ) then 0
           when p_account.environment = 'live' and grants.granted_until is null then 0
           else greatest(0, p_account.max_in_doubt - unknown.on_their_way - unknown.in_doubt)::integer
         end,
         case when p_account.environment = 'live' then grants.granted_until end
    from (
      select max(g.granted_until) as granted_until
        from orderlatch_data.live_grants as g
       where g.account_id = p_account.account_id and g.granted_until >= p_now + interval '1 millisecond'
    ) as grants
   cross join (
      -- a submit on its way may come back in doubt, so it counts; a doubt older than a good read does not
      select (
               select count(*)
                 from orderlatch_data.open_requests as r
                where r.account_id = p_account.account_id and r.kind = 'submit_order'
             ) as on_their_way,
             (
               select count(*)
                 from orderlatch_data.doubts as d
                 join orderlatch_data.open_decisions as o
                   on o.decision_id = d.decision_id and o.status = 'in_doubt'
                 join orderlatch_data.account_states as s on s.account_id = d.account_id
                where d.account_id = p_account.account_id
                  and (s.last_read_at is null or d.in_doubt_at >= s.last_read_at)
             ) as in_doubt
    ) as unknown
$$;
revoke all on function orderlatch_data.submit_room(orderlatch_data.accounts, timestamptz) from public;
comment on function orderlatch_data.submit_room(orderlatch_data.accounts, timestamptz) is
  'room: submits that may be granted now; 0 under a halt of the account, before it is reconciled, without '
  'a live grant, while submits back off, or at the account''s max_in_doubt. send_until: end of the live '
  'grant, or null.';

-- Grants submits: the decision moves to submitting in the transaction that grants the call.
-- Locks: decisions (try). Raises: none.
create or replace function orderlatch_data.grant_submits(
  p_account orderlatch_data.accounts,
  p_worker_id integer,
  p_how_many integer
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
  v_room integer;
  v_send_until timestamptz;
  v_held bigint[];
begin
  select least(r.room, p_how_many), r.send_until into v_room, v_send_until
    from orderlatch_data.submit_room(p_account, v_now) as r;
  if v_room = 0 then
    return;
  end if;
  v_held := array(
    select c.decision_id
      from orderlatch_data.decisions_in_turn(p_account.account_id, v_now, v_room) as c
     where orderlatch_data.try_lock_decision(c.lock_key)
  );

  -- a statement of its own, so that it sees what the last holder of each lock has committed;
  -- a grant lasts a millisecond at least, so what ends sooner is not granted
  return query
  with moved as (
    update orderlatch_data.open_decisions as o
       set status = 'submitting',
           holder_request_id = orderlatch_data.new_request_id(),
           lookup_request_id = null,
           submits = o.submits + 1,
           move_reason = 'claimed by worker ' || p_worker_id,
           move_request_id = null,
           move_evidence = null
     where o.decision_id = any (v_held)
       and o.status = 'approved'
       and o.wish is null
       and not o.lookup_first
       and o.next_try_at <= v_now
       and o.lapse_at >= v_now + interval '1 millisecond'
    returning o.decision_id, o.holder_request_id, o.lock_key, o.approval_no, o.lapse_at
  )
  select g.*
    from (select m.* from moved as m order by m.approval_no) as m
    join orderlatch_data.trade_decisions as t on t.decision_id = m.decision_id
   cross join lateral orderlatch_data.grant_request(
     p_account, p_worker_id, 'submit_order', m.holder_request_id, m.decision_id, null, m.lock_key,
     '/v2/orders', null, orderlatch_data.order_body(t), least(m.lapse_at, v_send_until)
   ) as g;
end
$$;
revoke all on function orderlatch_data.grant_submits(orderlatch_data.accounts, integer, integer) from public;
comment on function orderlatch_data.grant_submits(orderlatch_data.accounts, integer, integer) is
  'Grants submit_order for decisions whose turn it is, within submit_room. No call may begin after the '
  'decision lapses or the live grant ends. A decision that another session holds is left for the next '
  'claim.';
