-- The newest price of a symbol: by when it was made, not by when it was told; a trade that was taken back made none.
begin;
select plan(8);

select test_support.hold_clock('2026-03-02 16:00:00Z');
select test.given_account();
create function pg_temp.price()
returns numeric
language sql
as $$ select orderlatch_data.last_price(test.account_id(), 'GOOG') $$;
create function pg_temp.listed(p_price text)
returns void
language sql
as $$
  select orderlatch_data.save_broker_positions(
           test.account_id(), jsonb_build_array(test.a_position('GOOG', '10', jsonb_build_object('current_price', p_price)))
         )
$$;
create function pg_temp.traded(p_execution_id text, p_at timestamptz, p_price text, p_members jsonb default '{}')
returns bigint
language sql
as $$
  select test.take_fills(
           jsonb_build_array(
             test.a_fill(
               'o-1', p_execution_id,
               jsonb_build_object(
                 'id', orderlatch_data.canonical_time(p_at) || '::' || p_execution_id,
                 'transaction_time', orderlatch_data.canonical_time(p_at), 'price', p_price
               ) || p_members
             )
           )
         )
$$;
select is(pg_temp.price(), null, 'nothing is known');
select pg_temp.listed('100');
select test_support.advance_clock('1 second');
select pg_temp.traded('x1', '2026-02-10 15:00:00Z', '50');
select is(pg_temp.price(), 100::numeric, 'a trade of three weeks ago that is read after a list is no newer than it');
select pg_temp.traded('x2', '2026-03-02 16:00:01Z', '103');
select is(pg_temp.price(), 103::numeric, 'one that was made after it is');

-- Busts and corrections are mostly of prices that were wrong.
select pg_temp.traded('x3', '2026-03-02 16:00:02Z', '500');
select is(pg_temp.price(), 500::numeric, 'a trade at a wrong price');
select pg_temp.traded('x4', '2026-03-02 16:00:03Z', '500', '{"type": "trade_bust", "previous_execution_id": "x3"}');
select is(pg_temp.price(), 103::numeric, 'that was busted is no price any more');
select pg_temp.traded('x5', '2026-03-02 16:00:04Z', '900');
select pg_temp.traded('x6', '2026-03-02 16:00:05Z', '104', '{"type": "trade_correct", "previous_execution_id": "x5"}');
select is(pg_temp.price(), 104::numeric, 'one that was corrected is what it was corrected to');
select pg_temp.traded('x7', '2026-03-02 16:00:06Z', '104', '{"type": "trade_bust", "previous_execution_id": "x6"}');
select is(pg_temp.price(), 103::numeric, 'until the correction is busted too');
select test_support.advance_clock('10 seconds');
select pg_temp.listed('105');
select is(pg_temp.price(), 105::numeric, 'and a later list is newer than all of them');

select * from finish();
rollback;
