begin;
select plan(4);

select is(
  orderlatch_data.signal_key(1, 's', 'AAPL', '1Min', '2026-02-08T14:30:00Z', ''),
  encode(substr(sha256('[1,"s","AAPL","1Min","2026-02-08T14:30:00.000000Z",""]'), 1, 16), 'hex')::uuid,
  'a signal''s key is the head of the sha256 of its parts'
);
select is(
  (select count(distinct orderlatch_data.signal_key(k.account_id, k.strategy_id, k.symbol, k.timeframe, k.event_ts, k.leg))
     from (values
       (1, 's', 'AAPL', '1Min', '2026-02-08T14:30:00Z'::timestamptz, ''),
       (2, 's', 'AAPL', '1Min', '2026-02-08T14:30:00Z', ''),
       (1, 't', 'AAPL', '1Min', '2026-02-08T14:30:00Z', ''),
       (1, 's', 'AAPL', '5Min', '2026-02-08T14:30:00Z', ''),
       (1, 's', 'AAP', 'L1Min', '2026-02-08T14:30:00Z', ''),
       (1, 's', 'AAPL', '1Min', '2026-02-08T14:30:00.000001Z', ''),
       (1, 's', 'AAPL', '1Min', '2026-02-08T14:30:00Z', 'a'),
       (1, 's","AAPL', '1Min', '1Min', '2026-02-08T14:30:00Z', ''),
       (1, 's', 'AAPL","1Min', '1Min', '2026-02-08T14:30:00Z', '')
     ) as k(account_id, strategy_id, symbol, timeframe, event_ts, leg)),
  9::bigint, 'signals that differ in any part, or in where a part ends, have other keys'
);
select is(orderlatch_data.signal_key(1, 's', null, '1Min', '2026-02-08T14:30:00Z', ''), null, 'half a signal has no key');
set local timezone = 'Asia/Tokyo';
select is(
  orderlatch_data.signal_key(1, 's', 'AAPL', '1Min', '2026-02-08T23:30:00', ''),
  orderlatch_data.signal_key(1, 's', 'AAPL', '1Min', '2026-02-08T14:30:00Z', ''),
  'the session''s time zone does not matter'
);

select * from finish();
rollback;
