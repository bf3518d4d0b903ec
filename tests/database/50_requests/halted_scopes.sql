-- What halts stand over is passed over, by whichever name; the others go, in the order of approval.
begin;
select plan(14);

select test_support.hold_clock('2026-03-02 15:00:00Z');
select test.given_account('paper', '{"max_in_doubt": 100}'), test.given_account('other');
select test.given_worker() as worker \gset
select test.given_approved_decision('paper', jsonb_build_object('strategy_id', s.strategy, 'symbol', y.symbol, 'time_in_force', 'gtc'))
  from unnest('{calm,amok}'::text[]) as s(strategy), unnest('{GOOG,BTC/USD,MSFT}'::text[]) as y(symbol);

-- What a claim would be granted under a halt, each symbol once; then the halt is lifted.
create function pg_temp.granted_under(p_account text, p_strategy text, p_symbol text)
returns text
language plpgsql
as $$
declare
  v_halt_id bigint := test.given_halt('to see', p_account, p_strategy, p_symbol);
  v_granted text;
begin
  begin
    select string_agg(t.strategy_id || ' ' || t.symbol, ', ' order by t.decision_id) into v_granted
      from test.claim(current_setting('test.worker')::integer) as c
      join orderlatch_data.trade_decisions as t on encode(t.decision_hash, 'hex') = test.decision_of(c.request_id);
    raise exception using errcode = 'P0999';
  exception when sqlstate 'P0999' then
    perform orderlatch.lift_halt(v_halt_id, 'seen');
  end;
  return coalesce(v_granted, 'nothing');
end
$$;
select set_config('test.worker', :'worker', true);
create temporary table cases (account text, strategy text, symbol text, granted text, title text);
insert into cases values
  ('other', 'calm', null, 'calm GOOG, calm BTC/USD, calm MSFT', 'a halt of another account holds nothing'),
  ('paper', 'nobody', null, 'calm GOOG, calm BTC/USD, calm MSFT', 'nor does one of another strategy'),
  ('paper', 'calm', null, 'amok GOOG, amok BTC/USD, amok MSFT', 'one of a strategy holds all of its decisions, and nobody waits behind them'),
  (null, 'calm', null, 'amok GOOG, amok BTC/USD, amok MSFT', 'so does one over all accounts'),
  ('paper', null, 'GOOG', 'calm BTC/USD, calm MSFT', 'one of a symbol holds every strategy in it'),
  ('paper', null, 'BTCUSD', 'calm GOOG, calm MSFT', 'by the name that positions have'),
  ('paper', null, 'BTC/USD', 'calm GOOG, calm MSFT', 'or orders'),
  ('paper', 'calm', 'BTCUSD', 'calm GOOG, calm MSFT, amok BTC/USD', 'one of both holds what is of both'),
  ('paper', 'amok', 'GOOG', 'calm GOOG, calm BTC/USD, calm MSFT', 'and nothing else'),
  ('paper', null, null, 'nothing', 'one of the account holds all of it');
select is(pg_temp.granted_under(c.account, c.strategy, c.symbol), c.granted, c.title) from cases as c;

-- A name may have a blank in it: a strategy and a symbol are not told by where it lies.
select test.given_halt('to see', 'paper', 'calm and', 'AMOK') as halt \gset
select ok(not orderlatch_data.halted_scopes(test.account_id()) && array[e'calm\nand AMOK', 'calm and AMOK'], 'a halt is told by two names, whatever is in them');
select orderlatch.lift_halt(:halt, 'seen');

-- Recorded before revision 0030.
set local session_replication_role = replica;
update orderlatch_data.open_decisions set strategy_id = null;
set local session_replication_role = origin;
select is(pg_temp.granted_under(c.account, c.strategy, c.symbol), c.granted, 'recorded before revision 0030: ' || c.title)
  from cases as c where c.title in ('one of a strategy holds all of its decisions, and nobody waits behind them', 'one of both holds what is of both');
select throws_ok('update orderlatch_data.open_decisions set strategy_id = ''calm''', 'OL901', null, 'the strategy of an open decision stays what it is');

select * from finish();
rollback;
