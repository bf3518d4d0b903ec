-- Orders of a class and trailing stops: what leaves, and how the answer is compared with what was decided.
begin;
select plan(34);

select test_support.hold_clock('2026-03-02 15:00:00Z');
create sequence accounts;

-- What leaves -------------------------------------------------------------------------------------------------------------

create function pg_temp.body(p_members jsonb)
returns jsonb
language plpgsql
as $$
declare
  v_account constant text := test.given_account('account-' || nextval('accounts'));
  v_worker_id constant integer := test.given_worker(v_account);
begin
  perform test.given_approved_decision(v_account, p_members);
  return (select c.body::jsonb - 'client_order_id' from test.claim_one(v_worker_id) as c);
end
$$;
select is(pg_temp.body(c.members), c.body, c.title)
  from (
    values
      ('{}'::jsonb, '{"symbol": "GOOG", "qty": "10", "side": "buy", "type": "market", "time_in_force": "day"}'::jsonb,
       'a simple order says nothing of its class'),
      ('{"order_class": "BRACKET", "order_type": "limit", "limit_price": "190.0", "time_in_force": "gtc",
         "take_profit": {"limit_price": "200.50"}, "stop_loss": {"stop_price": 180, "limit_price": "179.90"}}',
       '{"symbol": "GOOG", "qty": "10", "side": "buy", "type": "limit", "time_in_force": "gtc", "limit_price": "190",
         "order_class": "bracket", "take_profit": {"limit_price": "200.5"}, "stop_loss": {"stop_price": "180", "limit_price": "179.9"}}',
       'a bracket leaves with its exits, as canonical decimals'),
      ('{"order_class": "oto", "stop_loss": {"stop_price": "180"}}',
       '{"symbol": "GOOG", "qty": "10", "side": "buy", "type": "market", "time_in_force": "day", "order_class": "oto",
         "stop_loss": {"stop_price": "180"}}',
       'an oto leaves with its one exit'),
      ('{"order_class": "oco", "action": "sell", "order_type": "limit", "take_profit": {"limit_price": "200"},
         "stop_loss": {"stop_price": "180"}}',
       '{"symbol": "GOOG", "qty": "10", "side": "sell", "type": "limit", "time_in_force": "day", "order_class": "oco",
         "take_profit": {"limit_price": "200"}, "stop_loss": {"stop_price": "180"}}',
       'an oco leaves with both, and no limit of its own'),
      ('{"order_type": "trailing_stop", "trail_price": "1.50", "time_in_force": "gtc"}',
       '{"symbol": "GOOG", "qty": "10", "side": "buy", "type": "trailing_stop", "time_in_force": "gtc", "trail_price": "1.5"}',
       'a trailing stop leaves with its trail in dollars'),
      ('{"order_type": "trailing_stop", "trail_percent": "0.50"}',
       '{"symbol": "GOOG", "qty": "10", "side": "buy", "type": "trailing_stop", "time_in_force": "day", "trail_percent": "0.5"}',
       'or in percent')
  ) as c(members, body, title);

-- What comes back -----------------------------------------------------------------------------------------------------------

-- How an answer is taken whose order shows p_shown: {meaning, members that differ}.
create function pg_temp.answer(p_members jsonb, p_shown jsonb)
returns text[]
language plpgsql
as $$
declare
  v_account constant text := test.given_account('account-' || nextval('accounts'));
  v_worker_id constant integer := test.given_worker(v_account);
  v_decision_hash constant text := test.given_submitting_decision(v_worker_id, p_members);
  v_meaning constant text := test.record(test.answer_order(test.holder(v_decision_hash), p_shown));
begin
  if (v_meaning = 'order_exists') <> (test.status(v_decision_hash) = 'submitted') then
    raise exception '% and %', v_meaning, test.status(v_decision_hash);
  end if;
  return v_meaning || array(
    select d.member
      from orderlatch_data.incidents as i
     cross join lateral jsonb_object_keys(i.detail -> 'differences') as d(member)
     where i.decision_id = test.decision_id(v_decision_hash)
     order by d.member
  );
