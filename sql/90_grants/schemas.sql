-- Who may enter the public face. What each may do there is granted beside each function and view.
grant usage on schema orderlatch to
  orderlatch_strategy, orderlatch_risk, orderlatch_worker, orderlatch_operator, orderlatch_auditor;

-- Views run functions with the rights of whoever reads them. These say the time, a constant, who holds
-- locks, and where an order stands; by name nobody reaches them, as nobody may enter their schema.
grant execute on function orderlatch_data.clock() to orderlatch_operator, orderlatch_auditor;
grant execute on function orderlatch_data.lock_class(text) to orderlatch_operator, orderlatch_auditor;
grant execute on function orderlatch_data.lock_holders() to orderlatch_operator, orderlatch_auditor;
grant execute on function orderlatch_data.execution_of(bigint) to orderlatch_operator, orderlatch_auditor;
