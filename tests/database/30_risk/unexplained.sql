-- Differences with the broker's positions explain themselves by late fills of their own account and symbol alone.
begin;
select plan(7);

select test_support.hold_clock('2026-03-02 16:00:00Z');
select test.given_account('paper'), test.given_account('other');
create function pg_temp.differs(p_symbol text, p_ours numeric, p_theirs numeric, p_checks integer default 2, p_account text default 'paper')
returns void language sql as $$
  insert into orderlatch_data.position_differences (account_id, symbol, ours, theirs, first_seen_at, compared_at, checks)
  values (test.account_id(p_account), p_symbol, p_ours, p_theirs, orderlatch_data.clock(), orderlatch_data.clock(), p_checks)
$$;
create function pg_temp.unexplained(p_symbol text) returns text language sql as $$
  select string_agg(coalesce('buy ' || s.buy_qty, 'sell ' || s.sell_qty), ', ')
    from orderlatch_data.unexplained_stakes(test.account_id(), null) as s where s.symbol = p_symbol
$$;
create function pg_temp.late(p_id text, p_symbol text, p_side text, p_account text default 'paper') returns void language sql as $$
  select test.insert_order(
           test.a_broker_order(
             p_id, jsonb_build_object('symbol', p_symbol, 'side', p_side, 'status', 'filled', 'filled_qty', '10', 'filled_avg_price', '200')
           ),
           p_account
         )
$$;

select pg_temp.differs('GOOG', 0, 60), pg_temp.differs('AAPL', 60, 0), pg_temp.differs('MSFT', 0, 60, 1), pg_temp.differs('NVDA', 0, 10);
select pg_temp.differs('TSLA', 0, 60, 2, 'other');
select is(pg_temp.unexplained('GOOG'), 'buy 60', 'what was seen twice counts');
select is(pg_temp.unexplained('MSFT'), null, 'what was seen once does not');
select is(pg_temp.unexplained('TSLA'), null, 'nor what another account holds');
select pg_temp.late('other-fill', 'GOOG', 'buy', 'other'), pg_temp.late('other-symbol', 'NVDA', 'buy');
select is(pg_temp.unexplained('GOOG'), 'buy 60', 'late fills of another account or of another symbol explain nothing');
select is(pg_temp.unexplained('NVDA'), null, 'what late fills explain in full is no stake');
select pg_temp.late('sold', 'AAPL', 'sell'), pg_temp.late('bought', 'GOOG', 'buy');
select is(pg_temp.unexplained('GOOG') || ', ' || pg_temp.unexplained('AAPL'), 'buy 50, sell 50', 'late fills explain what they bought and sold');
select pg_temp.late('bought-too', 'AAPL', 'buy'), pg_temp.late('sold-too', 'GOOG', 'sell');
select is(pg_temp.unexplained('GOOG') || ', ' || pg_temp.unexplained('AAPL'), 'buy 60, sell 60', 'not what they did on the other side');

select * from finish();
rollback;
