-- Compares the exits of an order, where the broker shows them, with those that were decided.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.exit_differences(
  p_decision orderlatch_data.trade_decisions,
  p_order jsonb
)
returns jsonb
language sql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select coalesce(
           jsonb_object_agg(
             c.member, jsonb_build_object('decided', c.decided, 'shown', left(c.shown #>> '{}', 100))
           ),
           '{}'
         )
    from jsonb_array_elements(
           case
             when p_decision.order_class <> 'simple' and jsonb_typeof(p_order -> 'legs') = 'array'
               then p_order -> 'legs'
             else '[]'
           end
         ) as l(leg)
   cross join lateral (
     select coalesce(l.leg ->> 'type', l.leg ->> 'order_type') as leg_type, l.leg ->> 'side' as leg_side
   ) as t
   cross join lateral (
     values
       ('take_profit.limit_price', t.leg_type = 'limit', p_decision.take_profit ->> 'limit_price',
        l.leg -> 'limit_price'),
       ('stop_loss.stop_price', t.leg_type in ('stop', 'stop_limit'), p_decision.stop_loss ->> 'stop_price',
        l.leg -> 'stop_price'),
       ('stop_loss.limit_price',
        t.leg_type in ('stop', 'stop_limit')
        and not (
          p_decision.stop_loss ->> 'limit_price' is null
          and exists (
            select 1
              from orderlatch_data.order_rewrites as w
             where w.action = t.leg_side
               and w.order_type = 'stop'
               and w.broker_type = t.leg_type
               and w.broker_adds_limit_price
          )
        ),
        p_decision.stop_loss ->> 'limit_price', l.leg -> 'limit_price')
   ) as c(member, applies, decided, shown)
   where c.applies
     -- what somebody put in the place of an exit is not the one that was asked for
     and coalesce(l.leg ->> 'replaces', '') = ''
     and (
       c.decided::numeric is distinct from orderlatch_data.read_decimal(c.shown)
       or (c.decided is null) <> (c.shown is null or c.shown = 'null')
     )
$$;
revoke all on function orderlatch_data.exit_differences(orderlatch_data.trade_decisions, jsonb) from public;
comment on function orderlatch_data.exit_differences(orderlatch_data.trade_decisions, jsonb) is
  'A JSON object with a member for each price of take_profit and stop_loss that a leg of the order shows '
  'otherwise; empty when none does, or no legs are shown. A stop that the broker is known to turn into a '
  'stop limit (order_rewrites) is no difference.';
