-- Books trades that are not booked yet, with what busts and corrections take off, and keeps the sums.
-- Locks: none; the caller holds the account for answering. Raises: none.
create or replace function orderlatch_data.take_fills(
  p_account_id integer,
  p_shown orderlatch_data.shown_fill[],
  p_request_id uuid
)
returns bigint
language sql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select orderlatch_data.meet_orders_of_fills(p_account_id, p_shown);
  with booked as materialized (
    select array_agg(f) as rows
      from orderlatch_data.insert_fills(p_account_id, p_shown, p_request_id) as f
  ), reversed as materialized (
    select orderlatch_data.reverse_corrected(p_account_id, b.rows, p_request_id) as rows
      from booked as b
  )
  select coalesce(
           orderlatch_data.sum_up_fills(p_account_id, b.rows || r.rows),
           0
         )
    from booked as b
   cross join reversed as r
$$;
revoke all on function orderlatch_data.take_fills(integer, orderlatch_data.shown_fill[], uuid) from public;
comment on function orderlatch_data.take_fills(integer, orderlatch_data.shown_fill[], uuid) is
  'Books FILL activities, each once, whenever they arrive and in whatever order: trades as fills, busts as '
  'reversals, corrections as a fill and the reversal of the one they correct. Returns how many rows were '
  'booked.';

-- Inserts the trades and busts of a list that are not booked yet.
-- Locks: none; the caller holds the account for answering. Raises: none.
create or replace function orderlatch_data.insert_fills(
  p_account_id integer,
  p_shown orderlatch_data.shown_fill[],
  p_request_id uuid
)
returns setof orderlatch_data.fills
language sql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  insert into orderlatch_data.fills as f (
    account_id, activity_id, entry, order_no, symbol, qty, price, activity, filled_at, amends, recorded_at,
    request_id
  )
  select p_account_id, d.activity_id, e.entry, b.order_no, d.symbol, d.sign * e.sign * d.qty, d.price,
         d.activity, d.filled_at, d.amends, orderlatch_data.clock(), p_request_id
    from unnest(p_shown) as d
   cross join lateral (
     select k.order_no
       from orderlatch_data.broker_orders as k
      where k.account_id = p_account_id and k.broker_order_id = d.broker_order_id
     offset 0
   ) as b
   -- a bust says itself what it takes off; what a correction takes off only the corrected fill knows
   cross join lateral (
     select case d.activity when 'trade_bust' then 'reversal' else 'fill' end,
            case d.activity when 'trade_bust' then -1 else 1 end
   ) as e(entry, sign)
   order by d.filled_at, d.activity_id
  on conflict on constraint fills_pkey do nothing
  returning f.*
$$;
revoke all on function orderlatch_data.insert_fills(integer, orderlatch_data.shown_fill[], uuid) from public;
comment on function orderlatch_data.insert_fills(integer, orderlatch_data.shown_fill[], uuid) is
  'Returns the rows of fills that it inserted, reversals of corrections not among them.';

-- Takes off the fills that corrections are about, whichever of the two came first.
-- Locks: none; the caller holds the account for answering. Raises: none.
create or replace function orderlatch_data.reverse_corrected(
  p_account_id integer,
  p_booked orderlatch_data.fills[],
  p_request_id uuid
)
returns orderlatch_data.fills[]
language sql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  with corrections as (
    select n.order_no, c.activity_id, c.amends, c.filled_at
      from (select distinct b.order_no from unnest(p_booked) as b) as n
     cross join lateral (
       select f.activity_id, f.amends, f.filled_at
         from orderlatch_data.fills as f
        where f.order_no = n.order_no and f.activity = 'trade_correct' and f.entry = 'fill'
       offset 0
     ) as c
  ), reversed as (
    insert into orderlatch_data.fills as f (
      account_id, activity_id, entry, order_no, symbol, qty, price, activity, filled_at, amends, recorded_at,
      request_id
    )
    select p_account_id, c.activity_id, 'reversal', o.order_no, o.symbol, -o.qty, o.price, 'trade_correct',
           c.filled_at, c.amends, orderlatch_data.clock(), p_request_id
      from corrections as c
     cross join lateral (
       select f.order_no, f.symbol, f.qty, f.price
         from orderlatch_data.fills as f
        where f.order_no = c.order_no
          and f.entry = 'fill'
          and split_part(f.activity_id, '::', 2) = c.amends
       offset 0
     ) as o
    on conflict on constraint fills_pkey do nothing
    returning f.*
  )
  select coalesce(array_agg(row(r.*)::orderlatch_data.fills), '{}') from reversed as r
