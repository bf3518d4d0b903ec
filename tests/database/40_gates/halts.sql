-- Halts: which submits they stop, and who signs.
begin;
select plan(61);

select test_support.hold_clock('2026-03-02 15:00:00Z');
select test.given_account();
select test.given_account('other');
create temporary table worker as select test.given_worker('paper', 'other') as worker_id;

-- What a claim is granted under a halt of some scope; all is taken back.
create function pg_temp.granted_under(p_account text, p_strategy_id text, p_symbol text)
returns text
language plpgsql
as $$
declare
  v_granted text;
begin
  perform orderlatch.halt('trying', p_account, p_strategy_id, p_symbol);
  perform test.given_approved_decision('paper');
  select coalesce(string_agg(c.kind, ' '), 'nothing') into v_granted from worker as w, test.claim(w.worker_id) as c;
  raise exception using errcode = 'ZZZZZ', message = v_granted;
exception
  when sqlstate 'ZZZZZ' then
    return sqlerrm;
end
$$;
select is(
         pg_temp.granted_under(a.account, s.strategy_id, y.symbol),
         case when a.fits and s.fits and y.fits then 'nothing' else 'submit_order' end,
         format(
           'a halt of %s, %s, %s %s',
           coalesce('account ' || a.account, 'any account'), coalesce('strategy ' || s.strategy_id, 'any strategy'),
           coalesce('symbol ' || y.symbol, 'any symbol'),
           case when a.fits and s.fits and y.fits then 'stops the submit' else 'does not stop the submit' end
         )
       )
  from (values (null, true), ('paper', true), ('other', false)) as a(account, fits)
 cross join (values (null, true), ('momentum', true), ('reversal', false)) as s(strategy_id, fits)
 cross join (values (null, true), ('GOOG', true), ('AAPL', false)) as y(symbol, fits);
select is(pg_temp.granted_under('paper', null, E' goog\t'), 'nothing', 'a halt of a symbol in another spelling stops the submit');

-- is_halted asks the same question.
select test.given_account('asked');
select orderlatch.halt('trying', 'asked', 'momentum', 'GOOG');
select is(
         orderlatch_data.is_halted(test.account_id(c.account), c.strategy_id, c.symbol), c.halted,
         format('%s, %s, %s: halted is %s', c.account, c.strategy_id, c.symbol, c.halted)
       )
  from (
    values ('asked', 'momentum', 'GOOG', true), ('asked', 'momentum', 'AAPL', false), ('asked', 'reversal', 'GOOG', false),
           ('other', 'momentum', 'GOOG', false), ('asked', null, null, false)
  ) as c(account, strategy_id, symbol, halted);

-- A decision under a halt is passed over, and the next of its symbol goes; lookups go on.
create temporary table passed as
  select test.given_approved_decision('other', '{"strategy_id": "reversal"}') as halted,
         test.given_approved_decision('other') as free;
create temporary table halt as select test.given_halt('reversal runs wild', 'other', 'reversal') as halt_id;
create temporary table grants as select c.* from worker as w, test.claim(w.worker_id) as c;
select is(
  (select array_agg(test.decision_of(g.request_id)) from grants as g), array[p.free],
  'a halted decision does not hold back another one of its symbol'
) from passed as p;
select test.record(test.answer_maybe(g.request_id)) from grants as g;
select orderlatch.halt('all of it', 'other');
select is(
  (select array_agg(c.kind) from worker as w, test.claim(w.worker_id) as c), '{find_order}', 'lookups go on under a halt'
);

-- Written and signed.
select results_eq(
  $$ select h.account_id, h.strategy_id, h.symbol, h.reason, h.halted_at, h.halted_by, h.lifted_at, h.lifted_by, h.lift_reason
       from orderlatch_data.halts as h join halt as i on i.halt_id = h.halt_id $$,
  $$ values (test.account_id('other'), 'reversal', null::text, 'reversal runs wild', '2026-03-02 15:00:00Z'::timestamptz, 'postgres',
             null::timestamptz, null::text, null::text) $$,
  'a halt is signed, with its reason'
);
select test_support.advance_clock('1 minute');
select orderlatch.lift_halt(h.halt_id, 'mended') from halt as h;
select results_eq(
  $$ select h.lifted_at, h.lifted_by, h.lift_reason from orderlatch_data.halts as h join halt as i on i.halt_id = h.halt_id $$,
  $$ values ('2026-03-02 15:01:00Z'::timestamptz, 'postgres', 'mended') $$, 'a lift is signed, with its reason'
);
select ok(orderlatch_data.is_halted(test.account_id('other'), 'reversal', 'XYZ'), 'the halt of the whole account still stands');
select orderlatch.lift_halt(h.halt_id, 'all is well')
  from orderlatch_data.halts as h where h.account_id = test.account_id('other') and h.lifted_at is null;
