-- What an order is comes from the greatest of all views of it, each fact by a key of its own, in whatever order they arrive.
begin;
select plan(40);

select test_support.hold_clock('2026-03-02 16:00:00Z');
select test.given_mirrored_account('paper', '{"reconcile_from": "2026-03-02T14:00:00Z"}');
select test.given_worker() as worker \gset
create function pg_temp.show(p_members jsonb) returns text language sql volatile as $$
  select test.tell(1, 'new', test.a_broker_order('o-1', p_members));
  select b.status || ' ' || b.filled_qty || ' ' || b.is_open from test.broker_order('o-1') as b
$$;

select is(pg_temp.show(v.members), v.wanted, v.title)
  from (
    values
      ('{"status": "new", "updated_at": "2026-03-02T15:00:02Z"}'::jsonb, 'new 0 true', 'an order is shown'),
      ('{"status": "accepted", "updated_at": "2026-03-02T15:00:01Z"}', 'new 0 true', 'an older view of it changes nothing'),
      ('{"status": "pending_new", "updated_at": "2026-03-02T15:00:02Z"}', 'new 0 true', 'of two views of one moment the further one counts'),
      ('{"status": "partially_filled", "filled_qty": "4", "updated_at": "2026-03-02T15:00:03Z"}', 'partially_filled 4 true', 'it fills'),
      ('{"status": "new", "filled_qty": "0", "updated_at": "2026-03-02T15:00:02.5Z"}', 'partially_filled 4 true', 'an older view does not unfill it'),
      ('{"status": "new", "filled_qty": "6", "updated_at": "2026-03-02T15:00:02.6Z"}', 'partially_filled 6 true', 'but what was filled once was filled'),
      ('{"status": "pending_cancel", "filled_qty": "6", "updated_at": null}', 'partially_filled 6 true', 'a view without a time is older than any'),
      ('{"status": "routed_anew", "filled_qty": "6", "updated_at": "2026-03-02T15:00:04Z"}', 'routed_anew 6 true', 'a status that nobody knows is kept, and is open'),
      ('{"status": "new", "filled_qty": "6", "updated_at": "2026-03-02T15:00:05Z"}', 'new 6 true', 'an open order may go back to new'),
      ('{"status": "canceled", "filled_qty": "6", "updated_at": "2026-03-02T15:00:01Z"}', 'canceled 6 false', 'the end counts, however old the view'),
      ('{"status": "new", "filled_qty": "6", "updated_at": "2026-03-02T15:00:09Z"}', 'canceled 6 false', 'an order that has ended is not open again'),
      ('{"status": "canceled", "filled_qty": "7", "updated_at": "2026-03-02T15:00:09Z"}', 'canceled 7 false', 'a late fill counts'),
      ('{"status": "filled", "filled_qty": "10", "updated_at": "2026-03-02T15:00:10Z"}', 'filled 10 false', 'a newer end counts more'),
      ('{"status": "expired", "filled_qty": "7", "updated_at": "2026-03-02T15:00:08Z"}', 'filled 10 false', 'an older one does not'),
      ('{"status": "filled", "filled_qty": "8", "updated_at": "2026-03-02T15:00:11Z"}', 'filled 10 false', 'filled_qty never falls by a view')
  ) as v(members, wanted, title);
select is((test.broker_order('o-1')).shown_filled_qty, 8::numeric, 'but what the newest view says is remembered');

-- Average prices, and what is missing.
select is((select b.filled_avg_price from test.broker_order('o-1') as b), null, 'no price was shown');
select pg_temp.show('{"status": "filled", "filled_qty": "10", "filled_avg_price": "99.5", "updated_at": "2026-03-02T15:00:10Z"}');
select is((select b.filled_avg_price from test.broker_order('o-1') as b), 99.5, 'a view with a price says more than one without');
select pg_temp.show('{"status": "filled", "filled_qty": "10", "filled_avg_price": "99.75", "updated_at": "2026-03-02T15:00:12Z"}');
select pg_temp.show('{"status": "filled", "filled_qty": "10", "filled_avg_price": "98", "updated_at": "2026-03-02T15:00:11Z"}');
select is((select b.filled_avg_price from test.broker_order('o-1') as b), 99.75, 'the newest price counts');
select pg_temp.show('{"status": "filled", "filled_qty": "no number", "filled_avg_price": {}, "qty": [], "updated_at": "never"}');
select is((select b.filled_qty || ' ' || b.filled_avg_price || ' ' || b.qty from test.broker_order('o-1') as b), '10 99.75 10', 'what cannot be read changes nothing');

