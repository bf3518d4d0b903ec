-- The kinds of calls that are due for an account, and how urgent each is.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.kinds_due(p_account_id integer, p_worker_id integer)
returns table (urgency integer, kind text)
language sql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select k.urgency, k.kind
    from (select orderlatch_data.clock() as now_at) as n
    join orderlatch_data.account_states as s
      on s.account_id = p_account_id and coalesce(s.paused_until <= n.now_at, true)
    join orderlatch_data.worker_accounts as w on w.worker_id = p_worker_id and w.account_id = p_account_id
   cross join lateral (
     select min(c.next_try_at) as due_since
       from orderlatch_data.order_checks as c
      where c.account_id = p_account_id
        and c.next_try_at <= n.now_at
        and not orderlatch_data.is_on_its_way(c.request_id)
   ) as c
   cross join lateral (select orderlatch_data.reads_due_since(p_account_id) as due_since) as r
   cross join lateral (
     values
       (0, 'get_account', w.verified_at is null),
       (1, 'cancel_order', exists (
         select 1
           from orderlatch_data.order_cancels as c
          where c.account_id = p_account_id
            and c.ended_at is null
            and c.next_try_at <= n.now_at
            and not orderlatch_data.is_on_its_way(c.request_id)
       ) or exists (
         -- what may have to be asked for first: see cancels_to_ask
         select 1
           from orderlatch_data.halts as h
          where h.lifted_at is null and h.cancel_open
            and (h.account_id is null or h.account_id = p_account_id)
       )),
       (2, 'find_order', exists (
         select 1
           from orderlatch_data.doubts as d
          where d.account_id = p_account_id and d.next_lookup_at <= n.now_at
       )),
       -- as urgent as a lookup: a proof waits for it
       (3, 'proof', exists (
         select 1
           from orderlatch_data.doubts as d
          where d.account_id = p_account_id and d.second_absent_at is not null
            and not orderlatch_data.calls_may_be_unknown(d.account_id)
       )),
       (4, 'submit_order', orderlatch_data.has_approved(p_account_id)),
       (5, 'get_order', c.due_since is not null),
       (5, 'standing reads', r.due_since is not null)
   ) as k(urgency, kind, is_due)
   where k.is_due and (w.verified_at is not null or k.kind = 'get_account')
   -- of single orders and lists neither starves, however few tokens there are
   order by k.urgency, case k.kind when 'get_order' then c.due_since else r.due_since end
$$;
revoke all on function orderlatch_data.kinds_due(integer, integer) from public;
comment on function orderlatch_data.kinds_due(integer, integer) is
  'Kinds that may have something to grant, the most urgent first: who am I, for a worker that is not '
  'verified; else cancels, lookups, pages of a proof, submits, single orders, standing reads. None while the '
  'account is paused; no proof while calls of another cluster may be unknown.';
