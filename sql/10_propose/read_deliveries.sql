-- Reads each element of an array as the row of trade_decisions that it would be.
-- Locks: none. Raises: none; a bad element is returned with its error.
create or replace function orderlatch_data.read_deliveries(
  p_account orderlatch_data.accounts,
  p_decisions jsonb
)
returns table (
  input_no integer,
  decision orderlatch_data.trade_decisions,
  signal_key uuid,
  error_code text,
  error_message text,
  error_detail text,
  error_hint text
)
language sql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select i.input_no::integer, r.decision, r.signal_key, r.error_code, r.error_message, r.error_detail,
         r.error_hint
    from jsonb_array_elements(p_decisions) with ordinality as i(element, input_no)
   cross join lateral orderlatch_data.read_delivery(
     p_account, i.element, nextval('orderlatch_data.decision_ids')
   ) as r
   order by i.input_no
$$;
revoke all on function orderlatch_data.read_deliveries(orderlatch_data.accounts, jsonb) from public;
comment on function orderlatch_data.read_deliveries(orderlatch_data.accounts, jsonb) is
  'One row for each element, in input order: see read_delivery.';

-- Reads a delivered decision as the row of trade_decisions that it would be.
-- Locks: none. Raises: none; what is wrong with it is returned.
create or replace function orderlatch_data.read_delivery(
  p_account orderlatch_data.accounts,
  p_element jsonb,
  p_decision_id bigint,
  out decision orderlatch_data.trade_decisions,
  out signal_key uuid,
  out error_code text,
  out error_message text,
  out error_detail text,
  out error_hint text
)
returns record
language sql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select (
           p_decision_id, r.decision_hash, r.hash_version, p_account.account_id,
           r.strategy_id, r.symbol, r.event_ts, r.timeframe, r.leg, r.action, r.qty, r.notional,
           r.order_type, r.time_in_force, r.limit_price, r.stop_price, r.trail_price, r.trail_percent,
           r.extended_hours, r.order_class, r.take_profit, r.stop_loss, r.position_intent,
           r.params, r.intent, r.rationale, r.reference_price, r.valid_until, r.metadata,
           orderlatch_data.clock(), session_user
         )::orderlatch_data.trade_decisions,
         orderlatch_data.signal_key(
           p_account.account_id, r.strategy_id, r.symbol, r.timeframe, r.event_ts, r.leg
         ),
         coalesce(r.error_code, b.error_code), coalesce(r.error_message, b.error_message),
         r.error_detail, r.error_hint
    from orderlatch_data.read_decision(p_account.account, p_element) as r
    left join lateral (
      select 'OL301' as error_code,
             format(
               'login_not_bound: login %L may not act for strategy %L', session_user, r.strategy_id
             ) as error_message
       where not orderlatch_data.login_may_act(p_account.account_id, r.strategy_id)
    ) as b on r.error_code is null
$$;
revoke all on function orderlatch_data.read_delivery(orderlatch_data.accounts, jsonb, bigint) from public;
comment on function orderlatch_data.read_delivery(orderlatch_data.accounts, jsonb, bigint) is
  'The decision, with p_decision_id as its decision_id, and the key of its signal; or the SQLSTATE and '
  'message of what is wrong with it, including a strategy that the login does not speak for.';
