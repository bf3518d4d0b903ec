begin;
select plan(5);

select is(
  orderlatch_data.signal_key(1, 's', 'AAPL', '1Min', '2026-02-08T14:30:00Z', ''),
  ('0ee11a94e8' || encode(substr(sha256('[1,"s","AAPL","1Min","2026-02-08T14:30:00.000000Z",""]'), 1, 11), 'hex'))::uuid,
  'a signal''s key is its second, from year 1 on, and the head of the sha256 of its parts'
);
select is(
  (select array_agg(left(orderlatch_data.signal_key(1, 's', 'AAPL', '1Min', k.event_ts, '')::text, 11) order by k.event_ts)
     from unnest(array['0001-01-01T00:00:00Z', '0001-01-01T00:00:01.999999Z', '1969-12-31T23:59:59.999999Z',
                       '1970-01-01T00:00:00Z', '9999-12-31T23:59:59.999999Z']::timestamptz[]) as k(event_ts)),
  array['00000000-00', '00000000-01', '0e7791f6-ff', '0e7791f7-00', '49778638-7f'],
  'keys come in the order of their seconds, in all years that a decision may name'
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
