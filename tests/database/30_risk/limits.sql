-- Each kind of limit that looks at the order alone, on both sides of its edge.
begin;
select plan(65);

select test_support.hold_clock('2026-03-02 15:00:00Z');

-- The reasons that a decision gets on an account of its own with one limit.
create sequence accounts;
create function pg_temp.reasons(p_limit_kind text, p_ceiling numeric, p_members jsonb)
returns text[]
language plpgsql
as $$
declare
  v_account constant text := test.given_account('account-' || nextval('accounts'));
begin
  perform orderlatch.set_limit(p_limit_kind, p_ceiling, v_account);
  return (select p.reasons from orderlatch.propose_decision(v_account, test.a_decision(p_members)) as p);
end
$$;

create temporary table cases (limit_kind text, ceiling numeric, members jsonb, reasons text[], title text);
insert into cases values
  -- the decision of the fixtures buys 10 at the market, seen at 190.25
  ('order_quantity', 10, '{}', '{}', 'as many shares as allowed'),
  ('order_quantity', 9.999999999, '{}', '{order_quantity}', 'a billionth of a share too many'),
  ('order_quantity', 0, '{"qty": "0.000000001"}', '{order_quantity}', 'anything under a limit of zero'),
  ('order_quantity', 10, '{"reference_price": null}', '{}', 'a quantity is known without a price'),
  ('order_quantity', 10, '{"qty": null, "notional": "1902.50"}', '{}', 'as many dollars as the shares are worth'),
  ('order_quantity', 10, '{"qty": null, "notional": "1902.51"}', '{order_quantity}', 'a cent more than the shares are worth'),
  ('order_quantity', 10, '{"qty": null, "notional": "100", "reference_price": null}', '{missing_price}', 'dollars without a price'),
  ('order_quantity', 10, '{"qty": null, "notional": "100", "order_type": "limit", "limit_price": "190", "reference_price": null}',
   '{missing_price}', 'dollars with a limit only, under which they may buy more'),
  ('order_quantity', 10, '{"qty": null, "notional": "1900", "order_type": "limit", "limit_price": "190"}', '{}',
   'dollars at a limit below the reference'),
  ('order_quantity', 10, '{"qty": null, "notional": "1900.01", "order_type": "limit", "limit_price": "190"}',
   '{order_quantity}', 'dollars at a limit below the reference, a cent too many'),
  ('order_quantity', 10, '{"qty": null, "notional": "1902.51", "order_type": "limit", "limit_price": "200"}',
   '{order_quantity}', 'dollars by the reference when the limit is above it'),
  ('order_quantity', 10, '{"qty": null}', '{invalid_order:no_size}', 'no size at all is no matter of prices'),

  ('order_notional', 1902.50, '{}', '{}', 'worth as many dollars as allowed'),
  ('order_notional', 1902.49, '{}', '{order_notional}', 'worth a cent too much'),
  ('order_notional', 1902.50, '{"reference_price": null}', '{missing_price}', 'a market order without a reference'),
  ('order_notional', 1902.50, '{"action": "sell", "reference_price": null}', '{missing_price}', 'a market sale without a reference'),
  ('order_notional', 100, '{"qty": null, "notional": "100", "reference_price": null}', '{}', 'dollars need no price'),
  ('order_notional', 99.99, '{"qty": null, "notional": "100", "reference_price": null}', '{order_notional}', 'a cent of dollars too many'),
  ('order_notional', 1900, '{"order_type": "limit", "limit_price": "190"}', '{}', 'a limited buy pays at most its limit'),
  ('order_notional', 1899.99, '{"order_type": "limit", "limit_price": "190"}', '{order_notional}', 'a limited buy a cent too high'),
  ('order_notional', 1900, '{"order_type": "limit", "limit_price": "190", "reference_price": null}', '{}', 'a limit is a price'),
  ('order_notional', 1902.50, '{"action": "sell", "order_type": "limit", "limit_price": "190"}', '{}',
   'a limited sale is worth the higher of limit and reference'),
  ('order_notional', 1902.49, '{"action": "sell", "order_type": "limit", "limit_price": "190"}', '{order_notional}',
   'a limited sale by its reference'),
  ('order_notional', 2000, '{"action": "sell", "order_type": "limit", "limit_price": "200"}', '{}', 'a limited sale by its limit'),
  ('order_notional', 1999.99, '{"action": "sell", "order_type": "limit", "limit_price": "200"}', '{order_notional}',
   'a limited sale by its limit, a cent too high'),
  ('order_notional', 2000, '{"order_type": "stop", "stop_price": "200"}', '{}', 'a stop above the reference'),
  ('order_notional', 1999.99, '{"order_type": "stop", "stop_price": "200"}', '{order_notional}', 'a stop above the reference, a cent too high'),
  ('order_notional', 1902.49, '{"action": "sell", "order_type": "stop", "stop_price": "180"}', '{order_notional}',
   'a stop below the reference is valued by the reference'),
  ('order_notional', 2010, '{"order_type": "stop_limit", "stop_price": "200", "limit_price": "201"}', '{}',
   'a stop limit buy pays at most its limit'),
  ('order_notional', 2009.99, '{"order_type": "stop_limit", "stop_price": "200", "limit_price": "201"}', '{order_notional}',
   'a stop limit buy a cent too high'),

  ('price_distance', 0.05, '{"order_type": "limit", "limit_price": "105", "reference_price": "100"}', '{}', 'a limit five percent above'),
  ('price_distance', 0.05, '{"order_type": "limit", "limit_price": "105.01", "reference_price": "100"}', '{price_distance}',
   'a limit a cent further above'),
  ('price_distance', 0.05, '{"order_type": "limit", "limit_price": "95", "reference_price": "100"}', '{}', 'a limit five percent below'),
  ('price_distance', 0.05, '{"order_type": "limit", "limit_price": "94.99", "reference_price": "100"}', '{price_distance}',
   'a limit a cent further below'),
  ('price_distance', 0.05, '{"action": "sell", "order_type": "stop", "stop_price": "95", "reference_price": "100"}', '{}', 'a stop as near'),
  ('price_distance', 0.05, '{"action": "sell", "order_type": "stop", "stop_price": "94.99", "reference_price": "100"}', '{price_distance}',
   'a stop a cent further'),
  ('price_distance', 0.05, '{"order_type": "stop_limit", "stop_price": "104", "limit_price": "105.01", "reference_price": "100"}',
   '{price_distance}', 'a stop limit of which one price is a cent too far'),
  ('price_distance', 0, '{"order_type": "limit", "limit_price": "100", "reference_price": "100"}', '{}', 'the very price'),
  ('price_distance', 0.05, '{"order_type": "limit", "limit_price": "105", "reference_price": null}', '{missing_price}', 'a limit and no reference'),
  ('price_distance', 0, '{"reference_price": null}', '{}', 'a market order, which names no price'),
  ('price_distance', 0.05,
   '{"order_class": "bracket", "order_type": "limit", "limit_price": "105", "reference_price": "100", "take_profit": {"limit_price": "200"}, "stop_loss": {"stop_price": "50"}}',
   '{}', 'a bracket whose exits are far away'),

  ('signal_age', 3600, '{"event_ts": "2026-03-02T14:00:00Z"}', '{}', 'an event exactly as old as allowed'),
  ('signal_age', 3600, '{"event_ts": "2026-03-02T13:59:59.999999Z"}', '{signal_age}', 'an event a microsecond too old'),
  ('signal_age', 0, '{"event_ts": "2026-03-02T15:00:00Z"}', '{}', 'an event of this moment'),
  ('signal_age', 0, '{"event_ts": "2026-03-02T15:00:01Z"}', '{}', 'an event of the future'),
  ('signal_age', 0, '{"event_ts": "0001-01-01T00:00:00Z"}', '{signal_age}', 'an event of the year 1');

