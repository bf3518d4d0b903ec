-- Takes a decision back, at once if it was provably not sent, else as soon as its order is proved absent.
-- Locks: decision. Raises: OL103, OL131, OL132, OL202, OL301.
create or replace function orderlatch.withdraw_decision(
  p_decision_hash text,
  p_reason text,
  p_cancel boolean default false
)
returns table (status text, outcome text)
language plpgsql
volatile
parallel unsafe
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_decision constant orderlatch_data.trade_decisions := orderlatch_data.find_decision(p_decision_hash);
  v_open orderlatch_data.open_decisions;
begin
  perform orderlatch_data.require_read_committed();
  perform orderlatch_data.require_text('p_reason', p_reason, 500);
  perform orderlatch_data.make_durable();
  perform orderlatch_data.lock_decisions(array[orderlatch_data.decision_lock_key(v_decision.decision_hash)]);

  select o.* into v_open
    from orderlatch_data.open_decisions as o
   where o.decision_id = v_decision.decision_id;
  if v_open.decision_id is not null then
    update orderlatch_data.open_decisions as o
       set wish = coalesce(o.wish, p_reason), wish_cancels = o.wish_cancels or coalesce(p_cancel, false)
     where o.decision_id = v_decision.decision_id;
    perform orderlatch_data.grant_wish(v_decision.decision_id, null);
  elsif p_cancel then
    perform orderlatch_data.ask_cancel(b, p_reason, null)
       from orderlatch_data.broker_orders as b
      where b.decision_id = v_decision.decision_id and b.relation in ('order', 'replacement');
    perform pg_notify('orderlatch', a.account)
       from orderlatch_data.accounts as a
      where a.account_id = v_decision.account_id;
  end if;

  return query
  select s.status,
         case
           when s.status = 'withdrawn' then 'withdrawn'
           when s.status = 'submitted' and exists (
             select 1
               from orderlatch_data.order_cancels as c
               join orderlatch_data.broker_orders as b
                 on b.account_id = c.account_id and b.broker_order_id = c.broker_order_id
              where b.decision_id = v_decision.decision_id and c.ended_at is null
           ) then 'cancel_asked'
           when orderlatch_data.is_final(s.status) then 'too_late'
           else 'wish_noted'
         end
    from orderlatch_data.status_of(v_decision.decision_id) as s;
end
$$;
revoke all on function orderlatch.withdraw_decision(text, text, boolean) from public;
grant execute on function orderlatch.withdraw_decision(text, text, boolean) to
  orderlatch_strategy, orderlatch_operator;
comment on function orderlatch.withdraw_decision(text, text, boolean) is
  'Takes a decision back. p_decision_hash: 64 hex digits. p_reason: why, 1 to 500 characters, kept in its '
  'event. p_cancel: whether its order, if there is one, is to be canceled at the broker. Returns its '
  'status and an outcome: withdrawn; wish_noted (its submit is on its way or in doubt, or may have been '
  'made before the cluster changed: it is withdrawn if the order is proved not to exist, and submitted, and '
  'with p_cancel canceled, if it is found); '
  'cancel_asked (its open order is to be canceled); too_late (it has settled otherwise). Raises OL103 '
  'decision_unknown, OL131 argument_invalid, OL132 isolation_unsupported, OL202 decision_busy, OL301 '
  'login_not_bound.';

-- Withdraws a decision that is wished away, if its order provably does not exist.
-- Locks: none; the caller holds the decision. Raises: none.
create or replace function orderlatch_data.grant_wish(p_decision_id bigint, p_request_id uuid)
returns boolean
language sql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  with granted as (
    update orderlatch_data.open_decisions as o
       set status = 'withdrawn',
           move_reason = o.wish,
           move_request_id = p_request_id,
           move_evidence = case when o.wish_cancels then '{"cancel": true}'::jsonb end
     where o.decision_id = p_decision_id
       and o.wish is not null
       and o.status in ('planned', 'approved')
       and not o.lookup_first
       and not orderlatch_data.calls_may_be_unknown(o.account_id)
    returning 1
  )
  select exists (select 1 from granted)
$$;
revoke all on function orderlatch_data.grant_wish(bigint, uuid) from public;
comment on function orderlatch_data.grant_wish(bigint, uuid) is
  'Moves a planned or approved decision with a wish to withdrawn, unless a lookup, or after a change of the '
  'cluster the account''s orders, must come first. Returns whether it did. p_request_id: the request whose '
  'answer allows it, or null. That its order, should it show up all the same, is to be canceled, stays with '
  'the event.';

-- Withdraws what was wished away while the account's orders were still to be read.
-- Locks: decisions (try). Raises: none.
create or replace function orderlatch_data.grant_wishes(p_account_id integer)
returns void
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_held bigint[];
begin
  v_held := array(
    select s.decision_id
      from (
        select o.decision_id, o.lock_key
          from orderlatch_data.open_decisions as o
         where o.account_id = p_account_id
           and o.wish is not null
           and o.status in ('planned', 'approved')
           and not o.lookup_first
         order by o.decision_id
         limit 100
      ) as s
     where orderlatch_data.try_lock_decision(s.lock_key)
  );
  perform orderlatch_data.grant_wish(h.decision_id, null)
     from unnest(v_held) as h(decision_id);
end
$$;
revoke all on function orderlatch_data.grant_wishes(integer) from public;
comment on function orderlatch_data.grant_wishes(integer) is
  'grant_wish for the account''s planned and approved decisions. At most 100 in one call.';
