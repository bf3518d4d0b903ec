-- What has ended of a day is added up once; whatever changes afterwards, a limit counts what it would count without.
begin;
select plan(28);

select test_support.hold_clock('2026-03-02 15:00:00Z');
select test.given_account('paper', '{"one_decision_per_signal": false, "max_in_doubt": 1000}');
select test.given_worker() as worker \gset
create temporary table decisions (n integer, decision_hash text);

-- Proposes decisions of two strategies, each in a symbol of its own, and of one second.
create function pg_temp.propose(p_from integer, p_to integer)
returns text
language plpgsql
as $$
declare
  v_approved text[];
begin
  perform test_support.advance_clock('1 second');
  select array_agg(p.decision_hash order by p.input_no) filter (where p.status = 'approved') into v_approved
    from orderlatch.propose_decisions('paper', (
           select jsonb_agg(test.a_decision(jsonb_build_object(
                    'symbol', 'D' || chr(65 + n / 26) || chr(65 + n % 26), 'qty', '10', 'reference_price', '100',
                    'strategy_id', case when n % 2 = 0 then 'even' else 'odd' end
                  )) order by n)
             from generate_series(p_from, p_to) as n
         )) as p;
  insert into decisions select p_from - 1 + h.place, h.hash from unnest(v_approved) with ordinality as h(hash, place);
  return cardinality(v_approved) || ' of ' || p_to - p_from + 1;
end
$$;

-- Every eighth order each: canceled, refused, open, filled in part and open; the others are filled.
create function pg_temp.carry()
returns void
language plpgsql
as $$
declare
  v_call record;
begin
  perform test_support.advance_clock('1 second');
  for v_call in
    select c.request_id, d.n, t.decision_id, t.symbol
      from test.claim(current_setting('test.worker')::integer) as c
      join decisions as d on d.decision_hash = test.decision_of(c.request_id)
      join orderlatch_data.trade_decisions as t on t.decision_id = test.decision_id(d.decision_hash)
     where c.kind = 'submit_order'
     order by d.n
  loop
    perform test.record(
      case v_call.n % 8
        when 0 then test.answer_order(v_call.request_id, '{"status": "canceled"}')
        when 1 then test.answer_error(v_call.request_id, 403, 40310000, 'insufficient buying power')
        when 2 then test.answer_order(v_call.request_id)
        when 3 then test.answer_order(v_call.request_id, '{"status": "partially_filled", "filled_qty": "4", "filled_avg_price": "100"}')
        else test.answer_order(v_call.request_id, '{"status": "filled", "filled_qty": "10", "filled_avg_price": "100"}')
      end
    );
    perform test.take_fills(jsonb_build_array(test.a_fill('order-' || v_call.decision_id, 'x' || v_call.n, jsonb_build_object(
              'symbol', v_call.symbol, 'price', '100', 'qty', case when v_call.n % 8 = 3 then '4' else '10' end
            ))))
      where v_call.n % 8 >= 3;
  end loop;
end
$$;
select set_config('test.worker', :'worker', true);

-- What the limits of a day count before one more order: orders and dollars.
create function pg_temp.counted(p_members jsonb default '{}')
returns numeric[]
language sql
as $$
  select array_agg(s.without order by l.limit_kind desc)
    from orderlatch.preview_decision('paper', test.a_decision(p_members)) as p
   cross join lateral jsonb_to_recordset(p.inputs -> 'sums') as s(limit_id integer, without numeric)
    join orderlatch_data.risk_limits as l on l.limit_id = s.limit_id
$$;

-- Whether that is the same with the mark and without it, in the account, in a symbol and in a strategy.
create function pg_temp.agrees()
returns boolean
language plpgsql
as $$
declare
  v_with numeric[];
  v_without numeric[];
begin
  perform test_support.advance_clock('1 second');
  v_with := pg_temp.counted() || pg_temp.counted('{"symbol": "DAE"}') || pg_temp.counted('{"strategy_id": "odd"}');
  begin
    delete from orderlatch_data.day_marks;
    v_without := pg_temp.counted() || pg_temp.counted('{"symbol": "DAE"}') || pg_temp.counted('{"strategy_id": "odd"}');
    raise exception using errcode = 'P0999';
  exception when sqlstate 'P0999' then
    null; -- rolled back
  end;
  return v_with = v_without and '{}' = test.broken_promises();
end
$$;
create function pg_temp.added()
returns text
language sql
as $$
  select coalesce((
    select coalesce((select sum(s.orders) from orderlatch_data.day_sums as s), 0) || ' added, ' || cardinality(m.apart) || ' apart'
           || case when exists (select 1 from orderlatch_data.day_recounts) then ', to be counted anew' else '' end
      from orderlatch_data.day_marks as m
  ), 'nothing')
$$;
create function pg_temp.order_of(p_n integer) returns text language sql as $$
  select 'order-' || test.decision_id(d.decision_hash) from decisions as d where d.n = p_n
