-- The kinds of calls that are due for accounts, and how urgent each is.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.kinds_due(p_account_ids integer[], p_worker_id integer)
returns table (account_id integer, urgency integer, kind text)
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_now constant timestamptz := orderlatch_data.clock();
begin
  return query
  select s.account_id, k.urgency, k.kind
    from orderlatch_data.account_states as s
    join orderlatch_data.worker_accounts as w on w.worker_id = p_worker_id and w.account_id = s.account_id
    join orderlatch_data.reads_due as r on r.account_id = s.account_id
   cross join lateral (
     values
       (0, 'get_account', w.verified_at is null),
       (1, 'cancel_order', exists (
         select 1
           from orderlatch_data.order_cancels as c
          where c.account_id = s.account_id
            and c.ended_at is null
            and c.next_try_at <= v_now
            and not orderlatch_data.is_on_its_way(c.request_id)
       ) or exists (
         -- what may have to be asked for first: see cancels_to_ask
         select 1
           from orderlatch_data.halts as h
          where h.lifted_at is null and h.cancel_open
            and (h.account_id is null or h.account_id = s.account_id)
       )),
       (2, 'find_order', exists (
         select 1
           from orderlatch_data.doubts as d
          where d.account_id = s.account_id and d.next_lookup_at <= v_now
         offset 0
       )),
       -- as urgent as a lookup: a proof waits for it
       (3, 'proof', exists (
         select 1
           from orderlatch_data.doubts as d
          where d.account_id = s.account_id and d.second_absent_at is not null
            and not orderlatch_data.calls_may_be_unknown(d.account_id)
         offset 0 -- by its key: else the planner may ask this of every account that there is
       )),
       (4, 'submit_order', orderlatch_data.has_approved(s.account_id)),
       (5, 'get_order', r.orders_since is not null),
       (5, 'standing reads', r.lists_since is not null)
   ) as k(urgency, kind, is_due)
   where s.account_id = any (p_account_ids)
     and coalesce(s.paused_until <= v_now, true)
     and k.is_due
     and (w.verified_at is not null or k.kind = 'get_account')
   -- of single orders and lists neither starves, however few tokens there are
   order by k.urgency, case k.kind when 'get_order' then r.orders_since else r.lists_since end;
end
$$;
revoke all on function orderlatch_data.kinds_due(integer[], integer) from public;
comment on function orderlatch_data.kinds_due(integer[], integer) is
  'Kinds that may have something to grant, the most urgent first: who am I, for a worker that is not '
  'verified; else cancels, lookups, pages of a proof, submits, single orders, standing reads. None while the '
  'account is paused; no proof while calls of another cluster may be unknown.';

-- Since when accounts have single orders and standing reads to read.
create or replace view orderlatch_data.reads_due as
  select s.account_id,
         (
           select min(c.next_try_at)
             from orderlatch_data.order_checks as c
            where c.account_id = s.account_id
              and c.next_try_at <= n.now_at
              and not orderlatch_data.is_on_its_way(c.request_id)
         ) as orders_since,
         least(
           (
             select min(r.next_page_at)
               from orderlatch_data.broker_reads as r
              where r.account_id = s.account_id
                and r.purpose <> 'proof'
                and r.request_id is null
                and r.next_page_at <= n.now_at
           ),
           (
             select min(w.due_at)
               from orderlatch_data.read_wishes as w
              where w.account_id = s.account_id and w.due_at <= n.now_at
           )
         ) as lists_since
    from orderlatch_data.account_states as s
   cross join (select orderlatch_data.clock() as now_at) as n;
revoke all on orderlatch_data.reads_due from public;
comment on view orderlatch_data.reads_due is
  'orders_since: an order that no list explains is to be read alone. lists_since: a page is to be asked '
  'for, or a read is wished for. Null where nothing is due; a pause or back-off is not looked at.';
