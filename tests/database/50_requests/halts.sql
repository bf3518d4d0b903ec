-- A halt of any scope stops submits within it, and nothing else; lifted, they go on.
begin;
select plan(13);

select test_support.hold_clock('2026-03-02 15:00:00Z');
select test.given_account('a', '{"max_in_doubt": 100}');
select test.given_account('b', '{"max_in_doubt": 100}');
select test.given_worker('a', 'b') as worker \gset
select test.given_approved_decision('a', '{"strategy_id": "s", "symbol": "X"}') as asx \gset
select test.given_approved_decision('a', '{"strategy_id": "t", "symbol": "Y"}') as aty \gset
select test.given_approved_decision('b', '{"strategy_id": "s", "symbol": "Y"}') as bsy \gset

-- What one halt leaves to be granted; everything is rolled back after it.
create function pg_temp.left_by(p_account text, p_strategy_id text, p_symbol text) returns text[] language plpgsql as $$
declare
  v_granted text[];
begin
  begin
    perform orderlatch.halt('tests', p_account, p_strategy_id, p_symbol);
    v_granted := array(
      select d.account || ' ' || d.strategy_id || ' ' || d.symbol
        from test.claim((select max(w.worker_id) from orderlatch_data.workers as w)) as c
        join orderlatch.decisions as d on d.decision_hash = test.decision_of(c.request_id)
       order by 1);
    raise exception using errcode = 'ZZ000';
  exception when sqlstate 'ZZ000' then
    return v_granted;
  end;
end
$$;
select is(pg_temp.left_by(h.account, h.strategy_id, h.symbol), h.granted, h.title)
  from (
    values (null, null, null, '{}'::text[], 'a halt of everything stops every submit'),
           ('a', null, null, '{b s Y}', 'a halt of an account stops its submits'),
           (null, 's', null, '{a t Y}', 'a halt of a strategy stops it in every account'),
           ('a', 's', null, '{a t Y,b s Y}', 'or in one'),
           (null, null, 'Y', '{a s X}', 'a halt of a symbol stops it in every account'),
           ('b', null, 'Y', '{a s X,a t Y}', 'or in one'),
           (null, 't', 'X', '{a s X,a t Y,b s Y}', 'a halt of a strategy''s symbol leaves its others alone'),
           ('a', 's', 'X', '{a t Y,b s Y}', 'and stops that one')
  ) as h(account, strategy_id, symbol, granted, title);

-- Lookups and lists go on.
select count(*) from test.claim(:worker);
select test.record(test.answer_order(test.holder(:'bsy')));
select test.record(test.answer_maybe(test.holder(:'asx')));
select test.record(test.answer_not_sent(test.holder(:'aty')));
select test.given_halt('tests') as halt \gset
select test_support.advance_clock('2 minutes');
select is(test.kinds(:worker), '{find_order}', 'under a halt of everything lookups go on, and nothing is submitted');
select test.given_worker('a', 'b') as another \gset
select isnt(:another, :worker, 'and lives of workers are verified');
select is(test.look_in_vain(:worker), 0::bigint, 'nothing is asked for twice');
select orderlatch.lift_halt(:halt, 'tests');
select is(test.kinds(:worker), '{submit_order}', 'when the halt is lifted submits go on');
select is(test.broken_promises(), '{}', 'no promise is broken');

select * from finish();
rollback;
