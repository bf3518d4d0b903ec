-- Whether an order of an account is to be cancelled, or one may have to be asked for first.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.is_cancel_due(p_account_id integer, p_now timestamptz)
returns boolean
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return exists (
      select 1
        from orderlatch_data.order_cancels as c
       where c.account_id = p_account_id
         and c.ended_at is null
         and c.next_try_at <= p_now
         and not orderlatch_data.is_on_its_way(c.request_id)
    )
    or exists (
      -- what may have to be asked for first: see cancels_to_ask
      select 1
        from orderlatch_data.halts as h
       where h.lifted_at is null and h.cancel_open and (h.account_id is null or h.account_id = p_account_id)
    );
end
$$;
revoke all on function orderlatch_data.is_cancel_due(integer, timestamptz) from public;
comment on function orderlatch_data.is_cancel_due(integer, timestamptz) is
  'True also under every halt that cancels open orders.';

-- Whether an order in doubt is to be looked up.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.is_lookup_due(p_account_id integer, p_now timestamptz)
returns boolean
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return exists (
    select 1
      from orderlatch_data.doubts as d
     where d.account_id = p_account_id and d.next_lookup_at <= p_now
  );
end
$$;
revoke all on function orderlatch_data.is_lookup_due(integer, timestamptz) from public;
comment on function orderlatch_data.is_lookup_due(integer, timestamptz) is
  'A back-off of lookups is not looked at.';

-- Whether a proof of absence waits for pages of orders that may be asked for.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.waits_for_proof(p_account_id integer)
returns boolean
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return exists (
      select 1
        from orderlatch_data.doubts as d
       where d.account_id = p_account_id and d.second_absent_at is not null
    )
    and not orderlatch_data.calls_may_be_unknown(p_account_id);
end
$$;
revoke all on function orderlatch_data.waits_for_proof(integer) from public;
comment on function orderlatch_data.waits_for_proof(integer) is
  'False while calls of another cluster may be unknown.';

-- Since when single orders of an account are to be read.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.orders_due_since(p_account_id integer, p_now timestamptz)
returns timestamptz
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    select min(c.next_try_at)
      from orderlatch_data.order_checks as c
     where c.account_id = p_account_id
       and c.next_try_at <= p_now
       and not orderlatch_data.is_on_its_way(c.request_id)
  );
end
$$;
revoke all on function orderlatch_data.orders_due_since(integer, timestamptz) from public;
comment on function orderlatch_data.orders_due_since(integer, timestamptz) is
  'Of orders that no list explains. Null where none is due.';

-- Since when a page of a standing read is to be asked for, or such a read is wished for.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.lists_due_since(p_account_id integer, p_now timestamptz)
returns timestamptz
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return least(
    (
      select min(r.next_page_at)
        from orderlatch_data.broker_reads as r
       where r.account_id = p_account_id
         and r.purpose <> 'proof'
         and r.request_id is null
         and r.next_page_at <= p_now
    ),
    (
      select min(w.due_at)
        from orderlatch_data.read_wishes as w
       where w.account_id = p_account_id and w.due_at <= p_now
    )
  );
end
$$;
revoke all on function orderlatch_data.lists_due_since(integer, timestamptz) from public;
comment on function orderlatch_data.lists_due_since(integer, timestamptz) is
  'Null where none is due; a pause or back-off is not looked at.';

-- Whether anything of an account could go once one of its decisions has settled.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.waits_for_room(p_account_id integer)
returns boolean
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return orderlatch_data.has_approved(p_account_id)
    -- an order that has become known is to be cancelled
    or orderlatch_data.is_cancel_due(p_account_id, orderlatch_data.clock());
end
$$;
revoke all on function orderlatch_data.waits_for_room(integer) from public;
comment on function orderlatch_data.waits_for_room(integer) is
  'An approved decision waits for its symbol, or for the room of max_in_doubt; under a halt that cancels an '
  'order waits for its cancel. What is approved, or wished for, afterwards makes the account due by itself.';
