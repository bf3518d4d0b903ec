-- Takes what a trade update says of its order.
-- Locks: account (judging where the decision is lost, answering), decision. Raises: OL201, OL202.
create or replace function orderlatch_data.apply_trade_update(
  p_account orderlatch_data.accounts,
  p_data jsonb
)
returns text
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_order constant jsonb := p_data -> 'order';
  v_key record;
begin
  select k.lock_key, k.is_lost into v_key
    from orderlatch_data.keys_of_orders(p_account.account_id, jsonb_build_array(v_order)) as k;
  if v_key.is_lost then
    -- it may be of a decision that is being proposed at this moment
    perform orderlatch_data.lock_account('judging', p_account.account_id);
  end if;
  perform orderlatch_data.lock_account('answering', p_account.account_id);
  perform orderlatch_data.lock_decisions(array[v_key.lock_key]);

  perform orderlatch_data.take_orders(p_account.account_id, jsonb_build_array(v_order), null, true);
  case
    when p_data ->> 'event' in ('fill', 'partial_fill') then
      perform orderlatch_data.wish_fills_soon(p_account.account_id);
    when p_data ->> 'event' in ('trade_bust', 'trade_correct') then
      -- the activity may bear the time of the trade that it takes back
      perform orderlatch_data.wish_reads(
        p_account.account_id, '{fills}', 'the stream told of a ' || (p_data ->> 'event'),
        orderlatch_data.read_broker_time(v_order -> 'submitted_at') - interval '1 minute'
      );
    else
      null;
  end case;
  perform pg_notify('orderlatch', p_account.account);
  return 'order_updated';
end
$$;
revoke all on function orderlatch_data.apply_trade_update(orderlatch_data.accounts, jsonb) from public;
comment on function orderlatch_data.apply_trade_update(orderlatch_data.accounts, jsonb) is
  'Records the order in a trade update; an event about a trade makes list_fills due, and one that takes a '
  'trade back from before the order was submitted.';

-- Has fills read soon, and at most every two seconds however many the stream tells of.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.wish_fills_soon(p_account_id integer)
returns void
language sql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select orderlatch_data.wish_reads(
           p_account_id, '{fills}', 'the stream told of a fill', null,
           greatest(
             '0', greatest(r.began_at, r.covered_at) + interval '2 seconds' - orderlatch_data.clock()
           )
         )
    from orderlatch_data.broker_reads as r
   where r.account_id = p_account_id and r.purpose = 'fills'
$$;
revoke all on function orderlatch_data.wish_fills_soon(integer) from public;
comment on function orderlatch_data.wish_fills_soon(integer) is
  'Wishes a read of fills for now, or for two seconds after the last one began: a busy minute must not '
  'spend the calls that submits need.';
