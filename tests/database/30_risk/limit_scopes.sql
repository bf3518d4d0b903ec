-- Which decisions a limit applies to: null in a scope is any, and every limit whose scope fits applies.
begin;
select plan(34);

select test_support.hold_clock('2026-03-02 15:00:00Z');
select test.given_account();
select test.given_account('other');

-- Sets a limit of 5 for a scope, proposes 10 shares, and takes both back.
create function pg_temp.try_scope(p_account text, p_strategy_id text, p_symbol text, p_members jsonb default '{}')
returns text[]
language plpgsql
as $$
declare
  v_reasons text[];
begin
  perform orderlatch.set_limit('order_quantity', 5, p_account, p_strategy_id, p_symbol);
  select p.reasons into v_reasons from orderlatch.propose_decision('paper', test.a_decision(p_members)) as p;
  raise exception using errcode = 'ZZZZZ', message = v_reasons::text;
exception
  when sqlstate 'ZZZZZ' then
    return sqlerrm::text[];
end
$$;

select is(
         pg_temp.try_scope(a.account, s.strategy_id, y.symbol),
         case when a.fits and s.fits and y.fits then '{order_quantity}'::text[] else '{}' end,
         format(
           'a limit of %s, %s, %s %s',
           coalesce('account ' || a.account, 'any account'), coalesce('strategy ' || s.strategy_id, 'any strategy'),
           coalesce('symbol ' || y.symbol, 'any symbol'),
           case when a.fits and s.fits and y.fits then 'applies' else 'does not apply' end
         )
       )
  from (values (null, true), ('paper', true), ('other', false)) as a(account, fits)
 cross join (values (null, true), ('momentum', true), ('reversal', false)) as s(strategy_id, fits)
 cross join (values (null, true), ('GOOG', true), ('AAPL', false)) as y(symbol, fits);

select is(
  pg_temp.try_scope('paper', null, E' goog\n'), '{order_quantity}', 'a limit of a symbol in another spelling applies'
);
select is(pg_temp.try_scope('paper', 'Momentum', null), '{}', 'a strategy is itself in its own spelling only');

-- A narrow limit never loosens a wide one, and one that is switched off does not apply.
create function pg_temp.reasons()
returns text[]
language sql
as $$ select p.reasons from orderlatch.propose_decision('paper', test.a_decision()) as p $$;
create temporary table limits as
  select orderlatch.set_limit('order_quantity', 5, 'paper') as wide,
         orderlatch.set_limit('order_quantity', 100, 'paper', 'momentum', 'GOOG') as narrow;
select is(pg_temp.reasons(), '{order_quantity}', 'a narrow limit does not loosen a wide one');
select is(
  orderlatch.set_limit('order_quantity', 100, 'paper'), l.wide, 'setting a limit again changes the one of that scope'
) from limits as l;
select is(pg_temp.reasons(), '{}', 'the wide limit has been raised');
select orderlatch.set_limit('order_quantity', 5, 'paper', 'momentum', 'goog');
select is(pg_temp.reasons(), '{order_quantity}', 'a narrow limit tightens a wide one');
select orderlatch.set_limit('order_quantity', 5, 'paper', 'momentum', 'GOOG', false);
select is(pg_temp.reasons(), '{}', 'a limit that is switched off does not apply');

select * from finish();
rollback;
