-- What the broker would refuse on its face is rejected here, by name; what it would take passes.
begin;
select plan(141);

select test_support.hold_clock('2026-03-02 15:00:00Z');
select test.given_account();
-- the rules of one order, not of two that meet
select orderlatch.set_limit('opposite_order', 0, 'paper', p_enabled => false);
create function pg_temp.reasons(p_members jsonb)
returns text[]
language sql
as $$ select p.reasons from orderlatch.propose_decision('paper', test.a_decision(p_members)) as p $$;

create temporary table cases (members jsonb, reasons text[], title text);
insert into cases values
  -- sizes
  ('{}', '{}', 'ten shares at the market'),
  ('{"qty": null, "notional": "100"}', '{}', 'a hundred dollars at the market'),
  ('{"notional": "100"}', '{invalid_order:qty_and_notional}', 'shares and dollars together'),
  ('{"qty": null}', '{invalid_order:no_size}', 'neither shares nor dollars'),
  ('{"qty": "0.123456789"}', '{}', 'nine decimals of a share'),
  ('{"qty": "0.1234567891"}', '{invalid_order:qty_decimals}', 'ten decimals of a share'),
  ('{"qty": "0.1234567890"}', '{}', 'nine decimals of a share and a zero'),
  ('{"qty": null, "notional": "100.25"}', '{}', 'dollars and cents'),
  ('{"qty": null, "notional": "100.255"}', '{invalid_order:notional_decimals}', 'half a cent'),
  ('{"qty": null, "notional": "1"}', '{}', 'one dollar'),
  ('{"qty": null, "notional": "0.99"}', '{invalid_order:notional_below_minimum}', 'less than a dollar'),

  -- prices
  ('{"order_type": "limit", "limit_price": "190"}', '{}', 'a limit with its price'),
  ('{"order_type": "limit"}', '{invalid_order:missing_limit_price}', 'a limit without its price'),
  ('{"order_type": "stop_limit", "stop_price": "190"}', '{invalid_order:missing_limit_price}', 'a stop limit without a limit'),
  ('{"order_type": "stop_limit", "stop_price": "190", "limit_price": "191"}', '{}', 'a stop limit with both prices'),
  ('{"order_type": "stop_limit", "limit_price": "191"}', '{invalid_order:missing_stop_price}', 'a stop limit without a stop'),
  ('{"order_type": "stop", "stop_price": "190"}', '{}', 'a stop with its price'),
  ('{"order_type": "stop"}', '{invalid_order:missing_stop_price}', 'a stop without its price'),
  ('{"limit_price": "190"}', '{invalid_order:unexpected_limit_price}', 'a market order with a limit'),
  ('{"order_type": "stop", "stop_price": "190", "limit_price": "191"}', '{invalid_order:unexpected_limit_price}', 'a stop with a limit'),
  ('{"stop_price": "190"}', '{invalid_order:unexpected_stop_price}', 'a market order with a stop'),
  ('{"order_type": "limit", "limit_price": "190", "stop_price": "189"}', '{invalid_order:unexpected_stop_price}', 'a limit with a stop'),
  ('{"trail_price": "1"}', '{invalid_order:unexpected_trail}', 'a market order with a trail price'),
  ('{"order_type": "limit", "limit_price": "190", "trail_percent": "1"}', '{invalid_order:unexpected_trail}', 'a limit with a trail percent'),
  ('{"order_type": "limit", "limit_price": "1.23"}', '{}', 'a limit of cents'),
  ('{"order_type": "limit", "limit_price": "1.2300"}', '{}', 'a limit of cents with zeros'),
  ('{"order_type": "limit", "limit_price": "1.231"}', '{invalid_order:sub_penny_limit_price}', 'a limit of a tenth of a cent'),
  ('{"order_type": "limit", "limit_price": "0.9999"}', '{}', 'a limit below a dollar with four decimals'),
  ('{"order_type": "limit", "limit_price": "0.99991"}', '{invalid_order:sub_penny_limit_price}', 'a limit below a dollar with five decimals'),
  ('{"order_type": "limit", "limit_price": "1.0001"}', '{invalid_order:sub_penny_limit_price}', 'a limit just above a dollar with four decimals'),
  ('{"order_type": "stop", "stop_price": "0.5001"}', '{}', 'a stop below a dollar with four decimals'),
  ('{"order_type": "stop", "stop_price": "5.001"}', '{invalid_order:sub_penny_stop_price}', 'a stop of a tenth of a cent'),

  -- parts of a share
  ('{"qty": "0.5"}', '{}', 'half a share for the day'),
  ('{"qty": "0.5", "time_in_force": "gtc"}', '{invalid_order:fractional_time_in_force}', 'half a share until cancelled'),
  ('{"qty": "2.0", "time_in_force": "gtc"}', '{}', 'two whole shares until cancelled'),
  ('{"qty": null, "notional": "100", "time_in_force": "ioc"}', '{invalid_order:fractional_time_in_force}', 'dollars at once or not at all'),
  ('{"qty": "0.5", "order_type": "limit", "limit_price": "190"}', '{}', 'half a share at a limit for the day'),

  -- times in force
  ('{"order_type": "stop", "stop_price": "190", "time_in_force": "gtc"}', '{}', 'a stop until cancelled'),
  ('{"order_type": "stop", "stop_price": "190", "time_in_force": "ioc"}', '{invalid_order:time_in_force}', 'a stop at once or not at all'),
  ('{"order_type": "stop_limit", "stop_price": "190", "limit_price": "191", "time_in_force": "opg"}', '{invalid_order:time_in_force}',
   'a stop limit at the open'),

  -- extended hours
  ('{"extended_hours": true, "order_type": "limit", "limit_price": "190"}', '{}', 'a limit in extended hours'),
  ('{"extended_hours": true, "order_type": "limit", "limit_price": "190", "time_in_force": "gtc"}', '{}',
   'a limit until cancelled in extended hours'),
  ('{"extended_hours": true}', '{invalid_order:extended_hours}', 'a market order in extended hours'),
  ('{"extended_hours": true, "order_type": "stop", "stop_price": "190"}', '{invalid_order:extended_hours}', 'a stop in extended hours'),
  ('{"extended_hours": true, "order_type": "limit", "limit_price": "190", "time_in_force": "ioc"}', '{invalid_order:extended_hours}',
   'a limit at once or not at all in extended hours'),
  ('{"extended_hours": true, "order_type": "limit", "limit_price": "190", "qty": "0.5"}', '{}',
   'half a share in extended hours'),
  ('{"extended_hours": true, "order_type": "limit", "limit_price": "190", "qty": null, "notional": "100"}', '{}',
   'dollars in extended hours'),
  ('{"extended_hours": true, "order_type": "limit", "limit_price": "190", "qty": "0.5", "time_in_force": "gtc"}',
   '{invalid_order:fractional_time_in_force}', 'half a share until cancelled in extended hours'),
  ('{"extended_hours": true, "order_type": "limit", "limit_price": "190", "symbol": "BTC/USD", "time_in_force": "gtc"}',
   '{invalid_order:extended_hours}', 'crypto in extended hours'),

  -- crypto
  ('{"symbol": "BTC/USD", "time_in_force": "gtc"}', '{}', 'crypto at the market'),
  ('{"symbol": "BTC/USD", "time_in_force": "ioc"}', '{}', 'crypto at once or not at all'),
  ('{"symbol": "BTC/USD"}', '{invalid_order:crypto_time_in_force}', 'crypto for the day'),
  ('{"symbol": "BTC/USD", "time_in_force": "fok"}', '{invalid_order:crypto_time_in_force}', 'crypto whole or not at all'),
  ('{"symbol": "BTC/USD", "time_in_force": "gtc", "qty": "0.00001"}', '{}', 'a part of a coin until cancelled'),
  ('{"symbol": "BTC/USD", "time_in_force": "gtc", "qty": null, "notional": "10"}', '{}', 'ten dollars of crypto'),
  ('{"symbol": "BTC/USD", "time_in_force": "gtc", "qty": null, "notional": "9.99"}', '{invalid_order:notional_below_minimum}',
   'less than ten dollars of crypto'),
  ('{"symbol": "BTC/USD", "time_in_force": "gtc", "order_type": "limit", "limit_price": "50000.1234567"}', '{}',
   'crypto at a price of many decimals'),
  ('{"symbol": "BTC/USD", "time_in_force": "gtc", "order_type": "stop_limit", "limit_price": "5", "stop_price": "5"}', '{}',
   'a stop limit of crypto'),
  ('{"symbol": "BTC/USD", "time_in_force": "gtc", "order_type": "stop", "stop_price": "5"}', '{invalid_order:crypto_order_type}',
   'a stop of crypto'),

  -- a symbol that is not the one that its order is shown with: neither limits nor halts of that one would hold
  ('{"symbol": "BTCUSD", "time_in_force": "gtc"}', '{invalid_order:pair_without_slash}', 'crypto as positions spell it'),
  ('{"symbol": "ethusdt"}', '{invalid_order:pair_without_slash}', 'the same in small letters, for the day'),
  ('{"symbol": "ETHBTC", "time_in_force": "gtc"}', '{invalid_order:pair_without_slash}', 'crypto for crypto'),
  ('{"symbol": "1INCHUSDC", "time_in_force": "gtc"}', '{invalid_order:pair_without_slash}', 'a coin that begins with a digit'),
  ('{"symbol": "XXUSD"}', '{}', 'five letters, which may be a share'),
  ('{"symbol": "BAC.PRUSD"}', '{}', 'a class of shares'),
  ('{"symbol": "B0B6DD9D-8b9b-48a9-ba46-b9d54906e415"}', '{invalid_order:asset_id}', 'a share by the id of its asset'),
  ('{"symbol": "AAPL261218C00200000"}', '{unsupported_order:option}', 'an option'),
  ('{"symbol": "SPXW261218P05200500", "order_type": "limit", "limit_price": "1.25"}', '{unsupported_order:option}', 'an option at a limit'),
  ('{"symbol": "AAPL261218X00200000"}', '{}', 'what only looks like one'),
  ('{"symbol": "BRK.B"}', '{}', 'a share of class B'),
  ('{"symbol": "USDC/USD", "time_in_force": "gtc"}', '{}', 'a pair of dollars'),
  ('{"symbol": "ETH/BTC", "time_in_force": "gtc", "order_type": "limit", "limit_price": "0.05"}', '{unsupported_order:quote_currency}',
   'a pair whose price is in coins'),
  ('{"symbol": "S/BTC", "time_in_force": "gtc"}', '{unsupported_order:quote_currency}', 'the shortest of them'),
  ('{"symbol": "ETH/USDT", "time_in_force": "gtc"}', '{}', 'a pair in a coin that is a dollar'),

  -- intents
  ('{"position_intent": "buy_to_open"}', '{}', 'a buy that opens'),
  ('{"action": "sell", "position_intent": "sell_to_close"}', '{}', 'a sale that closes'),
  ('{"position_intent": "sell_to_open"}', '{invalid_order:position_intent}', 'a buy that is meant to sell'),
  ('{"action": "sell", "position_intent": "buy_to_close"}', '{invalid_order:position_intent}', 'a sale that is meant to buy'),
  ('{"take_profit": {"limit_price": "200"}}', '{invalid_order:unexpected_exit}', 'a simple order with a take profit'),
  ('{"stop_loss": {"stop_price": "180"}}', '{invalid_order:unexpected_exit}', 'a simple order with a stop loss'),
  ('{"take_profit": {}}', '{}', 'an empty take profit, which is none'),
  ('{"action": "sell", "position_intent": "sell_to_open"}', '{}', 'a sale that opens'),
  ('{"action": "sell", "position_intent": "sell_to_open", "qty": "0.5"}', '{invalid_order:fractional_short}', 'half a share sold short'),

  -- trailing stops
  ('{"order_type": "trailing_stop", "trail_price": "1"}', '{}', 'a trailing stop by dollars'),
  ('{"order_type": "trailing_stop", "trail_percent": "0.5", "time_in_force": "gtc"}', '{}', 'a trailing stop by percent'),
  ('{"order_type": "trailing_stop"}', '{invalid_order:missing_trail}', 'a trailing stop without a trail'),
  ('{"order_type": "trailing_stop", "trail_price": "1", "trail_percent": "1"}', '{invalid_order:trail_price_and_percent}',
   'a trailing stop with two trails'),
  ('{"order_type": "trailing_stop", "trail_price": "1", "stop_price": "180"}', '{invalid_order:unexpected_stop_price}',
   'a trailing stop with a stop'),
  ('{"order_type": "trailing_stop", "trail_price": "1", "limit_price": "180"}', '{invalid_order:unexpected_limit_price}',
   'a trailing stop with a limit'),
  ('{"order_type": "trailing_stop", "trail_percent": "1", "time_in_force": "ioc"}', '{invalid_order:time_in_force}',
   'a trailing stop at once or not at all'),
  ('{"order_type": "trailing_stop", "trail_price": "1", "qty": "0.5"}', '{invalid_order:fractional_order_type}',
   'a trailing stop for half a share'),
  ('{"order_type": "trailing_stop", "trail_price": "1", "extended_hours": true}', '{invalid_order:extended_hours}',
   'a trailing stop in extended hours'),
  ('{"order_type": "trailing_stop", "trail_price": "1", "symbol": "BTC/USD", "time_in_force": "gtc"}', '{invalid_order:crypto_order_type}',
   'a trailing stop of crypto'),
  ('{"order_type": "trailing_stop", "trail_price": "1", "order_class": "oto", "stop_loss": {"stop_price": "180"}}',
   '{invalid_order:trailing_order_class}', 'a trailing stop of a class'),

  -- brackets
  ('{"order_class": "bracket", "take_profit": {"limit_price": "200"}, "stop_loss": {"stop_price": "180"}}', '{}', 'a bracket'),
  ('{"order_class": "bracket", "take_profit": {"limit_price": "200"}, "stop_loss": {"stop_price": "180", "limit_price": "179"},
     "order_type": "limit", "limit_price": "190", "time_in_force": "gtc"}', '{}', 'a bracket with all its prices'),
  ('{"order_class": "bracket", "action": "sell", "take_profit": {"limit_price": "180"}, "stop_loss": {"stop_price": "200"}}', '{}',
   'a bracket around a short sale'),
  ('{"order_class": "bracket", "take_profit": {"limit_price": "180"}, "stop_loss": {"stop_price": "180"}}', '{invalid_order:exits_cross}',
   'a bracket that takes profit at its stop'),
  ('{"order_class": "bracket", "action": "sell", "take_profit": {"limit_price": "200"}, "stop_loss": {"stop_price": "200"}}',
   '{invalid_order:exits_cross}', 'a bracket around a short sale that takes profit at its stop'),
  ('{"order_class": "bracket", "stop_loss": {"stop_price": "180"}}', '{invalid_order:missing_take_profit}', 'a bracket without a profit'),
  ('{"order_class": "bracket", "take_profit": {"limit_price": "200"}}', '{invalid_order:missing_stop_loss}', 'a bracket without a stop'),
  ('{"order_class": "bracket", "take_profit": {"limit_price": "200"}, "stop_loss": {"limit_price": "179"}}',
   '{invalid_order:missing_stop_loss}', 'a bracket whose stop has a limit only'),
  ('{"order_class": "bracket", "take_profit": {"limit_price": "200.001"}, "stop_loss": {"stop_price": "180"}}',
   '{invalid_order:sub_penny_take_profit}', 'a profit of a tenth of a cent'),
  ('{"order_class": "bracket", "take_profit": {"limit_price": "200"}, "stop_loss": {"stop_price": "180.001"}}',
   '{invalid_order:sub_penny_stop_loss}', 'a stop loss of a tenth of a cent'),
  ('{"order_class": "bracket", "take_profit": {"limit_price": "200"}, "stop_loss": {"stop_price": "180", "limit_price": "179.001"}}',
   '{invalid_order:sub_penny_stop_loss}', 'a stop loss with a limit of a tenth of a cent'),
  ('{"order_class": "bracket", "take_profit": {"limit_price": "200"}, "stop_loss": {"stop_price": "180"}, "qty": "0.5"}',
   '{invalid_order:fractional_order_class}', 'a bracket for half a share'),
  ('{"order_class": "bracket", "take_profit": {"limit_price": "200"}, "stop_loss": {"stop_price": "180"}, "qty": null, "notional": "100"}',
   '{invalid_order:fractional_order_class}', 'a bracket for dollars'),
  ('{"order_class": "bracket", "take_profit": {"limit_price": "200"}, "stop_loss": {"stop_price": "180"}, "time_in_force": "ioc"}',
   '{invalid_order:time_in_force}', 'a bracket at once or not at all'),
  ('{"order_class": "bracket", "take_profit": {"limit_price": "200"}, "stop_loss": {"stop_price": "180"}, "order_type": "limit",
     "limit_price": "190", "extended_hours": true}', '{invalid_order:extended_hours}', 'a bracket in extended hours'),
  ('{"order_class": "bracket", "take_profit": {"limit_price": "200"}, "stop_loss": {"stop_price": "180"}, "symbol": "BTC/USD",
     "time_in_force": "gtc"}', '{invalid_order:crypto_order_class}', 'a bracket of crypto'),

  -- one exit that follows an entry
  ('{"order_class": "oto", "stop_loss": {"stop_price": "180"}}', '{}', 'an entry that triggers a stop'),
  ('{"order_class": "oto", "take_profit": {"limit_price": "200"}}', '{}', 'an entry that triggers a profit'),
  ('{"order_class": "oto"}', '{invalid_order:oto_exit}', 'an entry that triggers nothing'),
  ('{"order_class": "oto", "take_profit": {"limit_price": "200"}, "stop_loss": {"stop_price": "180"}}', '{invalid_order:oto_exit}',
   'an entry that triggers two exits, which is a bracket'),
  ('{"order_class": "oto", "stop_loss": {"limit_price": "180"}}', '{invalid_order:missing_stop_loss}', 'an entry that triggers half a stop'),

  -- two exits of which one cancels the other
  ('{"order_class": "oco", "action": "sell", "order_type": "limit", "take_profit": {"limit_price": "200"}, "stop_loss": {"stop_price": "180"}}',
   '{}', 'two exits of a long position'),
  ('{"order_class": "oco", "order_type": "limit", "take_profit": {"limit_price": "180"}, "stop_loss": {"stop_price": "200"}}',
   '{}', 'two exits of a short position'),
  ('{"order_class": "oco", "action": "sell", "order_type": "limit", "limit_price": "200", "take_profit": {"limit_price": "200"},
     "stop_loss": {"stop_price": "180"}}', '{}', 'two exits that say the profit twice'),
  ('{"order_class": "oco", "action": "sell", "order_type": "limit", "limit_price": "201", "take_profit": {"limit_price": "200"},
     "stop_loss": {"stop_price": "180"}}', '{invalid_order:unexpected_limit_price}', 'two exits that say two profits'),
  ('{"order_class": "oco", "action": "sell", "take_profit": {"limit_price": "200"}, "stop_loss": {"stop_price": "180"}}',
   '{invalid_order:oco_order_type}', 'two exits at the market'),
  ('{"order_class": "oco", "action": "sell", "order_type": "limit", "take_profit": {"limit_price": "180"}, "stop_loss": {"stop_price": "200"}}',
   '{invalid_order:exits_cross}', 'two exits of a long position the wrong way round'),
  ('{"order_class": "oco", "order_type": "limit", "take_profit": {"limit_price": "200"}, "stop_loss": {"stop_price": "180"}}',
   '{invalid_order:exits_cross}', 'two exits of a short position the wrong way round'),
  ('{"order_class": "oco", "action": "sell", "order_type": "limit", "stop_loss": {"stop_price": "180"}}',
   '{invalid_order:missing_limit_price,invalid_order:missing_take_profit}', 'two exits without a profit'),
  ('{"order_class": "oco", "action": "sell", "order_type": "limit", "take_profit": {"limit_price": "200"}}',
   '{invalid_order:missing_stop_loss}', 'two exits without a stop'),

  -- all of them
  ('{"notional": "0.001", "order_type": "stop", "limit_price": "1.001", "time_in_force": "gtc", "extended_hours": true}',
   '{invalid_order:extended_hours,invalid_order:fractional_time_in_force,invalid_order:missing_stop_price,
     invalid_order:notional_below_minimum,invalid_order:notional_decimals,invalid_order:qty_and_notional,
     invalid_order:sub_penny_limit_price,invalid_order:unexpected_limit_price}', 'an order with eight faults');