-- Terms follow the newest view: a trailing stop moves, a split changes what rests.
create function pg_temp.terms(p_members jsonb) returns text language sql volatile as $$
  select test.tell(1, 'new', test.a_broker_order('o-2', p_members));
  select b.qty || ' ' || b.stop_price || ' ' || to_char(b.submitted_at at time zone 'UTC', 'MI:SS') from test.broker_order('o-2') as b
$$;
select is(pg_temp.terms('{"stop_price": "90", "submitted_at": "2026-03-02T15:00:00Z", "updated_at": "2026-03-02T15:00:02Z"}'), '10 90 00:00', 'a stop');
select is(pg_temp.terms('{"stop_price": "91", "submitted_at": "2026-03-02T15:00:01Z", "updated_at": "2026-03-02T15:00:03Z"}'), '10 91 00:01', 'that moved');
select is(pg_temp.terms('{"stop_price": "90.5", "submitted_at": "2026-03-02T15:00:00Z", "updated_at": "2026-03-02T15:00:02.5Z"}'), '10 91 00:01', 'moves not back');
select is(pg_temp.terms('{"qty": "20", "stop_price": "45.5", "submitted_at": "2026-03-02T15:00:01Z", "updated_at": "2026-03-02T15:00:04Z"}'), '20 45.5 00:01', 'a split');
select is(pg_temp.terms('{"submitted_at": null, "stop_price": "1", "updated_at": "2026-03-02T15:00:03.5Z"}'), '20 45.5 00:01', 'an older view without a time');

-- What is the same is not written again.
create function pg_temp.row_of(p_id text) returns text language sql volatile as $$
  select b.xmin || ' ' || b.xmax || ' ' || b.ctid from orderlatch_data.broker_orders as b where b.broker_order_id = p_id
$$;
select test_support.advance_clock('1 second');
select pg_temp.row_of('o-2') as before \gset
select pg_temp.terms('{"qty": "20", "stop_price": "45.5", "submitted_at": "2026-03-02T15:00:01Z", "updated_at": "2026-03-02T15:00:04Z"}');
select is(pg_temp.row_of('o-2'), :'before', 'a view that says nothing new neither writes nor locks');
select isnt((test.broker_order('o-2')).changed_at, orderlatch_data.clock(), 'nor is the order said to have changed');

-- Of a leg: once it is known as one it stays one.
select test.tell(:worker, 'new', test.a_broker_order('leg'));
select is((test.broker_order('leg')).relation, 'order', 'by itself a leg looks like an order');
select test.tell(:worker, 'new', test.a_broker_order('entry', jsonb_build_object('legs', jsonb_build_array(test.a_broker_order('leg', '{"status": "held"}')))));
select is((select b.relation || ' of ' || b.parent_broker_order_id || ' ' || b.status from test.broker_order('leg') as b), 'leg of entry new',
          'inside its order it is a leg');
select test.tell(:worker, 'new', test.a_broker_order('leg', '{"updated_at": "2026-03-02T15:10:00Z", "replaces": "another"}'));
select is((select b.relation || ' of ' || b.parent_broker_order_id from test.broker_order('leg') as b), 'leg of entry', 'and stays it');

-- Documents that try to break something.
select is(test.tell(:worker, 'new', d.document), d.wanted, d.title)
  from (
    values
      (test.a_broker_order('w-1', '{"legs": [null, 1, "x", {"id": "half"}], "qty": "1e400", "symbol": 7}'), 'order_updated', 'odd legs, an odd number, an odd symbol'),
      (test.a_broker_order('w-2', jsonb_build_object('qty', repeat('9', 39) || '.' || repeat('9', 40), 'side', 'sideways')), 'order_updated', 'a number of eighty digits'),
      (test.a_broker_order('w-3', '{"symbol": "", "side": "", "asset_class": "", "type": null, "order_type": "limit"}'), 'order_updated', 'a multi-leg order has no symbol'),
      (test.a_broker_order('w-4') - 'status', 'unreadable', 'an order without a status'),
      (test.a_broker_order('w 5'), 'unreadable', 'an id with a blank'),
      (test.a_broker_order('w-6', '{"client_order_id": null}'), 'unreadable', 'no client_order_id')
  ) as d(document, wanted, title);
select is((select b.symbol || b.side || b.order_type from test.broker_order('w-3') as b), null, 'what is empty is null');
select is((test.broker_order('w-3')).order_type, 'limit', 'the old name of the type is read too');
select is(test.serve(:worker, jsonb_build_object('orders', jsonb_build_array(test.a_broker_order('w-1'), test.a_broker_order('w-2')))) @> '{list_orders}', true,
          'none of them keeps the account from being read');
select is(test.broken_promises(), '{}', 'no promise is broken');

select * from finish();
rollback;
