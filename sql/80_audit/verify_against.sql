-- Compares all that was recorded up to a head with what the head says.
-- Locks: none. Raises: OL131 argument_invalid.
create or replace function orderlatch.verify_against(p_head text)
returns table (what text, agrees boolean, finding text)
language plpgsql
stable
parallel safe
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_parts text[];
  v_drawn record;
  v_events record;
begin
  v_parts := regexp_match(p_head, '^([0-9]{1,18})[.]([0-9]{1,18})[.]([0-9a-f]{64})$');
  if v_parts is null then
    raise exception using
      errcode = 'OL131',
      message = 'argument_invalid: p_head is no head that audit_head has returned',
      detail = format('it begins with %L', left(p_head, 60)),
      hint = 'Two numbers and 64 hexadecimal digits, with dots between them.';
  end if;
  what := format('events up to %s and acts up to %s', v_parts[1], v_parts[2]);
  v_drawn := orderlatch_data.numbers_drawn();
  if v_parts[1]::bigint > v_drawn.event_id or v_parts[2]::bigint > v_drawn.act_no then
    agrees := false;
    finding := format(
      'this database has not come so far: it is at %s and %s', v_drawn.event_id, v_drawn.act_no
    );
    return next;
    return;
  end if;
  v_events := orderlatch_data.fold_events(v_parts[1]::bigint);
  agrees := v_parts[3] = encode(orderlatch_data.digest_all(
    v_events.digest, orderlatch_data.digest_acts(v_parts[2]::bigint)
  ), 'hex');
  finding := case
    when agrees then null
    when v_events.differs_at is not null then format(
      'events %s to %s are not those that were sealed', v_events.differs_at * 10000 - 9999,
      v_events.differs_at * 10000
    )
    else 'they are not those that the head was taken over'
  end;
  return next;
end
$$;
revoke all on function orderlatch.verify_against(text) from public;
grant execute on function orderlatch.verify_against(text) to orderlatch_operator, orderlatch_auditor;
comment on function orderlatch.verify_against(text) is
  'Reads all events and acts up to a head that audit_head has returned, without trust in any seal, and says '
  'whether they are those that it was taken over: nothing was removed, cut off, slipped in or written anew. '
  'Whether each event still is what was hashed says verify_all. Raises OL131 argument_invalid.';

-- Digest of all events up to one, and the first block whose digest is not that of its seal.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.fold_events(
  p_through_event bigint,
  out digest bytea,
  out differs_at bigint
)
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_full constant integer := (p_through_event / 10000)::integer;
begin
  -- a loop, because each block rests on the one before
  for v_block in 1 .. v_full loop
    select b.digest into strict digest from orderlatch_data.digest_block(digest, v_block) as b;
    if differs_at is null then
      select s.block_no into differs_at
        from orderlatch_data.event_seals as s
       where s.block_no = v_block and s.digest <> fold_events.digest;
    end if;
  end loop;
  select b.digest into strict digest
    from orderlatch_data.digest_events(digest, v_full * 10000::bigint + 1, p_through_event) as b;
end
$$;
revoke all on function orderlatch_data.fold_events(bigint) from public;
comment on function orderlatch_data.fold_events(bigint) is
  'digest: as in a head. differs_at: number of the block, null when all agree with their seals.';
