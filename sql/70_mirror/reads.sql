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
  select orderlatch_data.heal_incident(
           'read_stuck', p_account.account_id, p_read.purpose, 'it was read to its end'
         );
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