end
$$;
create function pg_temp.leg(p_type text, p_limit_price text, p_stop_price text, p_side text default 'sell')
returns jsonb
language sql
as $$
  select jsonb_build_object(
           'id', 'leg-' || nextval('accounts'), 'client_order_id', gen_random_uuid(), 'symbol', 'GOOG', 'side', p_side, 'qty', '10',
           'filled_qty', '0', 'type', p_type, 'order_type', p_type, 'limit_price', p_limit_price, 'stop_price', p_stop_price,
           'status', 'held', 'order_class', 'bracket', 'submitted_at', '2026-03-02T15:00:00Z', 'updated_at', '2026-03-02T15:00:00Z'
         )
$$;
create temporary table decided (name text, members jsonb);
insert into decided values
  ('simple', '{}'),
  ('bracket', '{"order_class": "bracket", "take_profit": {"limit_price": "200"}, "stop_loss": {"stop_price": "180"}}'),
  ('limited', '{"order_class": "bracket", "take_profit": {"limit_price": "200"}, "stop_loss": {"stop_price": "180", "limit_price": "179"}}'),
  ('short', '{"order_class": "bracket", "action": "sell", "take_profit": {"limit_price": "180"}, "stop_loss": {"stop_price": "200"}}'),
  ('oto', '{"order_class": "oto", "stop_loss": {"stop_price": "180"}}'),
  ('oco', '{"order_class": "oco", "action": "sell", "order_type": "limit", "take_profit": {"limit_price": "200"}, "stop_loss": {"stop_price": "180"}}'),
  ('trail', '{"order_type": "trailing_stop", "trail_percent": "0.5"}');
