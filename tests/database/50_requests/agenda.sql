-- The agenda: which accounts a claim visits, and when it comes again. An account with nothing to do costs nothing.
begin;
select plan(42);

select test_support.hold_clock('2026-03-02 15:00:00Z');
select test.given_account(a, '{"max_in_doubt": 100}') from unnest('{a,b,c}'::text[]) as a;
select test.given_worker('a', 'b', 'c') as worker \gset
select test.kinds(:worker);

-- Accounts that are due for the worker: {a,b}.
create function pg_temp.due(p_worker_id integer) returns text[] language sql volatile as $$
  select coalesce(array_agg(a.account order by a.account), '{}')
    from orderlatch_data.begin_claim(p_worker_id, null, 1) as d
    join orderlatch_data.accounts as a on a.account_id = any (d.queue)
$$;
-- In how many seconds an account is due.
create function pg_temp.due_in(p_account text) returns numeric language sql volatile as $$
  select extract(epoch from g.due_at) - extract(epoch from orderlatch_data.clock()) from orderlatch_data.account_agenda as g where g.account_id = test.account_id(p_account)
$$;

select is(pg_temp.due(:worker), '{}', 'accounts with nothing to do are not due');
select is(pg_temp.due_in('a'), 'infinity', 'nor will they be by themselves');
select is(test.ask_again_ms(:worker), null, 'and nobody is told to come again');

-- What makes an account due.
create function pg_temp.woken_by(p_statement text) returns text[] language plpgsql as $$
declare
  v_due text[];
begin
  execute p_statement;
  v_due := pg_temp.due((select max(w.worker_id) from orderlatch_data.workers as w));
  raise exception using errcode = 'ZZ000';
exception when sqlstate 'ZZ000' then
  return v_due;
end
$$;
select test.given_decision_in('submitted', :worker, '{"symbol": "KNOWN"}') as known \gset
select test.given_decision_in('submitting', :worker, '{"symbol": "SENT"}') as sent \gset
select test.given_decision_in('in_doubt', :worker, '{"symbol": "DOUBT"}') as doubtful \gset
select test.kinds(:worker);
select test.given_halt('tests', 'b') as halt \gset
select is(pg_temp.due(:worker), '{}', 'when all that is due was granted nothing is due');
select is(pg_temp.woken_by(s.statement), s.due, s.title)
  from (
    values
      ($$select test.given_approved_decision('b')$$, '{b}'::text[], 'a decision that is approved makes its account due'),
      ($$select test.given_decision('c')$$, '{c}', 'so does one that is only recorded, as it may lapse'),
      (format($$select test.record(test.answer_order(test.holder(%L)))$$, :'sent'), '{a}', 'an answer'),
      (format($$select test.record(test.answer_maybe(test.holder(%L)))$$, :'sent'), '{a}', 'whatever it is'),
      (format($$select orderlatch.withdraw_decision(%L, 'tests', true)$$, :'known'), '{a}', 'an order to cancel'),
      (format($$select orderlatch.resolve_in_doubt(%L, 'absent', '{"a": 1}')$$, :'doubtful'), '{a}', 'a verdict on a doubt'),
      ($$select orderlatch.reconcile_account('c', 'tests')$$, '{c}', 'a read that somebody wishes for'),
      ($$select orderlatch.update_account('c', '{"max_in_doubt": 5}')$$, '{c}', 'a setting'),
      (format($$select orderlatch.lift_halt(%s, 'tests')$$, :halt), '{b}', 'a halt that is lifted'),
      ($$select orderlatch.halt('tests', 'c', p_cancel_open => true)$$, '{c}', 'a halt that cancels'),
      ($$select orderlatch.halt('tests', p_cancel_open => true)$$, '{a,b,c}', 'all accounts, when it is one of everything'),
      ($$select orderlatch.halt('tests', 'c')$$, '{}', 'another halt does not'),
      ($$update orderlatch_data.doubts set next_lookup_at = orderlatch_data.clock()$$, '{a}', 'nor is a hand that edits the tables missed'),
      ($$insert into orderlatch_data.live_grants (account_id, granted_at, granted_until, granted_by, reason)
         values (test.account_id('c'), now(), now(), 'me', 'tests')$$, '{c}', 'a live grant'),
      ($$update orderlatch_data.account_states set paused_until = null where account_id = test.account_id('b')$$, '{b}', 'the end of a pause'),
      ($$select orderlatch_data.check_order(test.account_id('b'), 'some-order', 'tests')$$, '{b}', 'an order to read'),
      ($$insert into orderlatch_data.account_wakes (account_id) values (test.account_id('c'))$$, '{c}', 'a wake that found the agenda locked')
  ) as s(statement, due, title);

