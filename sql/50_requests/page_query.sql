-- The kind of request that a read is made of, and its path.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.kind_of_read(p_purpose text)
returns table (kind text, path text)
language sql
immutable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select k.kind, k.path
    from (
      values
        ('proof', 'list_orders', '/v2/orders'),
        ('orders', 'list_orders', '/v2/orders'),
        ('open_orders', 'list_orders', '/v2/orders'),
        ('fills', 'list_fills', '/v2/account/activities/FILL'),
        ('positions', 'list_positions', '/v2/positions')
    ) as k(purpose, kind, path)
   where k.purpose = p_purpose
$$;
revoke all on function orderlatch_data.kind_of_read(text) from public;
comment on function orderlatch_data.kind_of_read(text) is
  'list_orders, list_fills or list_positions, with the path below the account''s base URL.';

-- The query of the next page of a read.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.page_query(p_read orderlatch_data.broker_reads)
returns jsonb
language sql
immutable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select case
    when p_read.purpose = 'positions' then null
    when p_read.purpose = 'fills' then jsonb_strip_nulls(
      jsonb_build_object(
        'direction', 'asc', 'page_size', '100',
        'after', orderlatch_data.canonical_time(p_read.after_at), 'page_token', p_read.page_token
      )
    )
    else jsonb_strip_nulls(
      jsonb_build_object(
        'status', case p_read.purpose when 'open_orders' then 'open' else 'all' end,
        'limit', '500', 'direction', 'asc',
        -- the list of open orders shows a leg whose parent has ended only by itself
        'nested', case p_read.purpose when 'orders' then 'true' else 'false' end,
        'symbols', p_read.symbol,
        -- a page full of orders of one moment is passed by id
        'after', case
          when p_read.page_token is null then orderlatch_data.canonical_time(p_read.after_at)
        end,
        'after_order_id', p_read.page_token
      )
    )
  end
$$;
revoke all on function orderlatch_data.page_query(orderlatch_data.broker_reads) from public;
comment on function orderlatch_data.page_query(orderlatch_data.broker_reads) is
  'Query of GET /v2/orders (pages of 500, oldest first), or of the account''s FILL activities (pages of '
  '100, by the id of the last one); null for positions, which come in one.';
