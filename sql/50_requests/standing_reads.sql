-- Begins the standing reads of an account that are due, each from where it has to begin.
-- Locks: none; the caller holds the account for granting. Raises: none.
create or replace function orderlatch_data.begin_standing_reads(p_account orderlatch_data.accounts)
returns void
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_now constant timestamptz := orderlatch_data.clock();
  v_due record;
begin
  -- a loop, because each takes the wishes that are served by it, and only those
  for v_due in
    -- a time of the broker that lies ahead of its clock would hide all that comes after: covered_at is ours
    select r.read_id, r.purpose,
           case
             when r.cursor_at is null then '-infinity'
             else least(r.cursor_at, r.covered_at) - p_account.reconcile_overlap
           end as known_to
      from orderlatch_data.broker_reads as r
     where r.account_id = p_account.account_id
       and r.purpose <> 'proof'
       and r.began_at is null
       and (
         r.next_page_at <= v_now
         or exists (
           select 1
             from orderlatch_data.read_wishes as w
            where w.account_id = r.account_id and w.purpose = r.purpose and w.due_at <= v_now
         )
       )
       and orderlatch_data.read_may_begin(r)
     order by r.read_id
       for update of r skip locked
  loop
    with served as (
      delete from orderlatch_data.read_wishes as w
       where w.account_id = p_account.account_id and w.purpose = v_due.purpose and w.due_at <= v_now
      returning w.reason, w.from_at, w.wish_id
    ), wished as (
      select min(s.from_at) as from_at, (array_agg(s.reason order by s.wish_id))[1] as reason from served as s
    ), start as (
      select greatest(
               least(v_due.known_to, w.from_at),
               coalesce(p_account.reconcile_from, p_account.created_at)
             ) as from_at,
             coalesce(w.reason, 'cadence') as reason
        from wished as w
    )
    update orderlatch_data.broker_reads as r
       set began_at = v_now,
           from_at = case when v_due.purpose in ('orders', 'fills') then s.from_at end,
           after_at = case when v_due.purpose in ('orders', 'fills') then s.from_at end,
           newest_at = null, page_token = null, pages = 0, next_page_at = v_now, reason = s.reason
      from start as s
     where r.read_id = v_due.read_id;
  end loop;
end
$$;
revoke all on function orderlatch_data.begin_standing_reads(orderlatch_data.accounts) from public;
comment on function orderlatch_data.begin_standing_reads(orderlatch_data.accounts) is
  'Begins each standing read that is not under way and is due, or wished for: orders and fills from '
  'reconcile_overlap before the newest that was read, or from earlier where a wish says so, but never '
  'before reconcile_from. The wishes that it serves are removed; one that comes later begins another read.';

-- Whether a standing read may begin: fills and positions make no sense before the orders are known.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.read_may_begin(p_read orderlatch_data.broker_reads)
returns boolean
language sql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select case p_read.purpose
    when 'orders' then true
    when 'positions' then exists (
      select 1
        from orderlatch_data.broker_reads as r
       where r.account_id = p_read.account_id and r.purpose = 'fills' and r.covered_at is not null
    )
    else exists (
      select 1
        from orderlatch_data.broker_reads as r
       where r.account_id = p_read.account_id and r.purpose = 'orders' and r.covered_at is not null
    )
  end
$$;
revoke all on function orderlatch_data.read_may_begin(orderlatch_data.broker_reads) from public;
comment on function orderlatch_data.read_may_begin(orderlatch_data.broker_reads) is
  'Orders are read first, then fills and open orders, then positions; once each was complete, all of them '
  'at their own times.';

-- Grants the next page of each standing read that is under way and has none on its way.
-- Locks: none; the caller holds the account for granting. Raises: none.
create or replace function orderlatch_data.grant_standing_reads(
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
  v_now timestamptz;
begin
  perform orderlatch_data.begin_standing_reads(p_account);
  v_now := orderlatch_data.clock();  -- what has just begun is due
  return query
  with due as materialized (
    select r.read_id, k.kind, k.path, orderlatch_data.new_request_id() as request_id,
           orderlatch_data.page_query(r) as query
      from orderlatch_data.broker_reads as r
     cross join lateral orderlatch_data.kind_of_read(r.purpose) as k
     where r.account_id = p_account.account_id
       and r.purpose <> 'proof'
       and r.began_at is not null
       and r.request_id is null
       and r.next_page_at <= v_now
       and not orderlatch_data.is_backing_off(p_account.account_id, k.kind, v_now)
     order by r.read_id
     limit p_how_many
       for update of r skip locked
  ), held as (
    update orderlatch_data.broker_reads as r
       set request_id = d.request_id
      from due as d
     where r.read_id = d.read_id
  )
  select g.*
    from orderlatch_data.grant_requests(p_worker_id, array(
           select (
                    p_account.account_id, d.kind, d.request_id, null, d.read_id, null, null, d.path, d.query,
                    null, null
                  )::orderlatch_data.wanted_call
             from due as d
         )) as r
   cross join unnest(r.granted) as g;
end
$$;
revoke all on function orderlatch_data.grant_standing_reads(orderlatch_data.accounts, integer, integer)
  from public;
comment on function orderlatch_data.grant_standing_reads(orderlatch_data.accounts, integer, integer) is
  'Begins what is due, and grants list_orders, list_fills and list_positions: one page at a time for each '
  'read, by whichever worker, so that no account is read twice at once.';
