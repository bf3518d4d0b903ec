-- Tells the whole life of one decision, one sentence a line.
-- Locks: none. Raises: OL103 decision_unknown, OL131, OL136 hash_ambiguous, OL301 login_not_bound.
create or replace function orderlatch.explain_decision(p_decision_hash text)
returns table (at timestamptz, story text)
language plpgsql
stable
parallel safe
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_decision constant orderlatch_data.trade_decisions := orderlatch_data.find_by_prefix(p_decision_hash);
begin
  return query
  select l.at, l.story
    from (
      select m.at, m.place, m.turn, m.story from orderlatch_data.moves_story(v_decision) as m
      union all
      select w.at, w.place, w.turn, w.story from orderlatch_data.wire_story(v_decision.decision_id) as w
      union all
      select r.at, r.place, r.turn, r.story from orderlatch_data.risk_story(v_decision.decision_id) as r
      union all
      select o.at, o.place, o.turn, o.story from orderlatch_data.orders_story(v_decision.decision_id) as o
    ) as l
   order by l.at, l.place, l.turn, l.story;
  return query
  select orderlatch_data.clock(), s.story from orderlatch_data.chain_story(v_decision.decision_id) as s;
end
$$;
revoke all on function orderlatch.explain_decision(text) from public;
grant execute on function orderlatch.explain_decision(text) to
  orderlatch_strategy, orderlatch_operator, orderlatch_auditor;
comment on function orderlatch.explain_decision(text) is
  'The whole life of a decision in plain sentences: what was asked for and why, verdicts with the limits '
  'that applied, moves with who signed them, calls with status, latency and the broker''s X-Request-ID, '
  'losses, how doubt ended, orders and fills, incidents; at the end whether its events are what was written. '
  'p_decision_hash: 64 hex digits, or the first 6 or more of them where no other decision begins so. Raises '
  'OL103 decision_unknown, OL131 argument_invalid, OL136 hash_ambiguous, OL301 login_not_bound.';

-- Finds a decision that the login may read, by the first digits of its hash.
-- Locks: none. Raises: OL103 decision_unknown, OL131, OL136 hash_ambiguous, OL301 login_not_bound.
create or replace function orderlatch_data.find_by_prefix(p_prefix text)
returns orderlatch_data.trade_decisions
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_hashes text[];
begin
  if length(p_prefix) = 64 then
    return orderlatch_data.find_decision(p_prefix, true);
  end if;
  if p_prefix is null or p_prefix !~ '^[0-9a-f]{6,63}$' then
    raise exception using
      errcode = 'OL131',
      message = 'argument_invalid: p_decision_hash must be 6 to 64 lower-case hexadecimal digits',
      detail = format('p_decision_hash has %s characters', coalesce(length(p_prefix)::text, 'no')),
      hint = 'Give the hash, or as much of its beginning as tells it from all others.';
  end if;
  -- only among those that the login may see, so that it learns nothing of the others
  v_hashes := array(
    select encode(d.decision_hash, 'hex')
      from orderlatch_data.trade_decisions as d
     where d.decision_hash >= decode(rpad(p_prefix, 64, '0'), 'hex')
       and d.decision_hash <= decode(rpad(p_prefix, 64, 'f'), 'hex')
       and orderlatch_data.login_may_read(d.account_id, d.strategy_id)
     order by d.decision_hash
     limit 4
  );
  if cardinality(v_hashes) = 0 then
    raise exception using
      errcode = 'OL103',
      message = format('decision_unknown: no decision has a hash that begins with %s', p_prefix),
      hint = 'Was it recorded in this database? See the view orderlatch.decisions.';
  elsif cardinality(v_hashes) > 1 then
    raise exception using
      errcode = 'OL136',
      message = format('hash_ambiguous: more than one decision has a hash that begins with %s', p_prefix),
      detail = array_to_string(v_hashes[1:3], ', ')
        || case cardinality(v_hashes) when 4 then ', ...' else '' end,
      hint = 'Give more digits.';
  end if;
  return orderlatch_data.find_decision(v_hashes[1], true);
end
$$;
revoke all on function orderlatch_data.find_by_prefix(text) from public;
comment on function orderlatch_data.find_by_prefix(text) is
  'The decision whose hash begins so, among those of the login. OL131 argument_invalid for fewer than 6 '
  'digits, OL103 decision_unknown, OL136 hash_ambiguous when more than one begins so.';