-- When it comes again.
select is(pg_temp.due_in('a'), 1::numeric, 'an account whose submits back off is due when that is over');
select test_support.advance_clock('1 second');
select is(pg_temp.due(:worker), '{a}', 'then it is');
select test.kinds(:worker);
select is(pg_temp.due_in('a'), 19::numeric, 'one with a call on its way when that is lost');
select test_support.advance_clock('19 seconds');
select is(pg_temp.due(:worker), '{a}', 'then it is');
select test.kinds(:worker);
select test.given_decision_in('approved', :worker, '{"symbol": "FAR"}');
select orderlatch.halt('tests', 'a');
select test.kinds(:worker);
select test.record(test.answer_maybe(r.request_id)) from orderlatch_data.open_requests as r;
delete from orderlatch_data.kind_backoffs;
update orderlatch_data.doubts set next_lookup_at = orderlatch_data.clock() + interval '1 hour';
select test.kinds(:worker);
select is(pg_temp.due_in('a'), 60::numeric, 'what is an hour off is looked at once a minute, in case no trigger told of a change');

-- A claim that is full leaves the account due.
select orderlatch.lift_halt(h.halt_id, 'tests') from orderlatch.standing_halts as h;
select count(test.given_approved_decision('b', jsonb_build_object('symbol', 'S' || n))) from generate_series(1, 3) as n;
select test.claim(:worker, 1);
select test.claim(:worker, 1);
select is('b' = any (pg_temp.due(:worker)), true, 'an account that has more than was asked for stays due');
select test.kinds(:worker);
select is(pg_temp.due(:worker), '{}', 'until it has been granted everything');

-- Workers.
select test.given_stranger('a', 'b') as stranger \gset
select is(pg_temp.due(:stranger), '{a,b}', 'a life that is not verified has to ask who each account is');
select count(*) from test.claim(:stranger);
select is(pg_temp.due(:stranger), '{}', 'once');
select test.given_approved_decision('b', '{"symbol": "MINE"}') as mine \gset
select is(test.kinds(:stranger), '{}', 'of what is for verified lives only it is granted nothing');
select is(pg_temp.due(:stranger), '{}', 'nor does it look again');
select is(test.kinds(:worker), '{submit_order}', 'and hides nothing from others');
select test_support.advance_clock('20 seconds');
select is(pg_temp.due(:stranger), '{a,b}', 'but it may note what is lost');
select count(*) from test.claim(:stranger);
select is(test.status(:'mine'), 'in_doubt', 'which it does');
select is('find_order' = any (test.kinds(:worker)), true, 'and leaves what follows from it to a verified one');
select test_support.hold_clock(pg_postmaster_start_time() + interval '1 day');
select test.kinds(:worker);
select test.given_worker('b') as doomed \gset
select test.given_approved_decision('b', '{"symbol": "DOOM"}') as doom \gset
select count(*) from test.claim(:doomed);
select is('b' = any (pg_temp.due(:worker)), false, 'calls of a worker that lives are waited for');
select test.kill_worker(:doomed);
select is(pg_temp.due(:worker), '{b}', 'when it is gone the accounts that it holds calls of are due');
select is('find_order' = any (test.kinds(:worker)), true, 'and looked after at once');

-- Bindings and clocks.
select test_support.advance_clock('10 minutes');
select test.kinds(:worker);
select test_support.advance_clock('-1 hour');
select is(pg_temp.due(:worker), '{a,b}', 'after the clock was set back all are looked at that were visited since');
select test.kinds(:worker);
select is('b' = any (pg_temp.due(:worker)), false, 'once');
select is(test.broken_promises(), '{}', 'no promise is broken');

select * from finish();
rollback;