$$;
revoke all on function orderlatch_data.reverse_corrected(integer, orderlatch_data.fills[], uuid) from public;
comment on function orderlatch_data.reverse_corrected(integer, orderlatch_data.fills[], uuid) is
  'Books the reversals that the corrections of the same orders want and that can be booked now. p_booked: '
  'fills that were just booked. Returns the reversals.';

-- Brings the sums of orders and positions up to date with fills that were just booked.
-- Locks: none; the caller holds the account for answering. Raises: none.
create or replace function orderlatch_data.sum_up_fills(
  p_account_id integer,
  p_booked orderlatch_data.fills[]
)
returns bigint
language sql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  with sums as (
    -- a sale fills the order too: its own sign is taken out
    select k.order_no, sum(case when k.entry = 'fill' then abs(k.qty) else -abs(k.qty) end) as qty,
           sum(case when k.entry = 'fill' then abs(k.qty) else -abs(k.qty) end * k.price) as value,
           bool_or(k.entry = 'reversal') as reversed
      from unnest(p_booked) as k
     group by k.order_no
  ), orders as (
    update orderlatch_data.broker_orders as b
       set fills_qty = b.fills_qty + s.qty,
           fills_value = b.fills_value + s.value,
           has_reversals = b.has_reversals or s.reversed,
           filled_qty = case
             -- a bust may come before the trade that it takes off
             when b.has_reversals or s.reversed then greatest(b.fills_qty + s.qty, 0)
             else b.filled_qty
           end,
           filled_avg_price = case
             when b.has_reversals or s.reversed
               then orderlatch_data.average_price(b.fills_value + s.value, b.fills_qty + s.qty)
             else b.filled_avg_price
           end,
           filled_as_of = case when b.has_reversals or s.reversed then null else b.filled_as_of end,
           changed_at = orderlatch_data.clock()
      from sums as s
     where b.order_no = any (array(select k.order_no from sums as k)) and b.order_no = s.order_no
  )
  insert into orderlatch_data.position_sums as p
    (account_id, symbol, qty, bought, sold, last_fill_at)
  select p_account_id, k.symbol, sum(k.qty),
         coalesce(sum(case when k.entry = 'fill' then k.qty else -abs(k.qty) end)
                    filter (where (k.qty > 0) = (k.entry = 'fill')), 0),
         coalesce(sum(case when k.entry = 'fill' then abs(k.qty) else -abs(k.qty) end)
                    filter (where (k.qty < 0) = (k.entry = 'fill')), 0),
         max(k.filled_at)
    from unnest(p_booked) as k
   group by k.symbol
   order by k.symbol
  on conflict on constraint position_sums_pkey do update
    set qty = p.qty + excluded.qty,
        bought = p.bought + excluded.bought,
        sold = p.sold + excluded.sold,
        last_fill_at = greatest(p.last_fill_at, excluded.last_fill_at);
  select cardinality(p_booked)::bigint
$$;
revoke all on function orderlatch_data.sum_up_fills(integer, orderlatch_data.fills[]) from public;
comment on function orderlatch_data.sum_up_fills(integer, orderlatch_data.fills[]) is
  'Adds booked fills to their orders and to position_sums, and returns how many there are. From the first '
  'bust or correction on, filled_qty and filled_avg_price of an order are what its fills add up to.';
