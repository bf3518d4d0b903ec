-- Compares an order of the broker with the decision that it carries the id of.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.order_differences(
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
             c.member, jsonb_build_object('decided', c.decided, 'shown', left(c.shown, 100))
           ),
           '{}'
         ) || orderlatch_data.exit_differences(p_decision, p_order)
    from (
      values
        ('client_order_id', encode(p_decision.decision_hash, 'hex'), p_order ->> 'client_order_id', true),
        -- a pair may be shown as positions spell it
        ('symbol', p_decision.symbol,
         case
           when orderlatch_data.is_same_symbol(p_decision.symbol, upper(p_order ->> 'symbol'))
             then p_decision.symbol
           else upper(p_order ->> 'symbol')
         end, true),
        ('side', p_decision.action, p_order ->> 'side', true),
        ('type', p_decision.order_type, coalesce(p_order ->> 'type', p_order ->> 'order_type'), true),
        ('time_in_force', p_decision.time_in_force, p_order ->> 'time_in_force', true),
        ('qty', p_decision.qty::text, p_order ->> 'qty', false),
        ('notional', p_decision.notional::text, p_order ->> 'notional', false),
        ('order_class', p_decision.order_class, coalesce(nullif(p_order ->> 'order_class', ''), 'simple'),
         true),
        -- the broker shows an oco as its take profit
        ('limit_price',
         case
           when p_decision.order_class = 'oco' then p_decision.take_profit ->> 'limit_price'
           else p_decision.limit_price::text
         end, p_order ->> 'limit_price', false),
        ('stop_price', p_decision.stop_price::text, p_order ->> 'stop_price', false),
        ('trail_price', p_decision.trail_price::text, p_order ->> 'trail_price', false),
        ('trail_percent', p_decision.trail_percent::text, p_order ->> 'trail_percent', false),
        -- one order of the broker is never the order of two decisions
        ('id', null,
         (
           select 'the order of decision ' || x.decision_id
             from orderlatch_data.broker_orders as x
            where x.account_id = p_decision.account_id
              and x.broker_order_id = p_order ->> 'id'
              and x.decision_id <> p_decision.decision_id
         ), true)
    ) as c(member, decided, shown, is_text)
   where case
           when c.is_text then c.decided is distinct from c.shown
           -- a shown text that is no number differs from every number, and from none
           else c.decided::numeric is distinct from orderlatch_data.read_decimal(p_order -> c.member)
             or (c.decided is null) <> (c.shown is null)
         end
     -- the stop of a trailing stop moves with the market
     and not (c.member = 'stop_price' and p_decision.order_type = 'trailing_stop')
     and not exists (
           select 1
             from orderlatch_data.order_rewrites as w
            where w.action = p_decision.action
              and w.order_type = p_decision.order_type
              and w.broker_type = coalesce(p_order ->> 'type', p_order ->> 'order_type')
              and (c.member = 'type' or (c.member = 'limit_price' and w.broker_adds_limit_price))
         )
$$;
revoke all on function orderlatch_data.order_differences(orderlatch_data.trade_decisions, jsonb) from public;
comment on function orderlatch_data.order_differences(orderlatch_data.trade_decisions, jsonb) is
  'A JSON object with a member for each term that differs: what was decided and what the broker shows. '
  'Empty when the order is the one decided. Changes that the broker is known to make (order_rewrites) are '
  'no difference.';

-- Records the fact that the broker has an order with a decision's client_order_id, whoever brings it.
-- Locks: none; the caller holds the decision. Raises: none.
create or replace function orderlatch_data.record_order(
  p_decision_id bigint,
  p_order jsonb,
  p_request_id uuid
)
returns text
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_decision orderlatch_data.trade_decisions;
  v_known orderlatch_data.broker_orders;
  v_comes_first boolean;
  v_differences jsonb;
begin
  select t.* into strict v_decision
    from orderlatch_data.trade_decisions as t
   where t.decision_id = p_decision_id;
  select b.* into v_known
    from orderlatch_data.broker_orders as b
   where b.decision_id = p_decision_id and b.relation = 'order';
  -- what an operator adopted may turn out to have replaced this one, which then is what was asked for
  v_comes_first := v_known.parent_broker_order_id is not null
    and coalesce(p_order ->> 'replaces', '') = ''
    and exists (
      select 1
        from orderlatch_data.orders_before(v_decision.account_id, v_known.broker_order_id) as b
       where b.parent_broker_order_id = p_order ->> 'id'
    );
  if v_known.broker_order_id is distinct from p_order ->> 'id' and not v_comes_first then
    -- a replacement may carry the id on: it is no second order, but the first one must be known to say so
    if p_order ->> 'replaces' <> '' then
      return orderlatch_data.record_replacement(v_decision, v_known, p_order, p_request_id);
    elsif v_known.order_no is not null then
      return orderlatch_data.record_duplicate(v_decision, v_known, p_order, p_request_id);
    end if;
  end if;
  if v_known.order_no is null or v_comes_first then
    v_differences := orderlatch_data.order_differences(v_decision, p_order);
    if v_differences <> '{}' then
      perform orderlatch_data.hold_mismatch(v_decision, p_order, p_request_id, v_differences);
      return 'order_mismatch';
    end if;
  end if;
  if v_comes_first then
    update orderlatch_data.broker_orders as b
       set relation = 'replacement'
     where b.order_no = v_known.order_no;
  end if;
  -- an order with other terms was shown before this one: when it is another order, there are two
  perform orderlatch_data.report_order(
    'duplicate_order', v_decision, p_request_id,
    jsonb_build_object('known', i.detail ->> 'broker_order_id', 'also', p_order ->> 'id')
  )
     from orderlatch_data.incidents as i
    where i.incident = 'order_mismatch'
      and i.decision_id = p_decision_id
      and i.detail ->> 'broker_order_id' <> p_order ->> 'id';
  perform orderlatch_data.save_order(v_decision.account_id, p_decision_id, 'order', p_order, p_request_id);
  perform orderlatch_data.settle_submitted(v_decision, p_order ->> 'id', p_request_id, null);
  return 'order_exists';
end
$$;
revoke all on function orderlatch_data.record_order(bigint, jsonb, uuid) from public;
comment on function orderlatch_data.record_order(bigint, jsonb, uuid) is
  'Records an order of the broker and moves its decision to submitted, from whatever status. p_order: the '
  'broker''s document. p_request_id: the request whose answer shows it, or null. Returns order_exists; or '
  'order_mismatch when its terms are not those decided: an incident, the account halted, the decision in '
  'doubt until an operator ends it. A second order that replaces none: incident duplicate_order.';

-- Reports an order that must not be, and halts the account.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.report_order(
  p_incident text,
  p_decision orderlatch_data.trade_decisions,
  p_request_id uuid,
  p_detail jsonb
)
returns void
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  perform orderlatch_data.open_incident(
    p_incident, p_decision.account_id, p_decision.decision_id, p_request_id, p_detail
  );
  perform orderlatch_data.halt_account(p_decision.account_id, p_incident);
end
$$;
revoke all on function orderlatch_data.report_order(text, orderlatch_data.trade_decisions, uuid, jsonb)
  from public;
comment on function orderlatch_data.report_order(text, orderlatch_data.trade_decisions, uuid, jsonb) is
  'Opens an incident about an order and halts its account.';
