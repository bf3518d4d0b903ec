-- What changes a hash, what does not, and what never may.
begin;
select plan(8);

create temporary table plain as
select jsonb_build_object(
  'strategy_id', 's', 'symbol', 'AAPL', 'event_ts', '2026-02-08T14:30:00Z', 'timeframe', '1Min', 'action', 'buy',
  'qty', '10', 'limit_price', '100', 'order_type', 'limit', 'params', jsonb_build_object('a', 1)) as decision;

create function pg_temp.hash_with(p_change jsonb) returns text language sql as
$$ select orderlatch.decision_hash('paper', p.decision || p_change) from plain as p $$;

select is_empty(
  $$ select c.change from unnest(array[
       '{"qty": 10}', '{"qty": "10.0"}', '{"qty": "1e1"}', '{"qty": 1E+1}', '{"limit_price": 100.00}', '{"v": 1}',
       '{"event_ts": "2026-02-08T14:30:00+00:00"}', '{"event_ts": "2026-02-08 09:30-05"}', '{"symbol": " aapl\n"}',
       '{"action": "Buy"}', '{"order_type": "LIMIT"}', '{"time_in_force": "day"}', '{"order_class": ""}', '{"leg": ""}',
       '{"extended_hours": false}', '{"stop_price": null, "take_profit": null}', '{"stop_loss": {}}',
       '{"params": {"a": 1.0}}', '{"account": "paper"}'
     ]) as c(change)
     where pg_temp.hash_with(c.change::jsonb) <> pg_temp.hash_with('{}') $$,
  'another spelling of the same intent has the same hash'
);
select is_empty(
  $$ select c.change from unnest(array[
       '{"rationale": "why"}', '{"reference_price": 99.5}', '{"valid_until": "2026-02-08T15:00:00Z"}',
       '{"metadata": {"trace": "x"}}'
     ]) as c(change)
     where pg_temp.hash_with(c.change::jsonb) <> pg_temp.hash_with('{}') $$,
  'rationale, reference_price, valid_until and metadata are not part of the intent'
);
select is(
  (select count(distinct pg_temp.hash_with(c.change::jsonb)) from unnest(array[
     '{}', '{"strategy_id": "t"}', '{"strategy_id": "S"}', '{"strategy_id": "s "}', '{"symbol": "AAPL.B"}',
     '{"event_ts": "2026-02-08T14:30:00.000001Z"}', '{"event_ts": "2026-02-08T14:30:00-05:00"}', '{"timeframe": "1min"}',
     '{"leg": "a"}', '{"action": "sell"}', '{"qty": "10.000000001"}', '{"qty": null, "notional": "10"}',
     '{"notional": "10"}', '{"order_type": "market"}', '{"time_in_force": "gtc"}', '{"limit_price": "100.01"}',
     '{"limit_price": null, "stop_price": "100"}', '{"trail_price": 1}', '{"trail_percent": 1}', '{"extended_hours": true}',
     '{"order_class": "oto"}', '{"take_profit": {"limit_price": 1}}', '{"stop_loss": {"limit_price": 1}}',
     '{"stop_loss": {"stop_price": 1}}', '{"position_intent": "buy_to_open"}', '{"position_intent": "buy_to_close"}',
     '{"params": null}', '{"params": {"a": "1"}}', '{"params": {"a": 1, "b": null}}', '{"params": {"A": 1}}',
     '{"params": {"a": [1]}}', '{"params": {"a": 1.00000000000000000001}}'
   ]) as c(change)),
  32::bigint, 'each change of the intent has a hash of its own'
);
select isnt(
  orderlatch.decision_hash('paper', p.decision), orderlatch.decision_hash('live', p.decision),
  'the account is part of the intent') from plain as p;
select isnt(
  orderlatch.decision_hash('paper', p.decision), orderlatch.decision_hash('Paper', p.decision),
  'the name of an account is verbatim') from plain as p;
select is(
  pg_temp.hash_with('{"params": {"a": "é"}}') = pg_temp.hash_with(jsonb_build_object('params', jsonb_build_object('a', U&'e\0301'))),
  false, 'texts are not normalised');
select is(
  pg_temp.hash_with(jsonb_build_object('symbol', 'ıß')) = pg_temp.hash_with(jsonb_build_object('symbol', 'ISS')),
  false, 'only ASCII letters of a symbol are raised');
select is(
  (select count(*) from plain as p, generate_series(1, 1000)
    where orderlatch.decision_hash('paper', p.decision) = pg_temp.hash_with('{}')),
  1000::bigint, 'a hash never changes');

select * from finish();
rollback;
