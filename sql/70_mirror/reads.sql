-- Wishes standing reads of an account to begin before their time.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.wish_reads(
  p_account_id integer,
  p_purposes text[],
  p_reason text,
  p_from_at timestamptz default null,
  p_wait interval default '0'
)
returns void
language sql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  insert into orderlatch_data.read_wishes (account_id, purpose, reason, from_at, due_at)
  select p_account_id, p.purpose, p_reason, p_from_at, orderlatch_data.clock() + p_wait
    from unnest(p_purposes) as p(purpose)
   where not exists (
     -- one that is due as soon, from as early, is served by the same read
     select 1
       from orderlatch_data.read_wishes as w
      where w.account_id = p_account_id
        and w.purpose = p.purpose
        and coalesce(w.from_at, 'infinity') <= coalesce(p_from_at, 'infinity')
        and w.due_at <= orderlatch_data.clock() + p_wait
   )
$$;
revoke all on function orderlatch_data.wish_reads(integer, text[], text, timestamptz, interval) from public;
comment on function orderlatch_data.wish_reads(integer, text[], text, timestamptz, interval) is
  'Makes standing reads due: those under way now do not count, another one begins after them. p_purposes: '
  'orders, open_orders, fills, positions. p_reason: why, for people. p_from_at: broker''s time from which '
  'they must begin; null: where they would. p_wait: not before.';

-- Ends a standing read that is complete, and says when it is due again.
-- Locks: none; the caller holds the account for answering. Raises: none.
create or replace function orderlatch_data.finish_read(
  p_account orderlatch_data.accounts,
  p_read orderlatch_data.broker_reads
)
returns void
language sql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  update orderlatch_data.broker_reads as r
     set covered_at = p_read.began_at,
         cursor_at = greatest(r.cursor_at, r.newest_at),
         began_at = null,
         request_id = null,
         page_token = null,
         failures = 0,
         completed_at = orderlatch_data.clock(),
         next_page_at = p_read.began_at
           + case r.purpose when 'positions' then p_account.positions_every else p_account.reconcile_every end
   where r.read_id = p_read.read_id
$$;
revoke all on function orderlatch_data.finish_read(orderlatch_data.accounts, orderlatch_data.broker_reads)
  from public;
comment on function orderlatch_data.finish_read(orderlatch_data.accounts, orderlatch_data.broker_reads) is
  'Moves the cursor to the newest that was read. What the broker showed when the read began is covered now.';

-- Ends a complete read of orders: judges what belongs to nobody, and lets the account submit.
-- Locks: none; the caller holds the account for answering. Raises: none.
create or replace function orderlatch_data.finish_orders(
  p_account orderlatch_data.accounts,
  p_read orderlatch_data.broker_reads
)
returns void
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  perform orderlatch_data.finish_read(p_account, p_read);
  perform orderlatch_data.judge_foreign_orders(p_account, p_read);
  perform pg_notify('orderlatch', p_account.account);
end
$$;
revoke all on function orderlatch_data.finish_orders(orderlatch_data.accounts, orderlatch_data.broker_reads)
  from public;
comment on function orderlatch_data.finish_orders(orderlatch_data.accounts, orderlatch_data.broker_reads) is
  'What the last page of a standing read of orders does.';

-- Ends a complete read of open orders: those of ours that it did not show have ended, and are read again.
-- Locks: none; the caller holds the account for answering. Raises: none.
create or replace function orderlatch_data.finish_open_orders(
  p_account orderlatch_data.accounts,
  p_read orderlatch_data.broker_reads
)
returns void
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_gone text[];
  v_oldest_at timestamptz;
  v_pages bigint;
begin
  perform orderlatch_data.finish_read(p_account, p_read);
  select array_agg(b.broker_order_id order by b.order_no), min(b.submitted_at) into v_gone, v_oldest_at
    from orderlatch_data.broker_orders as b
   where b.account_id = p_account.account_id
     and b.is_open
     -- what changed since the read began may be newer than what it showed
     and b.changed_at < p_read.began_at
     and not exists (
       select 1
         from orderlatch_data.read_sightings as s
        where s.read_id = p_read.read_id and s.order_no = b.order_no
     );
  delete from orderlatch_data.read_sightings as s where s.read_id = p_read.read_id;
  if v_gone is null then
    return;
  end if;

  -- a day's orders end together: then one list from the oldest on is cheaper than a call for each
  select count(*) / 500 + 1 into v_pages
    from orderlatch_data.broker_orders as b
   where b.account_id = p_account.account_id and b.submitted_at >= v_oldest_at;
  if v_pages < cardinality(v_gone)
    and v_oldest_at >= coalesce(p_account.reconcile_from, p_account.created_at)
  then
    perform orderlatch_data.wish_reads(
      p_account.account_id, '{orders}', 'orders have ended', v_oldest_at - interval '1 microsecond'
    );
    -- those that the list does not show either are read one by one
    perform orderlatch_data.check_order(
      p_account.account_id, g.broker_order_id, 'open here, not open there', p_account.reconcile_every
    )
       from unnest(v_gone) as g(broker_order_id);
  else
    perform orderlatch_data.check_order(
      p_account.account_id, g.broker_order_id, 'open here, not open there'
    )
       from unnest(v_gone) as g(broker_order_id);
  end if;
end
$$;
revoke all on function orderlatch_data.finish_open_orders(
  orderlatch_data.accounts, orderlatch_data.broker_reads
) from public;
comment on function orderlatch_data.finish_open_orders(
  orderlatch_data.accounts, orderlatch_data.broker_reads
) is
  'What the last page of a standing read of open orders does: an order that is open here and was not shown '
  'has ended since. It is read again, by one list from the oldest such order on where that takes fewer '
  'calls, else by itself.';

-- Has an account reconciled now, or from an earlier moment.
-- Locks: none. Raises: OL102, OL131, OL301.
create or replace function orderlatch.reconcile_account(
  p_account text,
  p_reason text,
  p_from_at timestamptz default null
)
returns void
language plpgsql
volatile
parallel unsafe
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_account constant orderlatch_data.accounts := orderlatch_data.find_account(p_account);
begin
  perform orderlatch_data.require_text('p_reason', p_reason, 500);
  perform orderlatch_data.require_right('reconciling this account', v_account.account_id, null);
  if p_from_at < coalesce(v_account.reconcile_from, v_account.created_at) then
    raise exception using
      errcode = 'OL131',
      message = 'argument_invalid: p_from_at lies before the account''s reconcile_from',
      hint = 'Set reconcile_from earlier with update_account first.';
  end if;
  perform orderlatch_data.wish_reads(v_account.account_id, '{orders,fills}', p_reason, p_from_at);
  perform orderlatch_data.wish_reads(v_account.account_id, '{open_orders,positions}', p_reason);
  perform pg_notify('orderlatch', v_account.account);
end
$$;
revoke all on function orderlatch.reconcile_account(text, text, timestamptz) from public;
grant execute on function orderlatch.reconcile_account(text, text, timestamptz) to orderlatch_operator;
comment on function orderlatch.reconcile_account(text, text, timestamptz) is
  'Makes every read of the account due now: orders, open orders, fills, positions. p_reason: why, 1 to 500 '
  'characters. p_from_at: orders and fills from that moment on; null: from where the last read ended. '
  'Raises OL102 account_unknown, OL131 argument_invalid, OL301 login_not_bound.';
