-- What halt and revoke_live answer: what is still on its way, by when it has arrived or never will, and nothing else.
begin;
select plan(25);

select test_support.hold_clock('2026-03-02 15:00:00Z');
select test.given_account('a', '{"max_in_doubt": 100, "send_within": "3 seconds", "call_timeout": "7 seconds"}');
select test.given_account('b', '{"max_in_doubt": 100}');
select test.given_worker('a', 'b') as worker \gset
select test.given_approved_decision('a', '{"strategy_id": "s", "symbol": "X"}') as asx \gset
select test.given_approved_decision('a', '{"strategy_id": "t", "symbol": "Y"}') as aty \gset
select test.given_approved_decision('b', '{"strategy_id": "s", "symbol": "Y"}') as bsy \gset
select count(*) from test.claim(:worker);

-- The decisions that a halt of a scope lists; it is taken back.
create function pg_temp.listed(p_account text, p_strategy_id text, p_symbol text) returns text[] language plpgsql as $$
declare
  v_listed text[];
begin
  v_listed := array(
    select h.account || ' ' || d.strategy_id || ' ' || h.symbol
      from orderlatch.halt('tests', p_account, p_strategy_id, p_symbol) as h
      join orderlatch.decisions as d on d.decision_hash = h.decision_hash
     where h.what = 'in flight'
     order by 1);
  raise exception using errcode = 'ZZ000';
exception when sqlstate 'ZZ000' then
  return v_listed;
end
$$;
select is(pg_temp.listed(h.account, h.strategy_id, h.symbol), h.listed, h.title)
  from (
    values (null, null, null, '{a s X,a t Y,b s Y}'::text[], 'a halt of everything lists every submit on its way'),
           ('a', null, null, '{a s X,a t Y}', 'a halt of an account those of the account'),
           (null, 's', null, '{a s X,b s Y}', 'a halt of a strategy those of the strategy'),
           (null, null, ' y ', '{a t Y,b s Y}', 'a halt of a symbol those of the symbol'),
           ('a', 't', null, '{a t Y}', 'and of two or three of them'),
           ('b', null, 'Y', '{b s Y}', 'those that all fit'),
           (null, 's', 'Y', '{b s Y}', 'in every combination'),
           ('a', 's', 'X', '{a s X}', 'that there is'),
           ('b', 't', 'Y', '{}', 'or none')
  ) as h(account, strategy_id, symbol, listed, title);

-- The rows themselves.
create temporary table report as select h.* from orderlatch.halt('too wild', 'a') as h;
select is((select array_agg(r.what) from report as r), '{halted,in flight,in flight}', 'first what was done, then what is in flight');
select is((select count(distinct r.halt_id) from report as r), 1::bigint, 'each row names the halt');
select is((select array[h.reason, h.account] from orderlatch.standing_halts as h join report as r on r.halt_id = h.halt_id limit 1),
          '{too wild,a}', 'which stands');
select is((select r.detail from report as r where r.what = 'halted'), 'no submit is granted any more; 2 in flight', 'in words');
select is((select distinct r.sent_by from report as r where r.what = 'in flight'), '2026-03-02 15:00:10Z'::timestamptz,
          'by when a call has reached the broker or never will: the time to begin and the time to end, and no more');
select matches((select min(r.detail) from report as r where r.what = 'in flight'), '^granted to worker [0-9]+, request [-0-9a-f]{36}$',
               'and who carries it');
select test_support.advance_clock('10 seconds');
select is(pg_temp.listed('a', null, null), '{}', 'from then on it is not in flight any more');
select is(pg_temp.listed('b', null, null), '{b s Y}', 'where calls have longer, they are longer in flight');

-- A call that was given up may be on the wire all the same.
select test_support.hold_clock(pg_postmaster_start_time() + interval '1 day');
select orderlatch.lift_halt(h.halt_id, 'tests') from orderlatch.standing_halts as h;
select test.given_worker('b') as doomed \gset
select test.given_worker('b') as other \gset
select test.claim(:other);
select test.given_approved_decision('b', '{"symbol": "LOST"}') as lost \gset
select test.given_approved_decision('b', '{"symbol": "DONE"}') as done \gset
select count(*) from test.claim(:doomed) as c where c.kind = 'submit_order';
select test.kill_worker(:doomed);
select test.claim(:other);
select is(test.status(:'lost') || ' ' || test.status(:'done'), 'in_doubt in_doubt', 'the calls of a worker that is gone are lost');
select is((select array_agg(h.symbol order by h.symbol) from orderlatch.halt('tests', 'b') as h where h.what = 'in flight'), '{DONE,LOST}',
          'but in flight as long as they may arrive');
select test.record(test.answer_order(test.holder(:'done')));
select is((select array_agg(h.symbol) from orderlatch.halt('tests', 'b') as h where h.what = 'in flight'), '{LOST}',
          'or until they are answered after all');
select test_support.advance_clock('15 seconds');
select is((select count(*) from orderlatch.halt('tests', 'b') as h where h.what = 'in flight'), 0::bigint, 'and no longer');

-- Revoking says the same of an account.
select test.given_account('live', '{}', 'live');
select test.given_worker('live') as live \gset
select orderlatch.grant_live('live', '1 hour', 'tests');
select test.given_submitting_decision(:live) as sent \gset
select results_eq(
  $$ select r.what, r.account, r.symbol, r.decision_hash, r.sent_by - orderlatch_data.clock(), r.detail ~ 'request|revoked|no submit'
       from orderlatch.revoke_live('live') as r $$,
  format($$ values ('revoked', 'live', null, null, null::interval, true), ('in flight', 'live', 'GOOG', %L, '15 seconds', true) $$, :'sent'),
  'a live grant that is revoked leaves in flight what was granted'
);
select test.record(test.answer_order(test.holder(:'sent')));
select is((select array_agg(r.what) from orderlatch.revoke_live('live') as r), '{revoked}', 'until it is answered');
select is((select r.detail from orderlatch.halt('all of it') as r where r.what = 'halted'), 'no submit is granted any more; 0 in flight',
          'nothing in flight is said too');
select is(test.broken_promises(), '{}', 'no promise is broken');

select * from finish();
rollback;
