-- What a strategy is told of its decision.
begin;
select plan(30);

select test_support.hold_clock('2026-03-02 15:00:00Z');
create temporary table worlds as
  select s.status, test.given_account(s.status) as account, test.given_worker(s.status) as worker_id, null::text as decision_hash
    from unnest('{planned,approved,submitting,in_doubt,submitted,rejected,refused,withdrawn,lapsed}'::text[]) as s(status);
update worlds set decision_hash = test.given_decision_in(worlds.status, worlds.worker_id);

create temporary table expected (status text, reasons text[], reason text);
insert into expected values
  ('planned', '{}', 'proposed by momentum'),
  ('approved', '{}', 'within all limits'),
  ('submitting', '{}', 'claimed by worker %'),
  ('in_doubt', '{}', 'read timeout'),
  ('submitted', '{}', 'the broker has order order-%'),
  ('rejected', '{invalid_order:missing_limit_price}', 'invalid_order:missing_limit_price'),
  ('refused', '{}', 'refused: insufficient buying power'),
  ('withdrawn', '{}', 'the signal is gone'),
  ('lapsed', '{}', 'not sent in time');

select results_eq(
         format('select s.decision_id, s.status, s.reasons, s.since from orderlatch.decision_status(%L) as s', w.decision_hash),
         format(
           'values (%s::bigint, %L, %L::text[], %L::timestamptz)',
           test.decision_id(w.decision_hash), w.status, e.reasons, orderlatch_data.clock()
         ),
         format('a decision that is %s says so, with the reasons of its verdict', w.status)
       )
  from worlds as w
  join expected as e on e.status = w.status;
select ok((select s.reason from orderlatch.decision_status(w.decision_hash) as s) like e.reason,
          format('a decision that is %s says why', w.status))
  from worlds as w
  join expected as e on e.status = w.status;

select results_eq(
  format(
    $$ select s.broker_order_id, s.order_status, s.filled_qty, s.filled_avg_price from orderlatch.decision_status(%L) as s $$,
    (select w.decision_hash from worlds as w where w.status = 'submitted')
  ),
  format(
    $$ values ('order-%s', 'accepted', 0::numeric, null::numeric) $$,
    (select test.decision_id(w.decision_hash) from worlds as w where w.status = 'submitted')
  ),
  'a submitted decision shows its order'
);
select is(
         (select array[s.broker_order_id, s.order_status] from orderlatch.decision_status(w.decision_hash) as s),
         array[null, null]::text[], 'a decision in doubt shows no order'
       )
  from worlds as w where w.status = 'in_doubt';
select is(
         orderlatch.execution_exists(w.decision_hash), w.status = 'submitted',
         format('a decision that is %s %s', w.status, case w.status when 'submitted' then 'has an order' else 'has no known order' end)
       )
  from worlds as w
 where w.status in ('submitted', 'in_doubt', 'refused', 'planned');

select throws_ok(
         format('select %s(%L)', f.name, a.argument), a.sqlstate, null, format('%s refuses %s', f.name, a.title)
       )
  from (values ('orderlatch.decision_status'), ('orderlatch.execution_exists')) as f(name)
 cross join (
   values (repeat('0', 64), 'OL103', 'a hash that nobody has'), (repeat('A', 64), 'OL131', 'a hash in capitals'),
          (null, 'OL131', 'null')
 ) as a(argument, sqlstate, title);

select * from finish();
rollback;