$$;
create function pg_temp.show(p_n integer, p_members jsonb) returns void language sql as $$
  select test_support.advance_clock('1 second');
  select orderlatch_data.take_orders(test.account_id(), jsonb_build_array(
           test.order_document(d.decision_hash)
             || jsonb_build_object('updated_at', orderlatch_data.canonical_time(orderlatch_data.clock())) || p_members
         ), null, true)
    from decisions as d where d.n = p_n
$$;

-- Without a limit of a day nothing is kept.
select is(pg_temp.propose(1, 1), '1 of 1', 'an order');
select orderlatch.set_limit('orders_a_day', 1000, 'paper'), orderlatch.set_limit('notional_a_day', 1000000, 'paper'),
       orderlatch.set_limit('orders_a_day', 1000, 'paper', 'odd'), orderlatch.set_limit('orders_a_day', 1000, 'paper', null, 'DAE');
select is(pg_temp.propose(2, 39), '38 of 38', 'and 38 at one moment');
select is(pg_temp.added(), 'nothing', 'are not added up while they may change, nor with one approval before them');
select is(pg_temp.propose(40, 40), '1 of 1', 'the next order');
select is(pg_temp.added(), '0 added, 39 apart', 'finds 39, all of which are open, and sets them apart');
select ok(pg_temp.agrees(), 'what limits count is the same');
select pg_temp.carry();
select ok(pg_temp.agrees(), 'so it is when they have ended');
select pg_temp.propose(41, 80), pg_temp.carry(), pg_temp.propose(81, 81);
-- of 80 orders: 10 open, 10 filled in part, 10 refused and given back; 10 canceled and 40 filled have ended
select is(pg_temp.added(), '50 added, 20 apart', 'what has ended is added up, what is open stays apart, what was refused is given back');
select is(pg_temp.counted(), '{71,61000}', 'the limits count 70 orders and the one that is approved, with 40 filled, 20 at full size, and one to come');
select ok(pg_temp.agrees(), 'as they would without');
select is(test.broken_promises(), '{}', 'no promise is broken');

-- What is open changes without a word.
select pg_temp.show(2, '{"status": "canceled"}');
select is(pg_temp.added(), '50 added, 20 apart', 'an open order that is canceled was in no sum');
select ok(pg_temp.agrees(), 'it is read');

-- An order that had ended changes.
select test.take_fills(jsonb_build_array(test.a_fill(pg_temp.order_of(8), 'late', '{"symbol": "DAI", "price": "100", "qty": "3"}')));
select is(pg_temp.added(), '50 added, 20 apart, to be counted anew', 'a late fill of an order that was canceled');
select ok(pg_temp.agrees(), 'counts');
select pg_temp.propose(82, 82);
select is(pg_temp.added(), '50 added, 21 apart', 'the day is counted anew by the next order, the late fill being one that its order does not show yet');
select ok(pg_temp.agrees(), 'rightly');
select test.take_fills(jsonb_build_array(test.a_fill(pg_temp.order_of(4), 'off',
         '{"symbol": "DAE", "price": "100", "qty": "10", "type": "trade_bust", "previous_execution_id": "x4"}'::jsonb)));
select ok(pg_temp.added() like '%anew' and pg_temp.agrees(), 'a bust takes off what it busts');
select pg_temp.propose(83, 83);
select pg_temp.show(9, '{}');
select ok(pg_temp.added() like '%anew' and pg_temp.agrees(), 'an order that was refused and is there all the same counts');
select pg_temp.propose(84, 84);
select pg_temp.show(5, jsonb_build_object('id', 'after-5', 'client_order_id', 'by hand', 'replaces', pg_temp.order_of(5), 'qty', '15', 'filled_qty', '0'));
select ok(pg_temp.added() like '%anew' and pg_temp.agrees(), 'what replaces an order counts with it');

-- A clock that is set back, another day, another time zone, other limits.
select orderlatch.lift_halt(h.halt_id, 'looked at') from orderlatch.halts as h where h.lifted_at is null;
select pg_temp.propose(85, 85);
select ok(pg_temp.added() not like '%anew' and pg_temp.agrees(), 'the day is counted anew');
select test_support.advance_clock('-10 seconds');
select pg_temp.propose(86, 86);
select is((select m.up_to from orderlatch_data.day_marks as m), orderlatch_data.clock(), 'an order of a moment that was added up already ends the mark');
select test_support.advance_clock('10 seconds');
select ok(pg_temp.agrees(), 'and is counted');
select pg_temp.propose(87, 87);
select ok(pg_temp.agrees(), 'also with the next one');
select orderlatch.set_limit('order_quantity', 500, 'paper');
select is(pg_temp.added(), 'nothing', 'with other limits there is none');
select pg_temp.propose(88, 88), orderlatch.update_account('paper', '{"day_time_zone": "UTC"}');
select ok(pg_temp.agrees(), 'another time zone is another day');
select test_support.hold_clock('2026-03-03 05:00:00Z');
select pg_temp.propose(89, 89);
select is(pg_temp.added(), 'nothing', 'a day ends with its mark');
select is(pg_temp.counted(), '{1,1000}', 'and the next one begins with its first order');

select * from finish();
rollback;
