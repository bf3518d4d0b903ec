-- When the first page of orders that was asked for since a moment was recorded.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.first_read_since(p_account_id integer, p_since timestamptz)
returns timestamptz
language sql
stable
parallel safe
security definer
set search_path = pg_catalog, pg_temp
as $$
  -- the pages of an account follow each other; of a lost one the answer may come after that of the next
  select coalesce(min(f.recorded_at), 'infinity')
    from (
      select r.recorded_at
        from orderlatch_data.all_requests as p
       cross join lateral (
         select s.recorded_at
           from orderlatch_data.all_responses as s
          where s.request_id = p.request_id and s.meaning = 'orders_listed'
         offset 0
       ) as r
       where p.account_id = p_account_id
         and p.claimed_at >= p_since
         and p.kind = 'list_orders'
         and exists (
           select 1
             from orderlatch_data.broker_reads as b
            where b.read_id = p.read_id and b.purpose = 'orders'
           offset 0
         )
       order by p.claimed_at
       limit 5
    ) as f
$$;
revoke all on function orderlatch_data.first_read_since(integer, timestamptz) from public;
grant execute on function orderlatch_data.first_read_since(integer, timestamptz) to
  orderlatch_operator, orderlatch_auditor;
comment on function orderlatch_data.first_read_since(integer, timestamptz) is
  'infinity: none was yet. With the rights of the owner, as the view invariants calls it for its readers.';
