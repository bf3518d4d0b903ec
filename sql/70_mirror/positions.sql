-- Whether a document is a list of positions, each with a symbol and a quantity.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.is_position_list(p_document jsonb)
returns boolean
language sql
immutable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select case
    when jsonb_typeof(p_document) is distinct from 'array' then false
    else not exists (
      select 1
        from jsonb_array_elements(p_document) as e(document)
       where jsonb_typeof(e.document) is distinct from 'object'
          or coalesce(e.document ->> 'symbol', '') !~ '^[[:graph:]]{1,64}$'
          or orderlatch_data.read_decimal(e.document -> 'qty') is null
    )
  end
$$;
revoke all on function orderlatch_data.is_position_list(jsonb) from public;
comment on function orderlatch_data.is_position_list(jsonb) is
  'Whether a JSON array holds nothing but positions with symbol and qty. A list with anything else in it '
  'proves nothing.';

-- Draws the consequence of the broker's list of positions.
-- Locks: none; the caller holds the account for answering. Raises: none.
create or replace function orderlatch_data.apply_positions(
  p_account orderlatch_data.accounts,
  p_request orderlatch_data.broker_requests,
  p_meaning text,
  p_document jsonb
)
returns text
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
-- a page is planned for what is on it
set plan_cache_mode = auto
as $$
declare
  v_read orderlatch_data.broker_reads;
begin
  select r.* into v_read
    from orderlatch_data.broker_reads as r
   where r.read_id = p_request.read_id and r.request_id = p_request.request_id;
  if v_read.read_id is null then
    return 'stale';
  end if;
  if p_meaning <> 'positions_listed' then
    perform orderlatch_data.fail_page(p_account, v_read, p_request, p_document);
    return p_meaning;
  end if;
  update orderlatch_data.broker_reads as r set pages = 1 where r.read_id = v_read.read_id;
  perform orderlatch_data.save_broker_positions(p_account.account_id, p_document);
  perform orderlatch_data.finish_read(p_account, v_read);
  perform orderlatch_data.compare_positions(p_account, p_request.request_id);
  return p_meaning;
end
$$;
revoke all on function orderlatch_data.apply_positions(
  orderlatch_data.accounts, orderlatch_data.broker_requests, text, jsonb
) from public;
comment on function orderlatch_data.apply_positions(
  orderlatch_data.accounts, orderlatch_data.broker_requests, text, jsonb
) is
  'What list_positions'' answer does: it is kept in broker_positions and compared with position_sums. A '
  'list that is not the one on its way is out of date. Returns the meaning, or stale.';

-- Keeps the broker's positions; only what changed is written.
-- Locks: none; the caller holds the account for answering. Raises: none.
create or replace function orderlatch_data.save_broker_positions(p_account_id integer, p_document jsonb)
returns void
language sql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  with shown as materialized (
    select orderlatch_data.position_symbol(e.document ->> 'symbol') as symbol,
           sum(
             case e.document ->> 'side'
               when 'short' then -abs(orderlatch_data.read_decimal(e.document -> 'qty'))
               else orderlatch_data.read_decimal(e.document -> 'qty')
             end
           ) as qty,
           max(orderlatch_data.read_decimal(e.document -> 'avg_entry_price')) as avg_entry_price,
           max(orderlatch_data.read_decimal(e.document -> 'current_price')) as current_price
      from jsonb_array_elements(p_document) as e(document)
     group by 1
  ), gone as (
    delete from orderlatch_data.broker_positions as p
     where p.account_id = p_account_id and p.symbol not in (select s.symbol from shown as s)
  )
  insert into orderlatch_data.broker_positions as p
    (account_id, symbol, qty, avg_entry_price, seen_at, current_price, priced_at)
  select p_account_id, s.symbol, s.qty, s.avg_entry_price, orderlatch_data.clock(), s.current_price,
         case when s.current_price is not null then orderlatch_data.clock() end
    from shown as s
   order by s.symbol
  on conflict on constraint broker_positions_pkey do update
    set qty = excluded.qty,
        avg_entry_price = excluded.avg_entry_price,
        seen_at = case
          when (p.qty, p.avg_entry_price) is distinct from (excluded.qty, excluded.avg_entry_price)
            then excluded.seen_at
          else p.seen_at
        end,
        current_price = coalesce(excluded.current_price, p.current_price),
        priced_at = coalesce(excluded.priced_at, p.priced_at)
    where (p.qty, p.avg_entry_price, p.current_price)
          is distinct from
          (excluded.qty, excluded.avg_entry_price, coalesce(excluded.current_price, p.current_price))
$$;
revoke all on function orderlatch_data.save_broker_positions(integer, jsonb) from public;
comment on function orderlatch_data.save_broker_positions(integer, jsonb) is
  'Replaces the account''s broker_positions by a list: quantities of shorts are negative, whatever their '
  'sign in the list.';