-- Every time in force that a whole share may have.
insert into cases
select jsonb_build_object('order_type', t.order_type, 'limit_price', t.limit_price, 'time_in_force', f.time_in_force), '{}',
       format('a %s order %s', t.order_type, f.time_in_force)
  from (values ('market', null), ('limit', '190')) as t(order_type, limit_price)
 cross join unnest('{day,gtc,opg,cls,ioc,fok}'::text[]) as f(time_in_force);

create temporary table judged as
  select c.title, c.reasons as expected, pg_temp.reasons(c.members) as reasons from cases as c;
select is(
         j.reasons, j.expected,
         format('%s is %s', j.title, case when j.expected = '{}' then 'approved' else 'rejected' end)
       )
  from judged as j;

-- Money and quantities are never rounded or altered on the way.
select test.given_account('exact');
create temporary table exact as select test.given_worker('exact') as worker_id;
select test.given_approved_decision('exact', '{"qty": "0.123456789", "order_type": "limit", "limit_price": "190.10"}');
select is(
  (select c.body::jsonb - 'client_order_id' from exact as e, test.claim_one(e.worker_id) as c),
  '{"symbol": "GOOG", "qty": "0.123456789", "side": "buy", "type": "limit", "time_in_force": "day", "limit_price": "190.1"}'::jsonb,
  'an order leaves with exactly the numbers that were decided'
);

