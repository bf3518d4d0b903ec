-- The broker is down for an hour with a hundred symbols in play: the ceiling is in doubt, no more, and all settles after it.
begin;
select plan(9);

select test_support.hold_clock('2026-03-02 15:00:00Z');
select test.given_mirrored_account('paper', '{"rate_limit": 200, "burst": 20, "max_in_doubt": 3, "max_decision_age": "2 hours"}');
select test.given_worker() as worker \gset
select test.serve(:worker, '{}');
select count(*) from orderlatch.propose_decisions(
  'paper', (select jsonb_agg(test.a_decision(jsonb_build_object('symbol', 'S' || n))) from generate_series(1, 100) as n));

-- Claims and answers again and again: while the broker is down nothing says anything; after it every order is taken, and what
-- was half heard before is there, if its symbol is in p_there.
create function pg_temp.work(p_times integer, p_down boolean, p_there text[], p_every interval default '1 second') returns void language plpgsql as $$
declare
  v_granted orderlatch_data.granted_request;
  v_order jsonb;
  v_book jsonb;
begin
  for v_time in 1 .. p_times loop
    perform test_support.advance_clock(p_every);
    for v_granted in select c.* from test.claim(1, 50) as c loop
      if p_down then
        perform test.record(test.answer_maybe(v_granted.request_id));
        continue;
      end if;
      if v_granted.kind = 'submit_order' then
        perform test.record(test.answer_order(v_granted.request_id));
        continue;
      end if;
      select jsonb_build_object('orders', coalesce(jsonb_agg(test.order_document(encode(t.decision_hash, 'hex')) order by t.decision_id), '[]'))
        into v_book
        from orderlatch_data.trade_decisions as t
       where t.symbol = any (p_there) or exists (
         select 1 from orderlatch_data.decision_outcomes as s where s.decision_id = t.decision_id and s.status = 'submitted'
       );
      perform test.record(test.answer_status(v_granted.request_id, b.status, b.body::text))
         from test.broker_says(v_book, v_granted.kind, v_granted.path, v_granted.query) as b;
    end loop;
  end loop;
end
$$;
create function pg_temp.statuses() returns text language sql volatile as $$
  select string_agg(d.status || ' ' || d.n, ', ' order by d.status)
    from (select d.status, count(*) as n from orderlatch.decisions as d group by d.status) as d
$$;
create function pg_temp.most_in_a_minute() returns bigint language sql volatile as $$
  select max(c.calls)
    from (
      select count(*) over (order by q.claimed_at range between current row and interval '59.999 seconds' following) as calls
        from orderlatch_data.broker_requests as q
    ) as c
$$;

select pg_temp.work(60, true, '{}');
select is(pg_temp.statuses(), 'approved 97, in_doubt 3', 'after a minute the ceiling is in doubt');
select pg_temp.work(590, true, '{}', '6 seconds');
select is(pg_temp.statuses(), 'approved 97, in_doubt 3', 'after an hour it is the same');
select is((select count(*) from orderlatch_data.broker_requests as q where q.kind = 'submit_order'), 3::bigint, 'three submits have left');
select cmp_ok(pg_temp.most_in_a_minute(), '<=', 200::bigint, 'within the rate limit');
select array_agg(d.symbol order by d.symbol) as doubtful from orderlatch.in_doubt as d \gset
select pg_temp.work(600, false, (:'doubtful'::text[])[1:2]);
select is(pg_temp.statuses(), 'submitted 100', 'ten minutes after it all are settled');
select is((select array_agg(t.symbol order by t.symbol) from (
             select t.symbol from orderlatch_data.broker_requests as q join orderlatch_data.trade_decisions as t on t.decision_id = q.decision_id
              where q.kind = 'submit_order' group by t.symbol having count(*) > 1) as t),
          (:'doubtful'::text[])[3:3], 'only the one that was proved not to be there was sent again');
select cmp_ok(pg_temp.most_in_a_minute(), '<=', 200::bigint, 'all the time within the rate limit');
select is(test.incidents(), '{}', 'no incident is open');
select is_empty('select i.* from orderlatch.invariants as i where i.violations <> 0', 'and no promise is broken');

select * from finish();
rollback;
