-- Has an order read by its id, soon; one that is to be read later is read earlier.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.check_order(
  p_account_id integer,
  p_broker_order_id text,
  p_reason text,
  p_wait interval default '0'
)
returns void
language sql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  insert into orderlatch_data.order_checks as c (account_id, broker_order_id, reason, next_try_at)
  select p_account_id, p_broker_order_id, p_reason, orderlatch_data.clock() + p_wait
   where p_broker_order_id ~ '^[A-Za-z0-9_-]{1,128}$'
  on conflict on constraint order_checks_pkey do update
    set next_try_at = excluded.next_try_at
    where c.request_id is null and excluded.next_try_at < c.next_try_at
$$;
revoke all on function orderlatch_data.check_order(integer, text, text, interval) from public;
comment on function orderlatch_data.check_order(integer, text, text, interval) is
  'Makes get_order due for an order of the broker. p_reason: why, for people. p_wait: not before; a list '
  'may show it first. An id that no path could hold is left alone.';

-- Draws the consequence of an order that was read by its id.
-- Locks: none; the caller holds the account for answering and the decision concerned. Raises: none.
create or replace function orderlatch_data.apply_check(
  p_account orderlatch_data.accounts,
  p_request orderlatch_data.broker_requests,
  p_meaning text,
  p_document jsonb
)
returns text
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_check orderlatch_data.order_checks;
begin
  update orderlatch_data.order_checks as c
     set request_id = null
   where c.account_id = p_account.account_id
     and c.broker_order_id = p_request.broker_order_id
     and c.request_id = p_request.request_id
  returning c.* into v_check;
  if orderlatch_data.is_order(p_document) and p_document ->> 'id' = p_request.broker_order_id then
    -- a fact is welcome however late; it also removes the check
    perform orderlatch_data.take_orders(
      p_account.account_id, jsonb_build_array(p_document), p_request.request_id, p_meaning = 'order_shown'
    );
  end if;
  if v_check.broker_order_id is null then
    return 'stale';
  end if;
  case p_meaning
    when 'order_shown' then
      delete from orderlatch_data.order_checks as c
       where c.account_id = p_account.account_id and c.broker_order_id = p_request.broker_order_id;
      perform orderlatch_data.watch_cancel(p_account, p_request.broker_order_id);
    when 'absent' then
      perform orderlatch_data.count_missing(p_account, p_request, v_check);
    else
      update orderlatch_data.order_checks as c
         set next_try_at = orderlatch_data.clock()
               + least(p_account.backoff_max, p_account.backoff_first * 2 ^ least(v_check.tries, 20))
       where c.account_id = p_account.account_id and c.broker_order_id = p_request.broker_order_id;
  end case;
  return p_meaning;
end
$$;
revoke all on function orderlatch_data.apply_check(
  orderlatch_data.accounts, orderlatch_data.broker_requests, text, jsonb
) from public;
comment on function orderlatch_data.apply_check(
  orderlatch_data.accounts, orderlatch_data.broker_requests, text, jsonb
) is
  'What get_order''s answer does: the order is recorded; the broker''s word that it has no such order is '
  'counted; anything else proves nothing and is asked again. Returns the meaning, or stale.';

-- Counts the broker's word that it has no such order: reads may lag, so once is not enough.
-- Locks: none; the caller holds the account for answering. Raises: none.
create or replace function orderlatch_data.count_missing(
  p_account orderlatch_data.accounts,
  p_request orderlatch_data.broker_requests,
  p_check orderlatch_data.order_checks
)
returns void
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_order orderlatch_data.broker_orders;
begin
  if p_check.absent_at is null or p_request.claimed_at < p_check.absent_at + p_account.absence_spacing then
    update orderlatch_data.order_checks as c
       set absent_at = coalesce(c.absent_at, orderlatch_data.clock()),
           next_try_at = coalesce(c.absent_at, orderlatch_data.clock()) + p_account.absence_spacing
     where c.account_id = p_account.account_id and c.broker_order_id = p_request.broker_order_id;
    return;
  end if;
  delete from orderlatch_data.order_checks as c
   where c.account_id = p_account.account_id and c.broker_order_id = p_request.broker_order_id;
  update orderlatch_data.broker_orders as b
     set status = 'vanished', is_open = false, status_at = null, changed_at = orderlatch_data.clock()
   where b.account_id = p_account.account_id and b.broker_order_id = p_request.broker_order_id and b.is_open
  returning b.* into v_order;
  if v_order.order_no is not null then
    perform orderlatch_data.open_incident(
      'order_vanished', p_account.account_id, v_order.decision_id, p_request.request_id,
      jsonb_build_object('broker_order_id', v_order.broker_order_id, 'symbol', v_order.symbol),
      v_order.broker_order_id
    );
    perform orderlatch_data.end_cancels(p_account.account_id);
  end if;
end
$$;
revoke all on function orderlatch_data.count_missing(
  orderlatch_data.accounts, orderlatch_data.broker_requests, orderlatch_data.order_checks
) from public;
comment on function orderlatch_data.count_missing(
  orderlatch_data.accounts, orderlatch_data.broker_requests, orderlatch_data.order_checks
) is
  'After two such answers, absence_spacing apart and with no other view of the order between them, marks an '
  'open order as vanished and opens order_vanished: the broker showed it and now says that it has none, as '
  'after a paper account was reset. Any later view of it counts again.';

-- Closes the incidents of orders that had vanished and are shown again.
-- Locks: none; the caller holds the account for answering. Raises: none.
create or replace function orderlatch_data.heal_vanished(p_account_id integer, p_broker_order_ids text[])
returns void
language sql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select orderlatch_data.heal_incident(i.incident, i.account_id, i.subject, 'the broker shows it again')
    from orderlatch_data.incidents as i
    join orderlatch_data.broker_orders as b
      on b.account_id = i.account_id and b.broker_order_id = i.subject and b.status <> 'vanished'
   where i.incident = 'order_vanished'
     and i.account_id = p_account_id
     and i.closed_at is null
     and i.subject = any (p_broker_order_ids)
$$;
revoke all on function orderlatch_data.heal_vanished(integer, text[]) from public;
comment on function orderlatch_data.heal_vanished(integer, text[]) is
  'Ends order_vanished for those of the given orders that the broker has shown since.';
