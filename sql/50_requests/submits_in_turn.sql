-- The decisions of accounts that may be submitted now, as far as there is room.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.submits_in_turn(
  p_rows orderlatch_data.seen_accounts[],
  p_how_many integer[],
  p_now timestamptz,
  out decision_ids bigint[],
  out lock_keys integer[],
  out send_until timestamptz[]
)
returns record
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_row orderlatch_data.seen_accounts;
  v_under_way bigint[];
  v_turn record;
  v_until timestamptz;
  v_may integer;
begin
  decision_ids := '{}';
  lock_keys := '{}';
  send_until := '{}';
  -- a loop of small questions: most accounts need only the first few of them answered
  for v_place in 1 .. cardinality(p_rows) loop
    continue when p_how_many[v_place] <= 0;
    v_row := p_rows[v_place];
    continue when v_row.backs_off_until > p_now;
    v_until := null;
    if v_row.environment = 'live' then
      v_until := orderlatch_data.granted_live_until(v_row.account_id, p_now);
      continue when v_until is null;
    end if;
    if v_row.some_halted then
      continue when orderlatch_data.is_halted(v_row.account_id, null, null);
    end if;
    if v_row.may_wait then
      continue when orderlatch_data.waits_for_reads(v_row.account_id);
    end if;
    v_under_way := array_remove(v_row.under_way, null);
    v_may := v_row.max_in_doubt - cardinality(v_under_way);
    if v_row.in_doubt <> '{}' then
      v_may := v_may - orderlatch_data.unknown_doubts(v_row.account_id);
    end if;
    continue when v_may <= 0;
    v_turn := orderlatch_data.decisions_in_turn(
      v_row.account_id, (v_row.agenda).approved_from, p_now,
      least(p_how_many[v_place], v_may), v_under_way, v_row.some_halted
    );
    decision_ids := decision_ids || v_turn.decision_ids;
    lock_keys := lock_keys || v_turn.lock_keys;
    send_until := send_until || array_fill(v_until, array[cardinality(v_turn.decision_ids)]);
  end loop;
end
$$;
revoke all on function orderlatch_data.submits_in_turn(
  orderlatch_data.seen_accounts[], integer[], timestamptz
) from public;
comment on function orderlatch_data.submits_in_turn(
  orderlatch_data.seen_accounts[], integer[], timestamptz
) is
  'Of each account as many as p_how_many says; none under a halt of the account, before it is reconciled, '
  'without a live grant, while submits back off, or at the account''s max_in_doubt. send_until: end of the '
  'live grant, or null. p_rows: as of grant_submits.';

-- Until when an account may submit real orders.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.granted_live_until(p_account_id integer, p_now timestamptz)
returns timestamptz
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    select max(g.granted_until)
      from orderlatch_data.live_grants as g
     where g.account_id = p_account_id and g.granted_until >= p_now + interval '1 millisecond'
  );
end
$$;
revoke all on function orderlatch_data.granted_live_until(integer, timestamptz) from public;
comment on function orderlatch_data.granted_live_until(integer, timestamptz) is
  'End of the longest live grant that lasts a millisecond more at least; null without one.';

-- How many doubts of an account may have come to an order that nobody knows of.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.unknown_doubts(p_account_id integer)
returns integer
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    select count(*)::integer
      from orderlatch_data.doubts as d
     cross join lateral (
       select 1 from orderlatch_data.open_decisions as k
        where k.decision_id = d.decision_id and k.status = 'in_doubt'
       offset 0
     ) as o
      join orderlatch_data.account_states as s on s.account_id = d.account_id
     where d.account_id = p_account_id
       and (s.last_read_at is null or d.in_doubt_at >= s.last_read_at)
  );
end
$$;
revoke all on function orderlatch_data.unknown_doubts(integer) from public;
comment on function orderlatch_data.unknown_doubts(integer) is
  'A doubt older than a good read does not count. A submit on its way may come back in doubt, so it counts '
  'too, but elsewhere.';
