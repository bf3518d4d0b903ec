-- Bad input is refused with its own SQLSTATE, names the member, and leaves nothing behind.
begin;
select plan(34);

select test_support.hold_clock('2026-03-02 15:00:00Z');
select test.given_account();

create temporary table refusals (decision jsonb, sqlstate text, message text, title text);
insert into refusals (decision, sqlstate, message, title) values
  ('[]', 'OL110', null, 'an array'),
  ('"buy"', 'OL110', null, 'a text'),
  (null, 'OL110', null, 'null'),
  ('{}', 'OL112', 'action', 'an empty object'),
  (test.a_decision('{"limit_prise": "190"}'), 'OL111', 'limit_prise', 'an unknown member'),
  (test.a_decision('{"symbol": null}'), 'OL112', 'symbol', 'a missing member'),
  (test.a_decision('{"symbol": 7}'), 'OL113', 'symbol', 'a member of the wrong type'),
  (test.a_decision('{"qty": "NaN"}'), 'OL114', 'qty', 'NaN'),
  (test.a_decision('{"qty": "Infinity"}'), 'OL114', 'qty', 'infinity'),
  (test.a_decision('{"qty": "ten"}'), 'OL114', 'qty', 'a word for a number'),
  (test.a_decision('{"qty": "-1"}'), 'OL115', 'qty', 'a negative quantity'),
  (test.a_decision('{"qty": 0}'), 'OL115', 'qty', 'a quantity of zero'),
  (test.a_decision(jsonb_build_object('symbol', repeat('A', 5000))), 'OL116', 'symbol', 'a symbol of 5,000 characters'),
  (test.a_decision(jsonb_build_object('params', jsonb_build_object('x', repeat('y', 10000000)))), 'OL117', null, '10 MB of params'),
  (test.a_decision(jsonb_build_object('rationale', repeat('y', 8193))), 'OL117', 'rationale', 'a rationale of 8,193 bytes'),
  (test.a_decision(jsonb_build_object('qty', repeat('9', 65))), 'OL118', 'qty', 'a number of 65 digits'),
  (test.a_decision('{"event_ts": "now"}'), 'OL119', 'event_ts', 'a time that is now'),
  (test.a_decision('{"event_ts": "2026-03-02 14:30:00"}'), 'OL119', 'event_ts', 'a time without a zone'),
  (test.a_decision('{"valid_until": "infinity"}'), 'OL119', 'valid_until', 'a time that never comes'),
  (test.a_decision('{"action": "hold"}'), 'OL120', 'action', 'an action that is none'),
  (test.a_decision('{"symbol": " "}'), 'OL120', 'symbol', 'a blank symbol'),
  (test.a_decision('{"strategy_id": "a\u0007b"}'), 'OL120', 'strategy_id', 'a control character'),
  (test.a_decision('{"account": "another"}'), 'OL120', 'account', 'a member account of another account'),
  (test.a_decision(jsonb_build_object('decision_hash', repeat('0', 64))), 'OL121', 'decision_hash', 'a forged hash');

create function pg_temp.propose(p_decision jsonb)
returns text
language plpgsql
as $$
begin
  perform orderlatch.propose_decision('paper', p_decision);
  return 'accepted';
exception
  when others then
    return sqlstate || ' ' || sqlerrm;
end
$$;
select matches(
         pg_temp.propose(r.decision),
         '^' || r.sqlstate || ' ' || c.name || ': .*' || coalesce(r.message, ''),
         format('%s is refused as %s', r.title, c.name)
       )
  from refusals as r
  join orderlatch.error_codes as c on c.sqlstate = r.sqlstate;

select throws_ok(
  $$ select orderlatch.propose_decision('nobody', test.a_decision()) $$, 'OL102', null, 'an unknown account is refused'
);
select throws_ok(
  $$ select orderlatch.ensure_decision('nobody', test.a_decision()) $$, 'OL102', null, 'ensure_decision refuses it too'
);
select throws_ok(
  $$ select orderlatch.propose_decision(null, test.a_decision()) $$, 'OL102', null, 'null names no account'
);
select throws_ok(
  $$ select orderlatch.propose_decision('paper', '{"rationale": "a\u0000b"}') $$, '22P05', null,
  'a null byte is no jsonb: Postgres refuses it before any function runs'
);

-- The same in one array.
select results_eq(
  $$ select p.input_no, p.outcome, p.error_code
       from orderlatch.propose_decisions('paper', (select jsonb_agg(r.decision) from refusals as r)) as p
      order by p.input_no $$,
  $$ select row_number() over ()::integer, 'invalid', r.sqlstate from refusals as r $$,
  'in an array each bad element has the code that it has alone'
);
select results_eq(
  $$ select (select count(*) from orderlatch_data.trade_decisions), (select count(*) from orderlatch_data.open_decisions),
            (select count(*) from orderlatch_data.decision_events), (select count(*) from orderlatch_data.live_signals),
            (select count(*) from orderlatch_data.risk_verdicts), (select count(*) from orderlatch_data.incidents) $$,
  'values (0::bigint, 0::bigint, 0::bigint, 0::bigint, 0::bigint, 0::bigint)',
  'what was refused has left nothing behind'
);

-- The limits themselves are accepted.
select is(
  pg_temp.propose(
    test.a_decision(
      jsonb_build_object(
        'symbol', repeat('A', 64), 'strategy_id', repeat('s', 128), 'timeframe', repeat('t', 32), 'leg', repeat('l', 64),
        'rationale', repeat('y', 8192), 'qty', '1' || repeat('0', 63)
      )
    )
  ),
  'accepted', 'texts and numbers of the greatest length are taken'
);
select is(
  pg_temp.propose(
    (select d.decision || jsonb_build_object('decision_hash', orderlatch.decision_hash('paper', d.decision))
       from (select test.a_decision() as decision) as d)
  ),
  'accepted', 'a decision_hash that is right is taken'
);
select is(
  pg_temp.propose(test.a_decision('{"account": "paper"}')), 'accepted', 'a member account of the same account is taken'
);

-- The error says as much as the reading of the decision does.
create function pg_temp.raised(p_decision jsonb) returns text[] language plpgsql as $$
declare
  v_detail text;
  v_hint text;
begin
  perform orderlatch.propose_decision('paper', p_decision);
  return null;
exception when others then
  get stacked diagnostics v_detail = pg_exception_detail, v_hint = pg_exception_hint;
  return array[sqlstate, sqlerrm, v_detail, v_hint];
end
$$;
select is(
  pg_temp.raised(test.a_decision('{"action": "hold"}')),
  (
    select array[r.error_code, r.error_message, r.error_detail, r.error_hint]
      from orderlatch_data.read_decision('paper', test.a_decision('{"action": "hold"}')) as r
  ),
  'with its detail and its hint'
);

select * from finish();
rollback;
