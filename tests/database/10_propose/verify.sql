-- A decision can be checked against its hash, and whatever is bent in the table shows.
begin;
select plan(27);

select test_support.hold_clock('2026-03-02 15:00:00Z');
select test.given_account();
create temporary table decision as
  select test.given_decision(
           'paper',
           '{"leg": "l", "qty": "1.50", "notional": 20, "order_type": "stop_limit", "time_in_force": "gtc", "limit_price": 3,
             "stop_price": "4", "trail_price": 5, "trail_percent": "06", "extended_hours": true, "order_class": "oto",
             "take_profit": {"limit_price": 7.10}, "stop_loss": {"stop_price": "08.0"}, "position_intent": "buy_to_open",
             "params": {"b": [1.0, "ü\u2028", null]}}'
         ) as decision_hash;

select results_eq(
  $$ select v.intact, v.recomputed_hash, v.stored_intent = v.recomputed_intent
       from decision as d, orderlatch.verify_decision(d.decision_hash) as v $$,
  'select true, d.decision_hash, true from decision as d', 'a decision with every member is intact'
);
create temporary table least as select test.given_decision() as decision_hash;
select is(
  (select v.intact from least as l, orderlatch.verify_decision(l.decision_hash) as v), true,
  'a decision with the fewest members is intact'
);

-- Bends a column behind the back of the trigger, asks, and takes it back.
create function pg_temp.verify_bent(p_column text, p_value text)
returns boolean
language plpgsql
as $$
declare
  v_intact boolean;
begin
  execute format(
    'update orderlatch_data.trade_decisions as t set %I = %L where t.decision_hash = (select decode(d.decision_hash, ''hex'') from decision as d)',
    p_column, p_value
  );
  select v.intact into v_intact from decision as d, orderlatch.verify_decision(d.decision_hash) as v;
  raise exception using errcode = 'ZZZZZ', message = coalesce(v_intact::text, 'null');
exception
  when sqlstate 'ZZZZZ' then
    return nullif(sqlerrm, 'null')::boolean;
end
$$;
alter table orderlatch_data.trade_decisions disable trigger written_once;
select is(pg_temp.verify_bent(b.name, b.value), false, format('a bent %s shows', b.name))
  from (
    values
      ('intent', '{}'), ('strategy_id', 'other'), ('symbol', 'AAPL'), ('event_ts', '2026-03-02 14:29:00Z'),
      ('event_ts', 'infinity'), ('timeframe', '2d'), ('leg', ''), ('action', 'sell'), ('qty', '2'), ('qty', null),
      ('notional', '21'), ('order_type', 'limit'), ('time_in_force', 'day'), ('limit_price', '3.01'), ('stop_price', '4.01'),
      ('trail_price', '5.01'), ('trail_percent', '7'), ('extended_hours', 'false'), ('order_class', 'oco'),
      ('take_profit', '{"limit_price": "7.2"}'), ('stop_loss', null), ('position_intent', 'buy_to_close'), ('params', null)
  ) as b(name, value);
select is(
  pg_temp.verify_bent('params', repeat('[', 40) || repeat(']', 40)), false, 'params that have no canonical JSON show'
);
select is(pg_temp.verify_bent('rationale', 'because'), true, 'what is not part of the intent is not part of the hash');

select * from finish();
rollback;
