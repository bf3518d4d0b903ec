-- What read_decision makes of a sound decision, and how it refuses the others: without raising, one row each.
begin;
select plan(12);

create function pg_temp.read(p_change jsonb) returns table (error_code text, error_message text, error_detail text)
language sql as
$$ select r.error_code, r.error_message, r.error_detail
     from orderlatch_data.read_decision('paper', jsonb_build_object(
            'strategy_id', 's', 'symbol', 'AAPL', 'event_ts', '2026-02-08T14:30:00Z', 'timeframe', '1Min',
            'action', 'buy', 'qty', '1') || p_change) as r $$;

select row_eq(
  $$ select d.strategy_id, d.symbol, d.event_ts, d.timeframe, d.leg, d.action, d.qty, d.notional, d.order_type,
            d.time_in_force, d.limit_price, d.stop_price, d.trail_price, d.trail_percent, d.extended_hours, d.order_class,
            d.take_profit, d.stop_loss, d.position_intent, d.params, d.rationale, d.reference_price, d.valid_until,
            d.metadata, d.hash_version, r.error_code
       from orderlatch_data.read_decision('paper', '{"strategy_id": "s", "symbol": " aapl ", "timeframe": "1Min",
              "event_ts": "2026-02-08T14:30:00Z", "action": "BUY", "params": null, "metadata": null}') as r, unnest(r.decisions) as d $$,
  row('s'::text, 'AAPL'::text, '2026-02-08T14:30:00Z'::timestamptz, '1Min'::text, ''::text, 'buy'::text, null::numeric,
      null::numeric, 'market'::text, 'day'::text, null::numeric, null::numeric, null::numeric, null::numeric, false,
      'simple'::text, null::jsonb, null::jsonb, null::text, null::jsonb, null::text, null::numeric, null::timestamptz,
      null::jsonb, 1::smallint, null::text),
  'the fewest members come with their defaults'
);
select row_eq(
  $$ select d.strategy_id, d.symbol, d.event_ts, d.timeframe, d.leg, d.action, d.qty, d.notional, d.order_type,
            d.time_in_force, d.limit_price, d.stop_price, d.trail_price, d.trail_percent, d.extended_hours, d.order_class,
            d.take_profit, d.stop_loss, d.position_intent, d.params, d.rationale, d.reference_price, d.valid_until,
            d.metadata, d.hash_version, r.error_code
       from orderlatch_data.read_decision('paper', '{"strategy_id": "s", "symbol": "brk.b", "timeframe": "1Min",
              "event_ts": "2026-02-08T09:30:00.5-05:00", "action": "Sell", "leg": "hedge", "qty": "1.50", "notional": 2e1,
              "order_type": "STOP_LIMIT", "time_in_force": "GTC", "limit_price": 3, "stop_price": "4", "trail_price": 5.0,
              "trail_percent": "06", "extended_hours": true, "order_class": "OTO", "take_profit": {"limit_price": 7.10},
              "stop_loss": {"stop_price": "08.0", "limit_price": null}, "position_intent": "SELL_TO_OPEN",
              "params": {"b": 1.0}, "rationale": "because\n", "reference_price": 9, "metadata": {"c": []},
              "valid_until": "2026-02-08T15:00Z", "account": "paper", "v": 1}') as r, unnest(r.decisions) as d $$,
  row('s'::text, 'BRK.B'::text, '2026-02-08T14:30:00.5Z'::timestamptz, '1Min'::text, 'hedge'::text, 'sell'::text,
      1.5::numeric, 20::numeric, 'stop_limit'::text, 'gtc'::text, 3::numeric, 4::numeric, 5::numeric, 6::numeric, true,
      'oto'::text, '{"limit_price": "7.1"}'::jsonb, '{"stop_price": "8"}'::jsonb, 'sell_to_open'::text,
      '{"b": 1.0}'::jsonb, E'because\n'::text, 9::numeric, '2026-02-08T15:00:00Z'::timestamptz, '{"c": []}'::jsonb,
      1::smallint, null::text),
  'every member arrives typed, and in its one spelling where it has one'
);

