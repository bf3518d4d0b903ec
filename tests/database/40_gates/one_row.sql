-- Tables with one row for each account, whose index is not unique: nobody makes a second one.
begin;
select plan(9);

select test.given_account('one');
select test.given_account('two');
select throws_ok(
         format('insert into orderlatch_data.%1$s select t.* from orderlatch_data.%1$s as t where t.account_id = %2$s',
                c.table_name, test.account_id('one')),
         'OL903', null, format('%s keeps one row of an account', c.table_name)
       )
  from (values ('account_agenda'), ('account_budgets'), ('broker_limits')) as c(table_name);
select throws_ok(
         format('update orderlatch_data.%s set account_id = %s where account_id = %s', c.table_name, test.account_id('two'),
                test.account_id('one')),
         'OL903', null, format('%s leaves a row to its account', c.table_name)
       )
  from (values ('account_agenda'), ('account_budgets'), ('broker_limits')) as c(table_name);
select results_eq(
         format('select t.account_id from orderlatch_data.%s as t order by t.account_id', c.table_name),
         'select a.account_id from orderlatch_data.accounts as a order by a.account_id',
         format('%s has a row for each account', c.table_name)
       )
  from (values ('account_agenda'), ('account_budgets'), ('broker_limits')) as c(table_name);

select * from finish();
rollback;
