-- The kinds of calls that are due for an account, and how urgent each is.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.kinds_due(p_account_id integer, p_worker_id integer)
returns table (urgency integer, kind text)
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_now constant timestamptz := orderlatch_data.clock();
  v_verified boolean;
begin
  select w.verified_at is not null into v_verified
    from orderlatch_data.account_states as s
    join orderlatch_data.worker_accounts as w on w.worker_id = p_worker_id and w.account_id = s.account_id
   where s.account_id = p_account_id and coalesce(s.paused_until <= v_now, true);
  if not found then
    return;
  end if;
  -- small questions, most of them about tables with nothing in them: one statement that asked everything
  -- would be set up whole for every visit
  urgency := 0;
  kind := 'get_account';
  if not v_verified then
    return next;
    return;
  end if;
  urgency := 1;
  kind := 'cancel_order';
  if orderlatch_data.is_cancel_due(p_account_id, v_now) then
    return next;
  end if;
  urgency := 2;
  kind := 'find_order';
  if orderlatch_data.is_lookup_due(p_account_id, v_now) then
    return next;
  end if;
  -- as urgent as a lookup: a proof waits for it
  urgency := 3;
  kind := 'proof';
  if orderlatch_data.waits_for_proof(p_account_id) then
    return next;
  end if;
  urgency := 4;
  kind := 'submit_order';
  if orderlatch_data.has_approved(p_account_id) then
    return next;
  end if;
  urgency := 5;
  -- of single orders and lists neither starves, however few tokens there are
  for kind in
    select d.kind
      from (
        values
          ('get_order', orderlatch_data.orders_due_since(p_account_id, v_now)),
          ('standing reads', orderlatch_data.lists_due_since(p_account_id, v_now))
      ) as d(kind, since)
     where d.since is not null
     order by d.since
  loop
    return next;
  end loop;
end
$$;
revoke all on function orderlatch_data.kinds_due(integer, integer) from public;
comment on function orderlatch_data.kinds_due(integer, integer) is
  'Kinds that may have something to grant, the most urgent first: who am I, for a worker that is not '
  'verified; else cancels, lookups, pages of a proof, submits, single orders, standing reads. None while '
  'the account is paused; no proof while calls of another cluster may be unknown.';
