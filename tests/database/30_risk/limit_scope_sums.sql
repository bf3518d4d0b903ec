-- What each limit that adds up sums over, at each scope, on both sides of its edge.
begin;
select plan(219);

select test_support.hold_clock('2026-03-02 15:00:00Z');
select test.given_account('paper');
select test.given_account('other');

-- What was approved before, at 100 dollars a share, and how long ago.
create temporary table facts (account text, strategy_id text, symbol text, action text, qty numeric, ago integer);
insert into facts values
  ('paper', 'momentum', 'GOOG', 'buy', 10, 100), ('paper', 'reversal', 'GOOG', 'buy', 20, 50), ('paper', 'momentum', 'AAPL', 'buy', 5, 10),
  ('paper', 'reversal', 'AAPL', 'buy', 7, 8), ('other', 'momentum', 'GOOG', 'buy', 40, 5);
create function pg_temp.propose(p_account text, p_strategy_id text, p_symbol text, p_action text, p_qty numeric)
returns text[]
language sql
as $$
  select p.reasons
    from orderlatch.propose_decision(
           p_account,
           test.a_decision(
             jsonb_build_object(
               'strategy_id', p_strategy_id, 'symbol', p_symbol, 'action', p_action, 'qty', p_qty, 'order_type', 'limit',
               'limit_price', 100, 'reference_price', 100
             )
           )
         ) as p
$$;
do $$
declare
  v_fact facts;
begin
  for v_fact in select f.* from facts as f order by f.ago desc loop
    perform test_support.hold_clock('2026-03-02 15:00:00Z'::timestamptz - make_interval(secs => v_fact.ago));
    if pg_temp.propose(v_fact.account, v_fact.strategy_id, v_fact.symbol, v_fact.action, v_fact.qty) <> '{}' then
      raise exception 'not approved: %', v_fact;
    end if;
  end loop;
  perform test_support.hold_clock('2026-03-02 15:00:00Z');
end
$$;

-- Sets a limit for a scope, buys one share of GOOG for momentum, and takes both back.
create function pg_temp.try_limit(p_kind text, p_ceiling numeric, p_account text, p_strategy_id text, p_symbol text)
returns text[]
language plpgsql
as $$
declare
  v_reasons text[];
begin
  perform orderlatch.set_limit(p_kind, p_ceiling, p_account, p_strategy_id, p_symbol);
  v_reasons := pg_temp.propose('paper', 'momentum', 'GOOG', 'buy', 1);
  raise exception using errcode = 'ZZZZZ', message = v_reasons::text;
exception
  when sqlstate 'ZZZZZ' then
    return sqlerrm::text[];
end
$$;

-- The same sums, from the facts: always of the one account, whatever account the scope names.
create temporary table expected as
  select k.limit_kind, a.account, s.strategy_id, y.symbol,
         coalesce(a.account, 'paper') = 'paper' and coalesce(s.strategy_id, 'momentum') = 'momentum'
           and coalesce(y.symbol, 'GOOG') = 'GOOG' as fits,
         case k.limit_kind
           when 'open_orders' then count(f.*) + 1
           when 'orders_a_day' then count(f.*) + 1
           when 'notional_a_day' then coalesce(sum(f.qty), 0) * 100 + 100
           when 'position_quantity' then coalesce(sum(f.qty), 0) + 1
           when 'position_notional' then coalesce(sum(f.qty), 0) * 100 + 100
           when 'gross_exposure' then coalesce(sum(f.qty), 0) * 100 + 100
           when 'cool_down' then min(f.ago)
         end as edge
    from (
      values ('open_orders', true), ('orders_a_day', true), ('notional_a_day', true), ('position_quantity', false),
             ('position_notional', false), ('gross_exposure', true), ('cool_down', true)
    ) as k(limit_kind, across_symbols)
   cross join (values (null), ('paper'), ('other')) as a(account)
   cross join (values (null), ('momentum'), ('reversal')) as s(strategy_id)
   cross join (values (null), ('GOOG'), ('AAPL')) as y(symbol)
    left join facts as f
      on f.account = 'paper'
     and (s.strategy_id is null or f.strategy_id = s.strategy_id)
     and f.symbol = coalesce(y.symbol, case when k.across_symbols then f.symbol else 'GOOG' end)
   group by k.limit_kind, a.account, s.strategy_id, y.symbol;

select is(
         array[
           pg_temp.try_limit(
             e.limit_kind, case when e.limit_kind = 'cool_down' and not e.fits then 1000 else e.edge end, e.account, e.strategy_id, e.symbol
           )::text,
           pg_temp.try_limit(
             e.limit_kind,
             case
               when not e.fits then case e.limit_kind when 'cool_down' then 1000 else 0 end
               when e.limit_kind = 'cool_down' then e.edge + 0.001
               else e.edge - 0.01
             end,
             e.account, e.strategy_id, e.symbol
           )::text
         ],
         array['{}', case when e.fits then format('{%s}', e.limit_kind) else '{}' end],
         format(
           '%s of %s, %s, %s %s', e.limit_kind, coalesce('account ' || e.account, 'each account'),
           coalesce('strategy ' || e.strategy_id, 'any strategy'), coalesce('symbol ' || e.symbol, 'any symbol'),
           case when e.fits then format('has its edge at %s', e.edge) else 'does not apply' end
         )
       )
  from expected as e
 order by e.limit_kind, e.account, e.strategy_id, e.symbol;

-- Selling ---------------------------------------------------------------------------------------------------------------