select is(
         pg_temp.reasons(c.limit_kind, c.ceiling, c.members), c.reasons,
         format('%s %s: %s is %s', c.limit_kind, c.ceiling, c.title, case c.reasons when '{}' then 'approved' else c.reasons::text end)
       )
  from cases as c;

select is(
  (select array_agg(k.limit_kind order by k.limit_kind collate "C")
     from orderlatch_data.risk_limit_kinds as k
    where k.looks_at = 'decision' and k.takes = 'ceiling'),
  (select array_agg(distinct c.limit_kind order by c.limit_kind) from cases as c),
  'every kind of limit that has a bound and looks at the order alone was tried'
);

-- Lists of symbols.
select test.given_account('lists', '{"one_decision_per_signal": false}');
create function pg_temp.listed(p_strategy_id text, p_symbol text)
returns text[]
language sql
as $$
  select p.reasons
    from orderlatch.propose_decision(
           'lists', test.a_decision(jsonb_build_object('strategy_id', p_strategy_id, 'symbol', p_symbol, 'time_in_force', 'gtc'))
         ) as p
$$;
create temporary table listed as
  select orderlatch.set_symbols('allowed_symbols', '{goog, BTC/USD ,AAPL}', 'lists') as wide,
         orderlatch.set_symbols('allowed_symbols', '{GOOG,MSFT}', 'lists', 'narrow') as narrow,
         orderlatch.set_symbols('denied_symbols', '{AAPL}', null, 'picky') as denied;
select is(pg_temp.listed(c.strategy_id, c.symbol), c.reasons, format('%s of %s: %s', c.symbol, c.strategy_id, c.title))
  from (
    values
      ('any', 'GOOG', '{}'::text[], 'a symbol on the list'),
      ('any', 'goog', '{}', 'in another spelling'),
      ('any', 'BTC/USD', '{}', 'a pair'),
      ('any', 'MSFT', '{symbol_not_allowed}', 'one that is not on it'),
      ('narrow', 'GOOG', '{}', 'on both lists'),
      ('narrow', 'AAPL', '{symbol_not_allowed}', 'on the wide list only'),
      ('narrow', 'MSFT', '{symbol_not_allowed}', 'on the narrow list only: it does not loosen the wide one'),
      ('picky', 'AAPL', '{symbol_denied}', 'denied to the strategy on every account'),
      ('picky', 'MSFT', '{symbol_not_allowed}', 'denied nowhere, allowed nowhere'),
      ('picky', 'GOOG', '{}', 'allowed and not denied')
  ) as c(strategy_id, symbol, reasons, title);
