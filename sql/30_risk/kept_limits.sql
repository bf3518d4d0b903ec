-- Says of a limit what a verdict keeps.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.kept_limit(p_limit orderlatch_data.risk_limits)
returns jsonb
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  if p_limit.symbols is null then
    return jsonb_build_object(p_limit.limit_id, p_limit.ceiling);
  end if;
  return jsonb_build_object(
    p_limit.limit_id, jsonb_build_object('symbols', cardinality(p_limit.symbols), 'set_at', p_limit.set_at)
  );
end
$$;
revoke all on function orderlatch_data.kept_limit(orderlatch_data.risk_limits) from public;
comment on function orderlatch_data.kept_limit(orderlatch_data.risk_limits) is
  'A JSON object with the limit_id as its one member and the ceiling as its value; of a list, which may be '
  'long, how many symbols it has and when it was set: limit_history has the list of that moment. The kind '
  'is not kept: it never changes.';

-- The limits of a verdict, in words.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.told_limits(p_limits jsonb)
returns jsonb
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  -- verdicts that were given before revision 0017 say it all themselves
  return case jsonb_typeof(p_limits)
    when 'array' then p_limits
    when 'object' then (
      select coalesce(
               jsonb_agg(
                 jsonb_build_object('limit_id', l.limit_id, 'limit_kind', l.limit_kind)
                   || case jsonb_typeof(k.value)
                        when 'object' then k.value
                        else jsonb_build_object('ceiling', k.value)
                      end
                 order by l.limit_id
               ),
               '[]'
             )
        from jsonb_each(p_limits) as k
        join orderlatch_data.risk_limits as l on l.limit_id = k.key::integer
    )
  end;
end
$$;
revoke all on function orderlatch_data.told_limits(jsonb) from public;
comment on function orderlatch_data.told_limits(jsonb) is
  'A JSON array of objects, by limit_id: limit_id, limit_kind, and ceiling in its unit, or of a list symbols '
  '(how many) and set_at; null for null. p_limits: limits of risk_verdicts.';
