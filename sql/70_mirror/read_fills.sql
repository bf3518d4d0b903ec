-- Whether a document is a list of the account's activities, each with an id and a type.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.is_fill_list(p_document jsonb)
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
          or coalesce(length(e.document ->> 'id'), 0) not between 1 and 128
          or e.document ->> 'id' ~ '[^[:graph:]]'
          or jsonb_typeof(e.document -> 'type') is distinct from 'string'
          or orderlatch_data.read_broker_time(e.document -> 'transaction_time') is null
    )
  end
$$;
revoke all on function orderlatch_data.is_fill_list(jsonb) from public;
comment on function orderlatch_data.is_fill_list(jsonb) is
  'Whether a JSON array holds nothing but activities with id, type and transaction_time. A list with '
  'anything else in it proves nothing.';

-- Reads the broker's FILL activities as columns; what is no trade, or not whole, has no row.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.read_fills(p_documents jsonb)
returns setof orderlatch_data.shown_fill
language sql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select f.activity_id, split_part(f.activity_id, '::', 2), f.broker_order_id, f.order_symbol,
         orderlatch_data.position_symbol(f.order_symbol), f.sign, f.qty, f.price, f.activity,
         case when f.activity in ('trade_bust', 'trade_correct') then f.amends end, f.filled_at
    from (
      select distinct on (e.document ->> 'id')
             e.document ->> 'id' as activity_id,
             left(e.document ->> 'order_id', 128) as broker_order_id,
             left(upper(e.document ->> 'symbol'), 64) as order_symbol,
             case e.document ->> 'side'
               when 'buy' then 1
               when 'sell' then -1
               when 'sell_short' then -1
             end as sign,
             abs(orderlatch_data.read_decimal(e.document -> 'qty')) as qty,
             orderlatch_data.read_decimal(e.document -> 'price') as price,
             e.document ->> 'type' as activity,
             left(e.document ->> 'previous_execution_id', 128) as amends,
             orderlatch_data.read_broker_time(e.document -> 'transaction_time') as filled_at
        from jsonb_array_elements(p_documents) with ordinality as e(document, place)
       order by e.document ->> 'id', e.place
    ) as f
   where f.activity in ('fill', 'partial_fill', 'trade_bust', 'trade_correct')
     and f.broker_order_id <> '' and f.order_symbol <> '' and f.sign is not null
     and f.qty > 0 and f.price is not null
     -- what a correction does not name it cannot take off
     and (f.activity <> 'trade_correct' or f.amends <> '')
$$;
revoke all on function orderlatch_data.read_fills(jsonb) from public;
comment on function orderlatch_data.read_fills(jsonb) is
  'The trades, busts and corrections in a JSON array of activities, once for each id. sign: 1 a buy, -1 a '
  'sale. qty: shares, coins or contracts. price: dollars. amends: execution id of the fill that a bust or '
  'correction is about; a correction without it has no row.';