-- The other reasons.
insert into judged (title, reasons)
select 'a conflict', p.reasons
  from (select test.a_decision() as decision) as d
 cross join lateral (select e.status from orderlatch.ensure_decision('paper', d.decision) as e) as first
 cross join lateral orderlatch.propose_decision('paper', d.decision || jsonb_build_object('qty', length(first.status))) as p;
select orderlatch.set_limit('order_quantity', 5, 'paper'), orderlatch.set_limit('order_notional', 5, 'paper'),
       orderlatch.set_limit('signal_age', 0, 'paper');
insert into judged (title, reasons) select 'limits', pg_temp.reasons('{}');
insert into judged (title, reasons) select 'no price', pg_temp.reasons('{"reference_price": null}');
select test.given_account('limited', '{"one_decision_per_signal": false}');
create function pg_temp.limited(p_members jsonb)
returns text[]
language sql
as $$ select p.reasons from orderlatch.propose_decision('limited', test.a_decision(p_members)) as p $$;
insert into judged (title, reasons)
select 'a stop, which will rest', pg_temp.limited('{"action": "sell", "order_type": "stop", "stop_price": "180"}');
insert into judged (title, reasons)
select 'a stop limit of another symbol', pg_temp.limited('{"symbol": "AAPL", "order_type": "stop_limit", "stop_price": "180", "limit_price": "181"}');
select orderlatch.set_limit(k.limit_kind, 0, 'limited')
  from orderlatch_data.risk_limit_kinds as k
 where k.takes = 'ceiling' and k.limit_kind <> 'cool_down';
