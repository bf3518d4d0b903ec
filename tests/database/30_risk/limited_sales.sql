-- A sale at a limit may fill far above it: it is worth the newest price that is known, unless the strategy saw another.
begin;
select plan(13);

select test_support.hold_clock('2026-03-02 15:00:00Z');
select test.given_account('paper', '{"one_decision_per_signal": false}');
create temporary table worker as select test.given_worker() as worker_id;
select orderlatch.set_limit('opposite_order', 0, 'paper', p_enabled => false);
create function pg_temp.weighed(p_limit_kind text, p_ceiling numeric, p_members jsonb default '{}')
returns text
language plpgsql
as $$
declare
  v_weighed text;
begin
  perform orderlatch.set_limit(p_limit_kind, p_ceiling, 'paper');
  select coalesce(nullif(array_to_string(p.reasons, ', '), ''), 'approved') || ' after ' || trim_scale((p.inputs #>> '{sums,0,without}')::numeric)
    into v_weighed
    from orderlatch.preview_decision(
           'paper',
           test.a_decision(
             '{"action": "sell", "qty": "10", "order_type": "limit", "limit_price": "1", "reference_price": null}'::jsonb || p_members
           )
         ) as p;
  perform orderlatch.set_limit(p_limit_kind, p_ceiling, 'paper', p_enabled => false);
  return v_weighed;
end
$$;
select is(pg_temp.weighed('gross_exposure', 100), 'approved after 0', 'where no price is known at all, its limit is the only one');
select is(
  pg_temp.weighed('gross_exposure', 100, '{"reference_price": "190"}'), 'gross_exposure after 0', 'with a reference it is known to be too much'
);
select orderlatch_data.save_broker_positions(
         test.account_id(), '[{"symbol": "GOOG", "qty": "0", "avg_entry_price": "80", "current_price": "90"}]'
       );
select is(pg_temp.weighed(k.limit_kind, 100), k.limit_kind || ' after 0', format('%s: a price that is known tells how much it may come to', k.limit_kind))
  from unnest('{position_notional,gross_exposure,notional_a_day}'::text[]) as k(limit_kind);
select orderlatch.set_limit('order_notional', 899.99, 'paper');
select results_eq(
  $$ select p.reasons, (p.inputs ->> 'price')::numeric
       from orderlatch.preview_decision(
              'paper', test.a_decision('{"action": "sell", "qty": "10", "order_type": "limit", "limit_price": "9", "reference_price": null}')
            ) as p $$,
  $$ values ('{order_notional}'::text[], 90::numeric) $$, 'a digit that is missing in a limit does not shrink the order'
);
select orderlatch.set_limit('order_notional', 899.99, 'paper', p_enabled => false);
select test_support.advance_clock('1 second');

-- One that was approved before anybody limited dollars.
create temporary table sold as
  select test.given_approved_decision(
           'paper', '{"action": "sell", "qty": "10", "order_type": "limit", "limit_price": "100", "reference_price": null}'
         ) as decision_hash;
select is(
  pg_temp.weighed('gross_exposure', 10000, '{"reference_price": "190"}'), 'approved after 1000', 'counts by its limit where that is above the newest price'
);
select orderlatch_data.save_broker_positions(
         test.account_id(), '[{"symbol": "GOOG", "qty": "0", "avg_entry_price": "80", "current_price": "120"}]'
       );
select is(
  pg_temp.weighed('gross_exposure', 10000, '{"reference_price": "190"}'), 'approved after 1200', 'by the newest price when that is above its limit'
);
select test.record(test.answer_order(c.request_id)) from worker as w, test.claim_one(w.worker_id) as c;
select is(
  pg_temp.weighed('gross_exposure', 10000, '{"reference_price": "190"}'), 'approved after 1200', 'and the same as an open order'
);
select test_support.advance_clock('1 second');
select orderlatch_data.save_broker_positions(
         test.account_id(), '[{"symbol": "GOOG", "qty": "0", "avg_entry_price": "80", "current_price": "90"}]'
       );
select is(
  pg_temp.weighed('gross_exposure', 10000, '{"reference_price": "190"}'), 'approved after 1000', 'never by less than its limit'
);

-- What closes a position needs no price.
select orderlatch.adjust_position('paper', 'GOOG', 30, 'opening', 'taken over');
select is(pg_temp.weighed('position_notional', 100), 'approved after 0', 'shares that are held may be sold at any limit');
select is(pg_temp.weighed('gross_exposure', 100), 'approved after 2700', 'whatever the account is worth');
select is(test.broken_promises(), '{}', 'every promise is kept');

select * from finish();
rollback;
