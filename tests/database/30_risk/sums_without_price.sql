-- A decision that no price is known for passes no limit that adds up dollars, and one of dollars none of shares.
begin;
select plan(8);

select test_support.hold_clock('2026-03-02 15:00:00Z');
create temporary table cases as
  select c.limit_kind, c.action, c.limit_kind || '_' || c.action as account
    from (
      values ('notional_a_day', 'buy'), ('notional_a_day', 'sell'), ('position_notional', 'buy'), ('position_notional', 'sell'),
             ('gross_exposure', 'buy'), ('gross_exposure', 'sell')
    ) as c(limit_kind, action);
create function pg_temp.reasons(p_account text, p_members jsonb) returns text[] language sql volatile as $$
  select p.reasons from orderlatch.propose_decision(p_account, test.a_decision('{"reference_price": null}'::jsonb || p_members)) as p
$$;
select test.given_account(c.account, '{"one_decision_per_signal": false}'), test.given_approved_decision(c.account, '{"symbol": "AAPL"}')
  from cases as c;
select orderlatch.set_limit(c.limit_kind, 1000000000, c.account) from cases as c;
select is(pg_temp.reasons(c.account, jsonb_build_object('symbol', 'GOOG', 'action', c.action)), '{missing_price}', c.limit_kind || ' of a ' || c.action)
  from cases as c;

-- Sold by dollars, how many shares that is depends on the price.
select test.given_account('shares');
select orderlatch.set_limit('short_selling', 100, 'shares');
select is(pg_temp.reasons('shares', '{"action": "sell", "qty": null, "notional": "50"}'), '{missing_price}', 'short_selling of dollars');

-- A decision tells its own price: another's is taken only for what is approved already.
select orderlatch_data.save_broker_positions(test.account_id('notional_a_day_buy'), jsonb_build_array(test.a_position('GOOG', '10', '{"current_price": "100"}')));
select is(pg_temp.reasons('notional_a_day_buy', '{"symbol": "GOOG"}'), '{missing_price}', 'a price that the broker told is no price of the decision');

select * from finish();
rollback;
