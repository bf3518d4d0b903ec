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
        )
    ) as p(promise_no, promise, violations);
comment on view orderlatch_data.risk_promises is
  'Rows of the view invariants about risk_limits and strategy_positions.';
