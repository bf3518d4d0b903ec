-- How many sums of days are not what their orders add up to.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.days_that_differ()
returns bigint
language plpgsql
stable
parallel safe
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return (
      with marks as materialized (
        select m.*
          from orderlatch_data.day_marks as m
         where m.up_to > (select max(k.up_to) - interval '1 day' from orderlatch_data.day_marks as k)
           and not exists (select 1 from orderlatch_data.day_recounts as r where r.account_id = m.account_id)
      ), counted as (
        select m.account_id, e.symbol, e.strategy_id, count(*) as orders, sum(e.worth) as worth
          from marks as m
         cross join lateral orderlatch_data.ended_orders(
           array(
             select v.decision_id
               from orderlatch_data.recent_approvals(m.account_id, null, m.day_from, null) as v
              where v.judged_at < m.up_to and v.decision_id <> all (m.apart)
           )
         ) as e
         where e.worth is not null
         group by m.account_id, e.symbol, e.strategy_id
      ), kept as (
        select s.* from marks as m join orderlatch_data.day_sums as s on s.account_id = m.account_id
      )
      select count(*)
        from counted as c
        full join kept as k
          on k.account_id = c.account_id and k.symbol = c.symbol and k.strategy_id = c.strategy_id
       where (k.orders, k.worth) is distinct from (c.orders, c.worth)
  );
end
$$;
revoke all on function orderlatch_data.days_that_differ() from public;
grant execute on function orderlatch_data.days_that_differ() to orderlatch_operator, orderlatch_auditor;
comment on function orderlatch_data.days_that_differ() is
  'Promise 24 of the view invariants: rows of day_sums, or that are missing there, of accounts whose mark is '
  'valid and not a day older than the newest. Reads the approvals of those days. With the rights of the '
  'owner, as that view calls it for its readers.';

-- What risk promises of limits and of what strategies hold; part of the view invariants.
create or replace view orderlatch_data.risk_promises as
  select p.promise_no, p.promise, p.violations
    from (
      values
        (
          19, 'a strategy holds what the fills of its orders add up to',
          (
            select count(*)
              from (
                select p.account_id, p.symbol, p.strategy_id from orderlatch_data.strategy_positions as p
                union
                select m.account_id, m.symbol, m.strategy_id
                  from orderlatch_data.holding_marks as m
                 where m.strategy_id <> ''
              ) as k
              left join orderlatch_data.strategy_positions as p
                on p.account_id = k.account_id and p.strategy_id = k.strategy_id and p.symbol = k.symbol
             where not orderlatch_data.is_held(k.account_id, k.symbol, k.strategy_id, coalesce(p.qty, 0))
          )
        ),
        (
          20, 'a limit is what the newest line of its history says',
          (
            select count(*)
              from orderlatch_data.risk_limits as l
             where (l.ceiling, l.symbols, l.enabled) is distinct from (
               select (c.to_ceiling, c.to_symbols, c.is_enabled)
                 from orderlatch_data.risk_limit_changes as c
                where c.limit_id = l.limit_id
                order by c.change_no desc
                limit 1
             )
          )
        ),
        (24, 'what is kept of a day is what its orders add up to', orderlatch_data.days_that_differ())
    ) as p(promise_no, promise, violations);
comment on view orderlatch_data.risk_promises is
  'Rows of the view invariants about risk_limits, strategy_positions and day_sums.';
