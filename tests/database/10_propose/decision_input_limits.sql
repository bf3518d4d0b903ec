-- Where each limit lies: what is accepted at it, and refused one past it.
begin;
select plan(11);

create function pg_temp.code(p_change jsonb) returns text language sql as
$$ select coalesce(r.error_code, 'fine')
     from orderlatch_data.read_decision('paper', jsonb_build_object(
            'strategy_id', 's', 'symbol', 'AAPL', 'event_ts', '2026-02-08T14:30:00Z', 'timeframe', '1Min',
            'action', 'buy', 'qty', '1') || p_change) as r $$;

select results_eq(
  $$ select m.name, pg_temp.code(jsonb_build_object(m.name, repeat('é', m.longest))),
            pg_temp.code(jsonb_build_object(m.name, repeat('é', m.longest + 1)))
       from (values ('leg', 64), ('strategy_id', 128), ('symbol', 64), ('timeframe', 32)) as m(name, longest) $$,
  $$ values ('leg', 'fine', 'OL116'), ('strategy_id', 'fine', 'OL116'), ('symbol', 'fine', 'OL116'),
            ('timeframe', 'fine', 'OL116') $$,
  'texts are limited in characters'
);
select is(pg_temp.code(jsonb_build_object('symbol', repeat(' ', 100) || 'AAPL' || repeat(E'\n', 100))), 'fine',
  'a symbol is measured when it is trimmed');