create temporary table refusals (change text, error_code text, error_message text);
insert into refusals (change, error_code, error_message) values
  ('{"limit_prise": "1"}', 'OL111', 'member_unknown: no member of a decision is called "limit_prise"'),
  ('{"limit_prise": null}', 'OL111', 'member_unknown: no member of a decision is called "limit_prise"'),
  ('{"Qty": "1"}', 'OL111', 'member_unknown: no member of a decision is called "Qty"'),
  ('{"": 1}', 'OL111', 'member_unknown: no member of a decision is called ""'),
  ('{"take_profit.limit_price": 1}', 'OL111', 'member_unknown: no member of a decision is called "take_profit.limit_price"'),
  ('{"take_profit": {"limit_prise": 1}}', 'OL111', 'member_unknown: no member of a decision is called "take_profit.limit_prise"'),
  ('{"take_profit": {"stop_price": 1}}', 'OL111', 'member_unknown: no member of a decision is called "take_profit.stop_price"'),
  ('{"stop_loss": {"foo": 1}}', 'OL111', 'member_unknown: no member of a decision is called "stop_loss.foo"'),
  ('{"strategy_id": null}', 'OL112', 'member_missing: "strategy_id" is missing; it must be a text of 1 to 128 characters without control characters'),
  ('{"symbol": null}', 'OL112', 'member_missing: "symbol" is missing; it must be a text of 1 to 64 characters without control characters'),
  ('{"timeframe": null}', 'OL112', 'member_missing: "timeframe" is missing; it must be a text of 1 to 32 characters without control characters'),
  ('{"action": null}', 'OL112', 'member_missing: "action" is missing; it must be buy or sell'),
  ('{"strategy_id": 7}', 'OL113', 'member_wrong_type: "strategy_id" must be a text of 1 to 128 characters without control characters'),
  ('{"symbol": ["AAPL"]}', 'OL113', 'member_wrong_type: "symbol" must be a text of 1 to 64 characters without control characters'),
  ('{"action": true}', 'OL113', 'member_wrong_type: "action" must be buy or sell'),
  ('{"qty": true}', 'OL113', 'member_wrong_type: "qty" must be a decimal above zero of at most 64 digits'),
  ('{"qty": {"value": 1}}', 'OL113', 'member_wrong_type: "qty" must be a decimal above zero of at most 64 digits'),
  ('{"extended_hours": "true"}', 'OL113', 'member_wrong_type: "extended_hours" must be JSON true or false'),
  ('{"extended_hours": 1}', 'OL113', 'member_wrong_type: "extended_hours" must be JSON true or false'),
  ('{"params": []}', 'OL113', 'member_wrong_type: "params" must be an object of at most 16384 bytes, 32 levels and 64 digits a number'),
  ('{"metadata": "x"}', 'OL113', 'member_wrong_type: "metadata" must be an object of at most 16384 bytes, 32 levels and 64 digits a number'),
  ('{"take_profit": 301}', 'OL113', 'member_wrong_type: "take_profit" must be an object with limit_price'),
  ('{"rationale": {}}', 'OL113', 'member_wrong_type: "rationale" must be a text of at most 8192 bytes'),
  ('{"v": "1"}', 'OL113', 'member_wrong_type: "v" must be the number 1 or left out'),
  ('{"decision_hash": 1}', 'OL113', 'member_wrong_type: "decision_hash" must be the hash of this decision, 64 lower-case hex digits, or left out'),
  ('{"qty": "NaN"}', 'OL114', 'number_invalid: "qty" must be a decimal above zero of at most 64 digits'),
  ('{"stop_loss": {"stop_price": "x"}}', 'OL114', 'number_invalid: "stop_loss.stop_price" must be a decimal above zero of at most 64 digits'),
  ('{"qty": 0}', 'OL115', 'number_out_of_range: "qty" must be a decimal above zero of at most 64 digits'),
  ('{"params": {"a": [1, {"b": 1e64}]}}', 'OL118', 'number_too_long: "params.a[1].b" must be a number of at most 64 digits'),
  ('{"metadata": {"a": {"b": [1e-65]}}}', 'OL118', 'number_too_long: "metadata.a.b[0]" must be a number of at most 64 digits'),
  ('{"event_ts": "now"}', 'OL119', 'time_invalid: "event_ts" must be an ISO 8601 time with Z or a numeric offset, to the microsecond, such as 2004-12-20T20:00:00Z'),
  ('{"valid_until": "infinity"}', 'OL119', 'time_invalid: "valid_until" must be an ISO 8601 time with Z or a numeric offset, to the microsecond, such as 2004-12-20T20:00:00Z'),
  ('{"action": "hold"}', 'OL120', 'value_not_allowed: "action" must be buy or sell'),
  ('{"action": " buy"}', 'OL120', 'value_not_allowed: "action" must be buy or sell'),
  ('{"action": ""}', 'OL120', 'value_not_allowed: "action" must be buy or sell'),
  ('{"order_type": "iceberg"}', 'OL120', 'value_not_allowed: "order_type" must be market, limit, stop, stop_limit or trailing_stop'),
  ('{"time_in_force": "gtd"}', 'OL120', 'value_not_allowed: "time_in_force" must be day, gtc, opg, cls, ioc or fok'),
  ('{"order_class": "mleg"}', 'OL120', 'value_not_allowed: "order_class" must be simple, bracket, oco or oto'),
  ('{"position_intent": "open"}', 'OL120', 'value_not_allowed: "position_intent" must be buy_to_open, buy_to_close, sell_to_open or sell_to_close'),
  ('{"v": 2}', 'OL120', 'value_not_allowed: "v" must be the number 1 or left out'),
  ('{"account": "live"}', 'OL120', 'value_not_allowed: "account" must be the account that the decision is delivered for, or left out'),
  ('{"strategy_id": ""}', 'OL120', 'value_not_allowed: "strategy_id" must be a text of 1 to 128 characters without control characters'),
  ('{"symbol": " \t\r\n"}', 'OL120', 'value_not_allowed: "symbol" must be a text of 1 to 64 characters without control characters'),
  ('{"symbol": "A\nB"}', 'OL120', 'value_not_allowed: "symbol" must be a text of 1 to 64 characters without control characters'),
  ('{"leg": "a\u001fb"}', 'OL120', 'value_not_allowed: "leg" must be a text of at most 64 characters without control characters'),
  ('{"timeframe": "1\u007fD"}', 'OL120', 'value_not_allowed: "timeframe" must be a text of 1 to 32 characters without control characters'),
  ('{"strategy_id": "s\u0085"}', 'OL120', 'value_not_allowed: "strategy_id" must be a text of 1 to 128 characters without control characters');