-- Short selling looks at the whole account, whatever strategy the scope names: the broker knows one position only.
select test.given_account('seller', '{"one_decision_per_signal": false}');
select orderlatch.adjust_position('seller', 'GOOG', 10, 'opening', 'taken over');
create function pg_temp.try_sale(p_kind text, p_ceiling numeric, p_strategy_id text, p_action text, p_qty numeric)
returns text[]
language plpgsql
as $$
declare
  v_reasons text[];
begin
  perform orderlatch.set_limit(p_kind, p_ceiling, 'seller', p_strategy_id);
  v_reasons := pg_temp.propose('seller', 'momentum', 'GOOG', p_action, p_qty);
  raise exception using errcode = 'ZZZZZ', message = v_reasons::text;
exception
  when sqlstate 'ZZZZZ' then
    return sqlerrm::text[];
end
$$;
select is(pg_temp.try_sale(c.kind, c.ceiling, c.strategy_id, c.action, c.qty), c.reasons, c.title)
  from (
    values
      ('short_selling', 0, null, 'sell', 10, '{}'::text[], 'everything that is held may be sold'),
      ('short_selling', 0, null, 'sell', 10.000000001, '{short_selling}', 'a billionth of a share more may not'),
      ('short_selling', 3, null, 'sell', 13, '{}', 'three shares may be short'),
      ('short_selling', 3, null, 'sell', 13.1, '{short_selling}', 'a tenth of a share more may not'),
      ('short_selling', 0, 'momentum', 'sell', 10, '{}', 'a strategy may sell what the account holds'),
      ('short_selling', 0, 'momentum', 'sell', 11, '{short_selling}', 'and no more than that'),
      ('short_selling', 0, 'reversal', 'sell', 11, '{}', 'the limit of another strategy does not apply'),
      ('short_selling', 0, null, 'buy', 1000, '{}', 'a buy sells nothing short'),
      ('position_quantity', 5, null, 'sell', 15, '{}', 'a short position is as large as it is far below zero'),
      ('position_quantity', 5, null, 'sell', 15.1, '{position_quantity}', 'a tenth of a share too far'),
      ('position_quantity', 5, null, 'sell', 1, '{}', 'a sale that makes a position smaller keeps a limit that is exceeded'),
      ('position_quantity', 5, null, 'buy', 1, '{position_quantity}', 'a buy that makes it larger does not'),
      ('position_quantity', 10, 'momentum', 'buy', 10, '{}', 'what the account held before is no strategy''s'),
      ('position_quantity', 10, 'momentum', 'buy', 10.1, '{position_quantity}', 'a strategy''s own shares count for it'),
      ('position_notional', 500, null, 'sell', 15, '{}', 'what closes a position is worth nothing more'),
      ('position_notional', 500, null, 'sell', 15.1, '{position_notional}', 'what goes beyond it is'),
      ('gross_exposure', 1, null, 'sell', 10, '{}', 'a sale that closes a position keeps a limit that is exceeded')
  ) as c(kind, ceiling, strategy_id, action, qty, reasons, title);

-- Two sides: a sale on its way gives nothing back before it is filled, and buys count in full beside it.
select is(pg_temp.propose('seller', 'reversal', 'GOOG', 'sell', 4), '{}', 'four shares are being sold');
select is(pg_temp.try_sale(c.kind, c.ceiling, null, c.action, c.qty), c.reasons, c.title)
  from (
    values
      ('position_quantity', 15, 'buy', 5, '{}'::text[], 'the position may grow to the limit as if the sale never filled'),
      ('position_quantity', 15, 'buy', 5.1, '{position_quantity}', 'and no further'),
      ('short_selling', 0, 'sell', 6, '{}', 'six are left to sell'),
      ('short_selling', 0, 'sell', 6.1, '{short_selling}', 'what is on its way is sold already'),
      ('position_quantity', 0, 'sell', 6, '{}', 'down to nothing'),
      ('position_quantity', 0, 'sell', 6.1, '{position_quantity}', 'and not below')
  ) as c(kind, ceiling, action, qty, reasons, title);

-- Long and short add up to exposure, symbol by symbol.
select orderlatch.adjust_position('seller', 'AAPL', -10, 'opening', 'taken over');
select orderlatch_data.save_broker_positions(
  test.account_id('seller'),
  '[{"symbol": "GOOG", "qty": "10", "current_price": "100"}, {"symbol": "AAPL", "qty": "-10", "side": "short", "current_price": "50"}]'
);
select is(pg_temp.try_sale('gross_exposure', c.ceiling, null, c.action, c.qty), c.reasons, c.title)
  from (
    values
      (1600, 'buy', 1, '{}'::text[], 'ten long at 100, ten short at 50 and one more at 100 are worth 1600'),
      (1599.99, 'buy', 1, '{gross_exposure}', 'not a cent less'),
      (1500, 'sell', 16, '{}', 'sixteen and four sold turn ten long into ten short, worth the same'),
      (1500, 'sell', 16.01, '{gross_exposure}', 'a hundredth of a share more is worth more')
  ) as c(ceiling, action, qty, reasons, title);

select is(
  (select count(*) from orderlatch_data.risk_limits as l where l.limit_kind <> 'opposite_order'), 0::bigint, 'every limit was taken back'
);
select set_eq(
  $$ select k.limit_kind from orderlatch_data.risk_limit_kinds as k where k.looks_at in ('orders', 'positions', 'day') $$,
  $$ select e.limit_kind from expected as e union select 'short_selling' $$,
  'every kind of limit that adds up was tried'
);
select * from finish();
rollback;