select is(pg_temp.answer(d.members, c.shown), c.taken, format('%s: %s', c.name, c.title))
  from (
    values
      ('simple', '{"order_class": "simple"}'::jsonb, '{order_exists}'::text[], 'simple may be said'),
      ('simple', '{"order_class": "bracket"}', '{order_mismatch,order_class}', 'a bracket is no simple order'),
      ('bracket', '{"order_class": "bracket"}', '{order_exists}', 'legs need not be shown'),
      ('bracket', '{"order_class": "bracket", "legs": null}', '{order_exists}', 'legs may be null'),
      ('bracket', '{"order_class": ""}', '{order_mismatch,order_class}', 'a simple order is no bracket'),
      ('bracket', jsonb_build_object('order_class', 'bracket', 'legs', jsonb_build_array(
         pg_temp.leg('limit', '200.00', null), pg_temp.leg('stop', null, '180'))), '{order_exists}', 'both exits as decided'),
      ('bracket', jsonb_build_object('order_class', 'bracket', 'legs', jsonb_build_array(
         pg_temp.leg('limit', '200.01', null), pg_temp.leg('stop', null, '180'))),
       '{order_mismatch,take_profit.limit_price}', 'another profit'),
      ('bracket', jsonb_build_object('order_class', 'bracket', 'legs', jsonb_build_array(
         pg_temp.leg('limit', '200', null), pg_temp.leg('stop', null, '180.01'))),
       '{order_mismatch,stop_loss.stop_price}', 'another stop'),
      ('bracket', jsonb_build_object('order_class', 'bracket', 'legs', jsonb_build_array(
         pg_temp.leg('limit', '200', null), pg_temp.leg('stop_limit', '179', '180'))),
       '{order_mismatch,stop_loss.limit_price}', 'a limit that was not asked for'),
      ('bracket', jsonb_build_object('order_class', 'bracket', 'legs', jsonb_build_array(
         pg_temp.leg('limit', 'much', null), pg_temp.leg('stop', null, null))),
       '{order_mismatch,stop_loss.stop_price,take_profit.limit_price}', 'what is no price differs from every price'),
      ('bracket', jsonb_build_object('order_class', 'bracket', 'legs', jsonb_build_array(
         pg_temp.leg('limit', '200', null), pg_temp.leg('stop', null, '185') || '{"replaces": "leg-before"}')),
       '{order_exists}', 'a stop that somebody has moved since is not the one that was asked for'),
      ('bracket', jsonb_build_object('order_class', 'bracket', 'legs', jsonb_build_array(
         pg_temp.leg('limit', '200', null), pg_temp.leg('stop', null, '185') || '{"replaces": null}')),
       '{order_mismatch,stop_loss.stop_price}', 'one that replaces none is'),
      ('limited', jsonb_build_object('order_class', 'bracket', 'legs', jsonb_build_array(
         pg_temp.leg('limit', '200', null), pg_temp.leg('stop_limit', '179', '180'))), '{order_exists}', 'a stop with its limit'),
      ('limited', jsonb_build_object('order_class', 'bracket', 'legs', jsonb_build_array(
         pg_temp.leg('limit', '200', null), pg_temp.leg('stop', null, '180'))),
       '{order_mismatch,stop_loss.limit_price}', 'a stop without its limit'),
      ('short', jsonb_build_object('order_class', 'bracket', 'legs', jsonb_build_array(
         pg_temp.leg('limit', '180', null, 'buy'), pg_temp.leg('stop_limit', '205', '200', 'buy'))),
       '{order_exists}', 'a stop that buys, which the broker is known to turn into a stop limit'),
      ('short', jsonb_build_object('order_class', 'bracket', 'legs', jsonb_build_array(
         pg_temp.leg('limit', '180', null, 'buy'), pg_temp.leg('stop_limit', '205', '201', 'buy'))),
       '{order_mismatch,stop_loss.stop_price}', 'not at another price'),
      ('oto', jsonb_build_object('order_class', 'oto', 'legs', jsonb_build_array(pg_temp.leg('stop', null, '180'))), '{order_exists}', 'one exit'),
      ('oto', jsonb_build_object('order_class', 'oto', 'legs', jsonb_build_array(pg_temp.leg('limit', '200', null))),
       '{order_mismatch,take_profit.limit_price}', 'an exit that was not asked for'),
      ('oco', jsonb_build_object('order_class', 'oco', 'limit_price', '200', 'legs', jsonb_build_array(pg_temp.leg('stop', null, '180'))),
       '{order_exists}', 'shown as its profit, with the stop as a leg'),
      ('oco', jsonb_build_object('order_class', 'oco', 'limit_price', '201', 'legs', jsonb_build_array(pg_temp.leg('stop', null, '180'))),
       '{order_mismatch,limit_price}', 'another profit'),
      ('oco', jsonb_build_object('order_class', 'oco', 'limit_price', '200', 'legs', jsonb_build_array(pg_temp.leg('stop', null, '181'))),
       '{order_mismatch,stop_loss.stop_price}', 'another stop'),
      ('trail', '{"trail_percent": "0.50", "stop_price": "191.2", "hwm": "190.25"}', '{order_exists}', 'the stop moves with the market'),
      ('trail', '{"trail_percent": "0.6", "stop_price": "191.2"}', '{order_mismatch,trail_percent}', 'another trail'),
      ('trail', '{"trail_percent": "0.5", "trail_price": "1"}', '{order_mismatch,trail_price}', 'a second trail'),
      ('trail', '{"trail_percent": null}', '{order_mismatch,trail_percent}', 'no trail')
  ) as c(name, shown, taken, title)
  join decided as d on d.name = c.name;

-- An adopted order, a lookup and a list compare the same terms.
select test.given_account();
create temporary table looked as
  select w.worker_id, test.given_submitting_decision(w.worker_id, (select d.members from decided as d where d.name = 'bracket')) as decision_hash
    from (select test.given_worker() as worker_id) as w;
select test.record(test.answer_maybe(test.holder(l.decision_hash))) from looked as l;
select is(
  (select test.record(
            test.answer_order(
              (test.claim_one(l.worker_id, 'find_order')).request_id,
              jsonb_build_object('order_class', 'bracket', 'legs', jsonb_build_array(pg_temp.leg('limit', '201', null)))
            )
          )
     from looked as l),
  'order_mismatch', 'a lookup that shows other exits is a mismatch'
);
select results_eq(
  $$ select i.detail -> 'differences' from looked as l join orderlatch_data.incidents as i on i.decision_id = test.decision_id(l.decision_hash) $$,
  $$ values ('{"take_profit.limit_price": {"decided": "200", "shown": "201"}}'::jsonb) $$, 'the incident says what was decided and what is shown'
);
select is(test.broken_promises(), '{}', 'every promise is kept');

select * from finish();
rollback;