select results_eq(
  $$ select orderlatch_data.told_limits(v.limits)
       from orderlatch_data.risk_verdicts as v
       join orderlatch_data.trade_decisions as d on d.decision_id = v.decision_id
      where d.strategy_id = 'narrow'
      order by v.decision_id
      limit 1 $$,
  $$ select jsonb_build_array(
              jsonb_build_object('limit_id', o.limit_id, 'limit_kind', 'opposite_order', 'ceiling', 0),
              jsonb_build_object('limit_id', l.wide, 'limit_kind', 'allowed_symbols', 'symbols', 3,
                                 'set_at', '2026-03-02 15:00:00Z'::timestamptz),
              jsonb_build_object('limit_id', l.narrow, 'limit_kind', 'allowed_symbols', 'symbols', 2,
                                 'set_at', '2026-03-02 15:00:00Z'::timestamptz)
            )
       from listed as l, orderlatch_data.risk_limits as o
      where o.limit_kind = 'opposite_order' and o.account_id = test.account_id('lists') $$,
  'a verdict names the version of each list that it was given by'
);
select is(
  orderlatch.set_symbols('allowed_symbols', '{MSFT}', 'lists', p_enabled => false), l.wide, 'a list is changed as a whole'
) from listed as l;
select is(pg_temp.listed('any', 'TSLA'), '{}', 'a list that is switched off does not apply');

-- What a verdict keeps.
select test.given_account('kept');
select orderlatch.set_limit('opposite_order', 0, 'kept', p_enabled => false);
create temporary table kept as
  select orderlatch.set_limit('order_notional', 1000, 'kept') as notional_id,
         orderlatch.set_limit('order_quantity', 5, 'kept') as quantity_id,
         orderlatch.set_limit('signal_age', 60, 'kept') as age_id;
create temporary table verdict as
  select p.decision_id, p.decision_hash, p.reasons
    from orderlatch.propose_decision(
           'kept', test.a_decision('{"event_ts": "2026-03-02T14:30:00Z", "order_type": "limit", "reference_price": null}')
         ) as p;
select is(
  (select v.reasons from verdict as v),
  '{invalid_order:missing_limit_price,missing_price,order_quantity,signal_age}',
  'a verdict names every reason, faults of the order first'
);
select results_eq(
  $$ select r.verdict_no, r.verdict, orderlatch_data.told_limits(r.limits), r.inputs, r.evidence, r.judged_at
       from verdict as v join orderlatch_data.risk_verdicts as r on r.decision_id = v.decision_id $$,
  $$ select 1::smallint, 'rejected',
            jsonb_build_array(
              jsonb_build_object('limit_id', k.notional_id, 'limit_kind', 'order_notional', 'ceiling', 1000),
              jsonb_build_object('limit_id', k.quantity_id, 'limit_kind', 'order_quantity', 'ceiling', 5),
              jsonb_build_object('limit_id', k.age_id, 'limit_kind', 'signal_age', 'ceiling', 60)
            ),
            '{"qty": 10, "signal_age_s": 1800.000}'::jsonb, null::jsonb, '2026-03-02 15:00:00Z'::timestamptz
       from kept as k $$,
  'a verdict keeps the limits and the inputs that it was given by'
);
select is(
  orderlatch_data.told_limits('[{"ceiling": 5, "limit_id": 1, "limit_kind": "order_quantity"}]'),
  '[{"ceiling": 5, "limit_id": 1, "limit_kind": "order_quantity"}]', 'one from before revision 0017 says them itself'
);
select orderlatch.set_limit('order_quantity', 100, 'kept');
select orderlatch.set_limit('order_notional', 100000, 'kept');
select orderlatch.set_limit('signal_age', 100000, 'kept');
select results_eq(
  $$ select e.status, e.reasons from verdict as v, orderlatch.evaluate_decision(v.decision_hash) as e $$,
  $$ select 'rejected', v.reasons from verdict as v $$, 'a verdict stands when the limits change'
);
create temporary table next as
  select p.decision_id, p.status from orderlatch.propose_decision('kept', test.a_decision('{"event_ts": "2026-03-02T14:00:01Z"}')) as p;
select results_eq(
  $$ select n.status, r.verdict, r.reasons, orderlatch_data.told_limits(r.limits) -> 1 ->> 'ceiling', r.inputs
       from next as n join orderlatch_data.risk_verdicts as r on r.decision_id = n.decision_id $$,
  $$ values ('approved', 'approved', '{}'::text[], '100', '{"qty": 10, "price": 190.25, "signal_age_s": 3599.000}'::jsonb) $$,
  'a decision judged after the change is judged by the new limits'
);

select * from finish();
rollback;