select orderlatch.set_limit('cool_down', 1, 'limited'), orderlatch.set_symbols('allowed_symbols', '{AAPL}', 'limited'),
       orderlatch.set_symbols('denied_symbols', '{GOOG}', 'limited');
insert into judged (title, reasons) select 'every limit', pg_temp.limited('{"order_type": "limit", "limit_price": "190"}');
insert into judged (title, reasons) select 'every limit of a sale', pg_temp.limited('{"action": "sell"}');
insert into judged (title, reasons)
select 'crossing a stop limit', pg_temp.limited('{"symbol": "AAPL", "action": "sell", "order_type": "limit", "limit_price": "181"}');
select test.given_account('external', '{"risk_engine": "external"}');
insert into judged (title, reasons)
select 'an engine', r.reasons
  from (select test.given_decision('external') as decision_hash) as d
 cross join lateral orderlatch.reject_decision(d.decision_hash, '{"note": "no"}') as r;
select set_eq(
  'select distinct r.reason from judged as j cross join unnest(j.reasons) as r(reason)',
  'select r.reason from orderlatch_data.risk_reasons as r',
  'the reasons that verdicts give are those that are described, and each of them is given'
);
select is_empty(
  $$ select 1 from orderlatch_data.risk_reasons as r where length(r.description) < 10 $$, 'each reason is described'
);
select is_empty('select i.promise from orderlatch.invariants as i where i.violations > 0', 'every invariant holds');

select * from finish();
rollback;
