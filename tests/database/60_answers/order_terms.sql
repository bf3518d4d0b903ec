-- An order found must agree with its decision field by field; only spellings and known rewrites may differ.
begin;
select plan(47);

select test.given_account();
create function pg_temp.differences(p_members jsonb, p_shown jsonb) returns text language plpgsql as $$
declare
  v_decision_hash constant text := test.given_decision('paper', p_members);
begin
  return (
    select array(
             select k from jsonb_object_keys(orderlatch_data.order_differences(d, test.order_document(v_decision_hash, p_shown))) as k order by k
           )::text
      from orderlatch_data.trade_decisions as d
     where d.decision_hash = decode(v_decision_hash, 'hex'));
end
$$;

select is(pg_temp.differences(t.decided, t.shown), t.differs, t.title)
  from (
    values
      ('{}'::jsonb, '{}'::jsonb, '{}', 'the order that was decided agrees'),
      ('{}', '{"client_order_id": "x"}', '{client_order_id}', 'another client_order_id differs'),
      ('{}', '{"symbol": "AAPL"}', '{symbol}', 'another symbol differs'),
      ('{}', '{"symbol": "goog"}', '{}', 'a symbol in lower case agrees'),
      ('{}', '{"symbol": null}', '{symbol}', 'no symbol differs'),
      ('{}', '{"side": "sell"}', '{side}', 'the other side differs'),
      ('{}', '{"side": null}', '{side}', 'no side differs'),
      ('{}', '{"type": "limit"}', '{type}', 'another type differs'),
      ('{}', '{"type": null}', '{}', 'the type may be under order_type alone'),
      ('{}', '{"type": null, "order_type": null}', '{type}', 'no type differs'),
      ('{}', '{"time_in_force": "gtc"}', '{time_in_force}', 'another time in force differs'),
      ('{}', '{"qty": "10.0"}', '{}', 'a quantity with zeros at its end agrees'),
      ('{}', '{"qty": 10}', '{}', 'a quantity that is a number agrees'),
      ('{}', '{"qty": "010"}', '{}', 'a quantity with a zero before it agrees'),
      ('{}', '{"qty": 1e1}', '{}', 'a quantity with an exponent agrees'),
      ('{}', '{"qty": "11"}', '{qty}', 'another quantity differs'),
      ('{}', '{"qty": "10.000000001"}', '{qty}', 'by however little'),
      ('{}', '{"qty": "-10"}', '{qty}', 'a negative quantity differs'),
      ('{}', '{"qty": null}', '{qty}', 'no quantity differs'),
      ('{}', '{"qty": "ten"}', '{qty}', 'a quantity that is no number differs'),
      ('{}', '{"qty": ["10"]}', '{qty}', 'a quantity in a list differs'),
      ('{}', '{"qty": "NaN"}', '{qty}', 'NaN differs'),
      ('{}', '{"notional": "5"}', '{notional}', 'dollars that were not decided differ'),
      ('{}', '{"notional": "x"}', '{notional}', 'also when they are no number'),
      ('{"qty": null, "notional": "12.5"}', '{"notional": "12.50", "qty": null}', '{}', 'dollars that were decided agree'),
      ('{"qty": null, "notional": "12.5"}', '{"notional": "12.51", "qty": null}', '{notional}', 'other dollars differ'),
      ('{"qty": null, "notional": "12.5"}', '{"notional": null, "qty": "0.06"}', '{notional,qty}',
       'shares instead of dollars differ in both'),
      ('{}', '{"limit_price": "190"}', '{limit_price}', 'a limit that was not decided differs'),
      ('{}', '{"stop_price": "190"}', '{stop_price}', 'so does a stop'),
      ('{"order_type": "limit", "limit_price": "190.1"}', '{"limit_price": "190.10"}', '{}', 'the limit that was decided agrees'),
      ('{"order_type": "limit", "limit_price": "190.1"}', '{"limit_price": "190.11"}', '{limit_price}', 'another limit differs'),
      ('{"order_type": "limit", "limit_price": "190.1"}', '{"limit_price": null}', '{limit_price}', 'no limit differs'),
      ('{"order_type": "limit", "limit_price": "190.1"}', '{"type": "market", "order_type": "market", "limit_price": null}',
       '{limit_price,type}',
       'a limit order that is shown at the market differs in both'),
      ('{"order_type": "stop", "stop_price": "195"}', '{"stop_price": "195.00"}', '{}', 'the stop that was decided agrees'),
      ('{"order_type": "stop", "stop_price": "195"}',
       '{"type": "stop_limit", "order_type": "stop_limit", "limit_price": "202.8"}', '{}',
       'a buy stop that comes back as a stop limit agrees'),
      ('{"order_type": "stop", "stop_price": "195"}', '{"type": "stop_limit", "limit_price": "202.8", "stop_price": "196"}',
       '{stop_price}',
       'but not with another stop'),
      ('{"order_type": "stop", "stop_price": "195"}', '{"type": "stop_limit", "limit_price": "202.8", "qty": "9"}', '{qty}',
       'nor with another quantity'),
      ('{"order_type": "stop", "stop_price": "195"}', '{"type": "stop", "limit_price": "202.8"}', '{limit_price}',
       'a buy stop with a limit differs'),
      ('{"order_type": "stop", "stop_price": "195"}', '{"type": "limit", "limit_price": "202.8"}', '{limit_price,type}',
       'a buy stop that comes back as a limit differs'),
      ('{"order_type": "stop", "stop_price": "180", "action": "sell"}', '{"type": "stop_limit", "limit_price": "170"}',
       '{limit_price,type}',
       'a sell stop that comes back as a stop limit differs'),
      ('{"order_type": "stop_limit", "stop_price": "195", "limit_price": "196"}', '{"limit_price": "202.8"}', '{limit_price}',
       'a stop limit with another limit differs')
  ) as t(decided, shown, differs, title);

select test.given_decision('paper', '{"order_type": "limit", "limit_price": "190.1"}') as decision \gset
select is(
  (select orderlatch_data.order_differences(d, test.order_document(:'decision', jsonb_build_object('side', repeat('x', 500), 'limit_price', '7')))
     from orderlatch_data.trade_decisions as d where d.decision_hash = decode(:'decision', 'hex')),
  jsonb_build_object('side', jsonb_build_object('decided', 'buy', 'shown', repeat('x', 100)),
                     'limit_price', '{"decided": "190.1", "shown": "7"}'::jsonb),
  'a difference names what was decided and what is shown, its first 100 characters');
select is((select orderlatch_data.order_differences(d, '{}') from orderlatch_data.trade_decisions as d
            where d.decision_hash = decode(:'decision', 'hex'))
            - '{client_order_id,symbol,side,type,time_in_force,qty,limit_price}'::text[], '{}'::jsonb,
              'an empty document differs in every term');
select is(pg_temp.differences('{"symbol": "BTC/USD", "time_in_force": "gtc"}', '{}'), '{}', 'a crypto pair agrees');
select is(pg_temp.differences('{"symbol": "BTC/USD", "time_in_force": "gtc"}', '{"symbol": "BTCUSD"}'), '{}',
          'also when it is shown as positions spell it');
select is(pg_temp.differences('{"symbol": "BTCUSD", "time_in_force": "gtc"}', '{"symbol": "BTC/USD"}'), '{}', 'or was decided so, as before it was rejected');
select is(pg_temp.differences('{"symbol": "BTC/USD", "time_in_force": "gtc"}', '{"symbol": "BTC/USDT"}'), '{symbol}', 'another pair differs');

select * from finish();
rollback;
