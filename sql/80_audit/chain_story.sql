-- Tells whether the record of a decision is what was written, and what of it is in the archive.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.chain_story(p_decision_id bigint)
returns table (story text)
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
  select format('NOT AS IT WAS WRITTEN: %s%s', coalesce('event ' || f.event_id || ': ', ''), f.finding)
    from orderlatch_data.chain_findings(array[p_decision_id]) as f;
  if not found then
    return query
    select format('verified: its %s events, and what is behind them, are what was written', count(*))
      from orderlatch_data.decision_events as e
     where e.decision_id = p_decision_id;
  end if;
  return query
  select format('%s of its calls are in the archive, by order of %s: %s', count(*), g.ordered_by, g.reason)
    from orderlatch_data.archived_calls as c
    join orderlatch_data.archivings as g on g.archiving_id = c.archiving_id
   where c.decision_id = p_decision_id
   group by g.archiving_id
   order by g.archiving_id;
end
$$;
revoke all on function orderlatch_data.chain_story(bigint) from public;
comment on function orderlatch_data.chain_story(bigint) is
  'One sentence, or one for each finding; and one for each order to archive that moved calls of it.';
