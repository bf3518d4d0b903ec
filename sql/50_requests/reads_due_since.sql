-- Since when a standing read of an account has a page to ask for, or is wished for.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.reads_due_since(p_account_id integer)
returns timestamptz
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_now constant timestamptz := orderlatch_data.clock();
begin
  return least(
    (
      select min(r.next_page_at)
        from orderlatch_data.broker_reads as r
       where r.account_id = p_account_id
         and r.purpose <> 'proof'
         and r.request_id is null
         and r.next_page_at <= v_now
    ),
    (
      select min(w.due_at)
        from orderlatch_data.read_wishes as w
       where w.account_id = p_account_id and w.due_at <= v_now
    )
  );
end
$$;
revoke all on function orderlatch_data.reads_due_since(integer) from public;
comment on function orderlatch_data.reads_due_since(integer) is
  'Since when a standing read of the account is due, or a read is wished for; null: none is.';

-- Whether an account may not submit yet, because its orders at the broker must be read first.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.is_unreconciled(p_account_id integer)
returns boolean
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return exists (
    select 1 from orderlatch_data.reconcile_waits as w where w.account_id = p_account_id
  );
end
$$;
revoke all on function orderlatch_data.is_unreconciled(integer) from public;
comment on function orderlatch_data.is_unreconciled(integer) is
  'Whether a complete read of orders is still to come since the account was created, the server restarted, '
  'or the cluster changed, and no operator has signed it off.';
