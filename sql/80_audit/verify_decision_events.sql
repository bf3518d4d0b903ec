-- Shows whether each event of a decision, and what is behind it, is what was written.
-- Locks: none. Raises: OL103 decision_unknown, OL131 argument_invalid, OL301 login_not_bound.
create or replace function orderlatch.verify_decision_events(p_decision_hash text)
returns table (event_id bigint, moved_at timestamptz, move text, intact boolean, finding text)
language plpgsql
stable
parallel safe
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_decision constant orderlatch_data.trade_decisions := orderlatch_data.find_decision(p_decision_hash, true);
begin
  return query
  select coalesce(e.event_id, f.event_id), e.moved_at, e.from_status || ' to ' || e.to_status,
         f.finding is null and e.event_hash is not null,
         coalesce(f.finding, case when e.event_hash is null then 'written before there were chains' end)
    from (
      select d.*
        from orderlatch_data.decision_events as d
       where d.decision_id = v_decision.decision_id
    ) as e
    full join orderlatch_data.chain_findings(array[v_decision.decision_id]) as f on f.event_id = e.event_id
   order by 1;
end
$$;
revoke all on function orderlatch.verify_decision_events(text) from public;
grant execute on function orderlatch.verify_decision_events(text) to
  orderlatch_strategy, orderlatch_operator, orderlatch_auditor;
comment on function orderlatch.verify_decision_events(text) is
  'Recomputes the chain of a decision: one row for each event; intact: it, the verdict, the request and the '
  'answer behind it are what was written, and it follows the event before it; finding: what is wrong. A '
  'chain that was cut at its end, or written anew as a whole, shows only against a head kept elsewhere '
  '(verify_against). p_decision_hash: 64 hex digits. Raises OL103 decision_unknown, OL131 argument_invalid, '
  'OL301 login_not_bound.';