select results_eq(
  $$ select pg_temp.code(jsonb_build_object(n.name, n.number))
       from (values (1, 'qty', repeat('9', 64)), (2, 'qty', repeat('9', 65)), (3, 'limit_price', '0.' || repeat('0', 63) || '1'),
                    (4, 'limit_price', '0.' || repeat('0', 64) || '1'), (5, 'stop_price', repeat('1', 32) || '.' || repeat('1', 32)),
                    (6, 'stop_price', repeat('1', 32) || '.' || repeat('1', 33)), (7, 'trail_price', '1e63'), (8, 'trail_price', '1e64'),
                    (9, 'trail_percent', '1e-64'), (10, 'trail_percent', '1e-65'), (11, 'notional', '1e9999'),
                    (12, 'notional', '1e-9999'), (13, 'reference_price', '1' || repeat('0', 127)), (14, 'qty', '1.' || repeat('0', 126)),
                    (15, 'qty', '1.' || repeat('0', 127))) as n(place, name, number)
      order by n.place $$,
  array['fine', 'OL118', 'fine', 'OL118', 'fine', 'OL118', 'fine', 'OL118', 'fine', 'OL118', 'OL118', 'OL118', 'OL118',
        'fine', 'OL118'],
  'numbers have at most 64 digits, and at most 128 characters as a string'
);
select results_eq(
  $$ select pg_temp.code(n.change::jsonb)
       from unnest(array['{"qty": 1e63}', '{"qty": 1e64}', '{"qty": 1e100000}', '{"qty": 1e-16383}', '{"params": {"a": 1e63}}',
                         '{"params": {"a": 1e64}}', '{"params": {"a": [{"b": 1e-65}]}}', '{"metadata": {"a": 1e64}}',
                         '{"stop_loss": {"stop_price": 1e64}}'])
            with ordinality as n(change, place) order by n.place $$,
  array['fine', 'OL118', 'OL118', 'OL118', 'fine', 'OL118', 'OL118', 'OL118', 'OL118'],
  'JSON numbers too, wherever they stand'
);
select results_eq(
  $$ select n.number, pg_temp.code(jsonb_build_object('qty', n.number))
       from unnest(array['NaN', 'nan', 'Infinity', '-Infinity', 'inf', '', ' ', '.', '-', '+', 'e1', '1e', '1e+', '1.2.3', '1,000',
                         '1_000', '0x10', '0b1', '0o7', '1e12345', '--1', '1 ', ' 1', '1' || chr(10), '$1', '１', '1/2', '1%'])
            with ordinality as n(number, place) order by n.place $$,
  $$ select n.number, 'OL114'
       from unnest(array['NaN', 'nan', 'Infinity', '-Infinity', 'inf', '', ' ', '.', '-', '+', 'e1', '1e', '1e+', '1.2.3', '1,000',
                         '1_000', '0x10', '0b1', '0o7', '1e12345', '--1', '1 ', ' 1', '1' || chr(10), '$1', '１', '1/2', '1%'])
            with ordinality as n(number, place) order by n.place $$,
  'what is not a plain decimal is no number, on every version of Postgres'
);
select results_eq(
  $$ select m.name, pg_temp.code(jsonb_build_object(m.name, 0)), pg_temp.code(jsonb_build_object(m.name, '-0.0')),
            pg_temp.code(jsonb_build_object(m.name, '-1')), pg_temp.code(jsonb_build_object(m.name, 1e-64))
       from orderlatch.decision_members as m where m.kind = 'decimal' and m.parent = '' order by m.name $$,
  $$ select m.name, 'OL115', 'OL115', 'OL115', 'fine'
       from unnest(array['limit_price', 'notional', 'qty', 'reference_price', 'stop_price', 'trail_percent', 'trail_price'])
            as m(name) $$,
  'quantities and prices are above zero'
);
select results_eq(
  $$ select pg_temp.code(jsonb_build_object(m.name, m.value))
       from (select octet_length(d.intent) as other from orderlatch_data.read_decision('paper', '{"strategy_id": "s",
               "symbol": "AAPL", "event_ts": "2026-02-08T14:30:00Z", "timeframe": "1Min", "action": "buy", "qty": 1,
               "params": {"k": ""}}') as r, unnest(r.decisions) as d) as i,
            lateral (values (1, 'rationale', to_jsonb(repeat('é', 4096))), (2, 'rationale', to_jsonb(repeat('é', 4096) || 'x')),
                    (3, 'metadata', jsonb_build_object('k', repeat('x', 16376))),
                    (4, 'metadata', jsonb_build_object('k', repeat('x', 16377))),
                    (5, 'params', jsonb_build_object('k', repeat('x', 16384 - i.other))),
                    (6, 'params', jsonb_build_object('k', repeat('x', 16385 - i.other))),
                    (7, 'params', jsonb_build_object('k', (repeat('[', 31) || repeat(']', 31))::jsonb)),
                    (8, 'params', jsonb_build_object('k', (repeat('[', 32) || repeat(']', 32))::jsonb)),
                    (9, 'metadata', jsonb_build_object('k', (repeat('[', 31) || repeat(']', 31))::jsonb)),
                    (10, 'metadata', jsonb_build_object('k', (repeat('[', 32) || repeat(']', 32))::jsonb)),
                    (11, 'params', jsonb_build_object('k', (repeat('[', 5000) || repeat(']', 5000))::jsonb)))
            as m(place, name, value)
      order by m.place $$,
  array['fine', 'OL117', 'fine', 'OL117', 'fine', 'OL117', 'fine', 'OL117', 'fine', 'OL117', 'OL117'],
  'rationale, metadata and the intent are limited in bytes, params and metadata in levels'
);
select is(
  pg_temp.code(jsonb_build_object(
    'params', jsonb_build_object('k', (select jsonb_agg(1) from generate_series(1, 8000))),
    'metadata', jsonb_build_object('k', (select jsonb_agg(1) from generate_series(1, 8000))),
    'rationale', repeat('x', 8192))),
  'fine', 'no bound on work refuses what is within the limits');
select throws_ok(
  format('set local statement_timeout = %L; select orderlatch.decision_hash(%L, %L)', '2s', 'paper',
    '{"strategy_id":"s","symbol":"AAPL","event_ts":"2026-02-08T14:30:00Z","timeframe":"1Min","action":"buy","params":{"a":['
      || repeat('1e100000,', 1000000) || '1]}}'),
  'OL117', 'decision_too_large: "p_decision" must be at most 262144 bytes as jsonb', '10 MB of params are refused in no time');

-- Compressed, as a table keeps it, a decision that is too large to be looked at takes little room.
create temporary table kept as
  select 'has a misspelt member' as title, test.a_decision() || jsonb_build_object('limit_prise', 1, 'rationale', repeat('x', 300000)) as decision
   union all
  select 'has a quantity that is no number', test.a_decision() || jsonb_build_object('qty', 'ten', 'rationale', repeat('x', 300000));
select throws_ok(
  format('select orderlatch.decision_hash(%L, k.decision) from kept as k where k.title = %L', 'paper', k.title), 'OL117',
  'decision_too_large: "p_decision" must be at most 262144 bytes as jsonb', format('what is kept compressed and %s is refused', k.title))
  from kept as k;

select * from finish();
rollback;
