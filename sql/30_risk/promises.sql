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
                select b.account_id, d.strategy_id, replace(upper(b.symbol), '/', '') as symbol,
                       sum(case b.side when 'sell' then -b.fills_qty else b.fills_qty end) as qty
                  from orderlatch_data.broker_orders as b
                  join orderlatch_data.trade_decisions as d on d.decision_id = b.decision_id
                 where b.fills_qty <> 0
                 group by b.account_id, d.strategy_id, replace(upper(b.symbol), '/', '')
              ) as f
              full join orderlatch_data.strategy_positions as p
                on p.account_id = f.account_id and p.strategy_id = f.strategy_id and p.symbol = f.symbol
             where coalesce(p.qty, 0) <> coalesce(f.qty, 0)
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