select results_eq(
  $$ select f.change, r.error_code, r.error_message from refusals as f, pg_temp.read(f.change::jsonb) as r order by f.change $$,
  $$ select f.change, f.error_code, f.error_message from refusals as f order by f.change $$,
  'each refusal has its code, begins with the name of it, names the member and the rule'
);
select results_eq(
  $$ select p.place, r.error_code from (values (1, '[]'), (2, '"buy"'), (3, '1'), (4, 'null'), (5, null)) as p(place, decision),
            orderlatch_data.read_decision('paper', p.decision::jsonb) as r order by p.place $$,
  $$ select p, 'OL110' from generate_series(1, 5) as p $$,
  'what is no object is no decision'
);
select results_eq(
  $$ select p.place, r.error_code from (values (1, null), (2, ''), (3, repeat('a', 65)), (4, E'a\nb')) as p(place, account),
            orderlatch_data.read_decision(p.account, '{}') as r order by p.place $$,
  $$ select p, 'OL131' from generate_series(1, 4) as p $$,
  'an account''s name is a text of 1 to 64 characters without control characters'
);
select is(
  (select r.error_code from orderlatch_data.read_decision('paper', '{"symbol": 1, "foo": 1, "qty": -1}') as r), 'OL111',
  'of several problems always the same one is told: the lowest code, then the first member');
select results_eq(
  $$ select r.error_code, r.error_message
       from (select orderlatch.decision_hash('paper', '{"strategy_id": "s", "symbol": "AAPL", "qty": 1, "action": "buy",
               "event_ts": "2026-02-08T14:30:00Z", "timeframe": "1Min"}') as true_hash) as h,
            unnest(array['', 'x', repeat('0', 64), upper(h.true_hash), left(h.true_hash, 63), h.true_hash || ' '])
              as forged(decision_hash),
            pg_temp.read(jsonb_build_object('decision_hash', forged.decision_hash)) as r $$,
  $$ select 'OL121', 'decision_hash_forged: "decision_hash" must be ' || orderlatch.decision_hash('paper',
              '{"strategy_id": "s", "symbol": "AAPL", "qty": 1, "action": "buy", "event_ts": "2026-02-08T14:30:00Z",
                "timeframe": "1Min"}') || ', the hash of this decision'
       from generate_series(1, 6) $$,
  'a hash that is not the decision''s own is refused, and the right one told'
);
select is_empty(
  $$ select r from refusals as f, orderlatch_data.read_decision('paper', '{"strategy_id": "s", "symbol": "AAPL",
       "event_ts": "2026-02-08T14:30:00Z", "timeframe": "1Min", "action": "buy"}'::jsonb || f.change::jsonb) as r, unnest(r.decisions) as d
      where d.decision_hash is not null or d.intent is not null or r.error_detail is null or r.error_hint is null $$,
  'a refused decision has no hash and no intent, but the value and what to do next');
select is_empty(
  $$ select c.change
       from (values (jsonb_build_object('decision_hash', 'x')), ('{"params": {"a": 1e64}}'),
                    (jsonb_build_object('params', jsonb_build_object('k', repeat('x', 17000))))) as c(change),
            orderlatch_data.read_decision('paper', '{"strategy_id": "s", "symbol": "AAPL",
              "event_ts": "2026-02-08T14:30:00Z", "timeframe": "1Min", "action": "buy"}'::jsonb || c.change) as r, unnest(r.decisions) as d
      where r.error_code is null or d.decision_hash is not null or d.intent is not null $$,
  'nor has one that is refused for its intent');
select is(
  (select r.error_detail from pg_temp.read(jsonb_build_object('action', repeat('x', 5000))) as r),
  'got "' || repeat('x', 60) || '" and 4940 more characters', 'a value is shown cut, never whole');
select throws_ok(
  $$ select orderlatch.decision_hash('paper', '{"strategy_id": "s", "symbol": "AAPL", "event_ts": "now",
       "timeframe": "1Min", "action": "buy"}') $$,
  'OL119', 'time_invalid: "event_ts" must be an ISO 8601 time with Z or a numeric offset, to the microsecond, such as 2004-12-20T20:00:00Z',
  'decision_hash raises what read_decision returns');
select throws_ok($$ select orderlatch.decision_hash('paper', '{"symbol": "a\u0000b"}') $$, '22P05', null,
  'what jsonb cannot hold fails with Postgres'' own code before any function runs');

select * from finish();
rollback;
