-- What one account may do, or is known to be, is nothing of another one that the same worker carries.
begin;
select plan(16);

select test_support.hold_clock('2026-03-02 15:00:00Z');
select test.given_account(a, p_environment => case a when 'live' then 'live' else 'paper' end) from unnest('{a,live,z}'::text[]) as a;

-- Who an account is.
create function pg_temp.verified() returns text[] language sql volatile as $$
  select array(
    select w.worker_id - min(w.worker_id) over () || ' ' || a.account
      from orderlatch_data.worker_accounts as w
      join orderlatch_data.accounts as a on a.account_id = w.account_id
     where w.verified_at is not null
     order by 1
  )
$$;
select test.given_stranger('a', 'live', 'z') as worker \gset
select test.given_stranger('a', 'live', 'z') as other \gset
create temporary table asked as select c.account, c.request_id from test.claim(:worker) as c;
create function pg_temp.asked(p_account text) returns uuid language sql volatile as $$
  select q.request_id from asked as q where q.account = p_account
$$;
select is(test.record(test.answer_account(pg_temp.asked('a'), 'a-id')), 'account_verified', 'the broker names one account');
select is(pg_temp.verified(), '{"0 a"}', 'to one life of a worker, which knows the others no better');
select is((select array_agg(a.broker_account_id order by a.account) from orderlatch_data.accounts as a), '{a-id,live-id,NULL}',
          'one account learns its id');
select is(test.kinds(:worker), '{}', 'for the others nothing is granted, as they are being asked already');
select is(test.record(test.answer_account(pg_temp.asked('live'), 'a-id')), 'account_mismatch', 'the keys of another are those of one account');
select is(pg_temp.verified(), '{"0 a"}', 'which takes nothing from the other');
select is((select array_agg(a.account) from orderlatch_data.halts as h join orderlatch_data.accounts as a on a.account_id = h.account_id),
          '{live}', 'and halts one');
select orderlatch.lift_halt(h.halt_id, 'tests') from orderlatch_data.halts as h;
delete from orderlatch_data.read_wishes;
select orderlatch.grant_live('live', '1 minute', 'tests');
select test.given_approved_decision(a, '{"symbol": "V"}') from unnest('{a,live,z}'::text[]) as a;
select is((select array_agg(c.account || ' ' || c.kind) from test.claim(:worker) as c), '{a submit_order}',
          'a worker that knows one account submits for that one');
select test.record(test.answer_order(r.request_id)) from orderlatch_data.open_requests as r where r.kind = 'submit_order';
select orderlatch.revoke_live('live');
select test.record(test.answer_account(pg_temp.asked('z'), 'z-id'));
select (select c.request_id from test.claim(:worker) as c where c.account = 'z' and c.kind = 'submit_order') as unsent \gset
update orderlatch_data.worker_accounts set verified_at = null where worker_id = :worker and account_id = test.account_id('z');
select is(test.record(test.answer_not_sent(:'unsent')), 'in_doubt', 'and its no counts in that one');
select orderlatch.resolve_in_doubt(test.decision_of(:'unsent'), 'absent', '{"note": "t"}');
select orderlatch.withdraw_decision(d.decision_hash, 'done') from orderlatch.decisions as d where d.status = 'approved';
delete from orderlatch_data.kind_backoffs;
update orderlatch_data.worker_accounts set verified_at = orderlatch_data.clock() where worker_id = :worker;
delete from orderlatch_data.read_wishes;

-- A live grant, and a doubt.
select orderlatch.grant_live('live', '2500 milliseconds', 'tests');
select test.given_approved_decision(a) from unnest('{a,live,z}'::text[]) as a;
select is((select jsonb_object_agg(c.account, c.send_within_ms) from test.claim(:worker) as c),
          '{"a": 5000, "live": 2500, "z": 5000}'::jsonb, 'the end of a live grant is that of one account''s calls');
select test.record(test.answer_maybe(r.request_id))
  from orderlatch_data.open_requests as r where r.account_id = test.account_id('live');
select test.record(test.answer_order(r.request_id))
  from orderlatch_data.open_requests as r where r.account_id <> test.account_id('live');
select test.given_approved_decision(a) from unnest('{a,live,z}'::text[]) as a;
select test.given_approved_decision('live', '{"symbol": "W"}');
select is((select array_agg(c.account || ' ' || c.kind order by c.account) from test.claim(:worker) as c),
          '{a submit_order,live find_order,z submit_order}',
          'a doubt holds back the symbol, and a failure the submits, of one account');

select test_support.advance_clock('1 second');

-- An order that bears the id of another account's decision.
select test.given_approved_decision('z', '{"symbol": "X"}') as theirs \gset
insert into orderlatch_data.broker_reads (account_id, purpose, from_at, after_at, next_page_at)
values (test.account_id('a'), 'orders', orderlatch_data.clock(), orderlatch_data.clock(), orderlatch_data.clock());
select c.request_id as page from test.claim(:worker) as c where c.kind = 'list_orders' \gset
select is(test.record(test.answer_status(:'page', 200, jsonb_build_array(test.order_document(:'theirs'))::text)), 'orders_listed',
          'one account shows an order with the id of another''s decision');
select is((select array_agg(b.account_id = test.account_id('a') and b.decision_id is null)
             from orderlatch_data.broker_orders as b where b.symbol = 'X'),
          '{t}', 'it is the order of nobody here, in its own account');
select is((select array_agg(a.account) from orderlatch_data.account_states as s join orderlatch_data.accounts as a on a.account_id = s.account_id
            where s.last_read_at = orderlatch_data.clock()),
          '{a}', 'what one account has read is no read of another');
select isnt(test.status(:'theirs'), 'submitted', 'and of no decision of the other');

-- A rate limit.
select test.record(test.answer_error(r.request_id, 429, 42910000, 'rate limit exceeded'))
  from orderlatch_data.open_requests as r where r.kind = 'submit_order' and r.account_id = test.account_id('a');
select test.given_approved_decision(a, '{"symbol": "Y"}') from unnest('{a,z}'::text[]) as a;
select is((select array_agg(c.account || ' ' || c.kind) from test.claim(:worker) as c), '{z submit_order}', 'a 429 pauses one account');

select * from finish();
rollback;
