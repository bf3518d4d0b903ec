-- The board has room for a few of each; what it leaves out it counts.
begin;
select plan(6);

select test.given_account('account-' || n.number) from generate_series(1, 8) as n(number);
select test.given_halt('halt ' || n.number) from generate_series(1, 5) as n(number);
select is((select count(*)::integer from orderlatch.terse_live_board as b where b.what like 'account-%'), 8, 'eight accounts have a line each');
select is_empty($$ select b.line from orderlatch.terse_live_board as b where b.what = 'not shown' $$, 'then there is nothing to add');

-- What a halt is about.
select test.given_halt('one of it', 'account-1', 'momentum', 'GOOG');
select matches((select b.line from orderlatch.terse_live_board as b where b.line ~ 'one of it'), '^account-1 momentum GOOG: one of it, by ',
               'a halt of one strategy and symbol is not shown as one of its account');
select matches((select b.line from orderlatch.terse_live_board as b where b.line ~ 'halt 5'), '^\(every account\): halt 5, by ', 'one of all is');

select test.given_account('account-' || n.number) from generate_series(9, 10) as n(number);
select orderlatch_data.open_incident(i.incident, test.account_id('account-9'), null, null, '{}', 'x') from (select k.incident from orderlatch.incident_kinds as k where not k.halts_account order by k.incident limit 5) as i;
select is((select count(*)::integer from orderlatch.terse_live_board as b where b.what like 'account-%'), 8, 'the ninth has none');
select is((select b.line from orderlatch.terse_live_board as b where b.what = 'not shown'), '2 accounts, 1 halts, 1 incidents: see :reconciliation, :halts, :incidents', 'but is counted');

select * from finish();
rollback;