select ok(not orderlatch_data.is_halted(test.account_id('other'), 'reversal', 'XYZ'), 'with every halt lifted nothing is halted');

-- Two halts of one scope are two: lifting one leaves the other.
create temporary table two as select test.given_halt('one', 'paper') as first, test.given_halt('two', 'paper') as second;
select isnt(t.first, t.second, 'each halt is its own') from two as t;
select orderlatch.lift_halt(t.first, 'done') from two as t;
select ok(orderlatch_data.is_halted(test.account_id(), null, null), 'lifting one of two halts leaves the other');

-- A halt that the core sets stands once for each reason.
select orderlatch_data.halt_account(test.account_id('asked'), 'order_mismatch') from generate_series(1, 2);
select results_eq(
  $$ select h.reason, count(*) from orderlatch_data.halts as h
      where h.account_id = test.account_id('asked') and h.strategy_id is null group by h.reason $$,
  $$ values ('order_mismatch', 1::bigint) $$, 'the core does not set a halt that stands already'
);
select orderlatch.lift_halt(h.halt_id, 'looked at it') from orderlatch_data.halts as h where h.reason = 'order_mismatch';
select orderlatch_data.halt_account(test.account_id('asked'), 'order_mismatch');
select is(
  (select count(*) from orderlatch_data.halts as h where h.reason = 'order_mismatch'), 2::bigint,
  'after a lift the same reason halts anew'
);

-- Only a halt of the whole account for that reason will do instead of its own: any other may be lifted, or stops less.
select test.given_account('narrow');
select test.given_halt(h.reason, 'narrow', h.strategy_id, h.symbol)
  from (
    values ('maintenance', null, null), ('duplicate_order', 'momentum', null), ('duplicate_order', null, 'GOOG')
  ) as h(reason, strategy_id, symbol);
select orderlatch_data.halt_account(test.account_id('narrow'), 'duplicate_order');
select results_eq(
  $$ select h.reason from orderlatch_data.halts as h
      where h.account_id = test.account_id('narrow') and h.strategy_id is null and h.symbol is null order by h.halt_id $$,
  $$ values ('maintenance'), ('duplicate_order') $$,
  'the core halts the account beside an operator''s halt, and beside halts of a part of it'
);
select is(orderlatch_data.is_halted(test.account_id('narrow'), 'another', 'MSFT'), true, 'all of it');

-- Refusals.
create temporary table counts as select count(*) as halts from orderlatch_data.halts;
select throws_ok(format('select orderlatch.halt(%s)', c.arguments), c.sqlstate, null, format('a halt with %s is refused', c.title))
  from (
    values
      ($$null$$, 'OL131', 'no reason'),
      ($$'  '$$, 'OL131', 'a blank reason'),
      ($$repeat('x', 501)$$, 'OL131', 'a reason of 501 characters'),
      ($$'why', 'nobody'$$, 'OL102', 'an unknown account'),
      ($$'why', 'paper', ''$$, 'OL131', 'an empty strategy, which would stop nothing'),
      ($$'why', 'paper', null, ''$$, 'OL131', 'an empty symbol, which would stop nothing'),
      ($$'why', 'paper', null, repeat('X', 65)$$, 'OL131', 'a symbol that no decision can have')
  ) as c(arguments, sqlstate, title);
select throws_ok(format('select orderlatch.lift_halt(%s)', c.arguments), c.sqlstate, null, format('lifting %s is refused', c.title))
  from (
    values
      ($$null, 'why'$$, 'OL131', 'no halt'),
      ($$0, 'why'$$, 'OL131', 'a halt that does not exist'),
      (format('%s, %L', (select t.first from two as t), 'again'), 'OL131', 'a halt that is lifted'),
      (format('%s, null', (select t.second from two as t)), 'OL131', 'a halt without a reason'),
      (format('%s, %L', (select t.second from two as t), repeat('x', 501)), 'OL131', 'a halt with a reason of 501 characters')
  ) as c(arguments, sqlstate, title);
select is((select count(*) from orderlatch_data.halts), c.halts, 'what was refused has left nothing behind') from counts as c;
select lives_ok($$ select orderlatch.halt(repeat('x', 500)) $$, 'a halt of everything with a reason of 500 characters is set');

-- The lift is signed or it is none.
select throws_ok(
  'update orderlatch_data.halts set lifted_at = now() where lifted_at is null', '23514', null, 'a halt cannot be lifted without a signature'
);
select throws_ok(
  $$ update orderlatch_data.halts set lifted_at = now(), lifted_by = 'me' where lifted_at is null $$, '23514', null,
  'nor without a reason'
);

select * from finish();
rollback;
