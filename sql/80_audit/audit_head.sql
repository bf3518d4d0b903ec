-- Gives a digest over all moves and acts that were ever recorded, to be kept out of this server's reach.
-- Locks: waits at most 5 s for those who are writing. Raises: OL132, OL204 writers_busy.
create or replace function orderlatch.audit_head()
returns text
language plpgsql
volatile
parallel unsafe
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_drawn record;
begin
  perform orderlatch_data.require_read_committed();
  v_drawn := orderlatch_data.numbers_drawn();
  -- whoever has drawn one of these numbers holds its table until it commits
  perform orderlatch_data.await_writers();
  perform orderlatch_data.seal_blocks((v_drawn.event_id / 10000)::integer);
  perform orderlatch_data.mark_holdings();
  return concat_ws(
    '.', v_drawn.event_id, v_drawn.act_no,
    encode(orderlatch_data.digest_all(
      orderlatch_data.digest_since_seal(v_drawn.event_id), orderlatch_data.digest_acts(v_drawn.act_no)
    ), 'hex')
  );
end
$$;
revoke all on function orderlatch.audit_head() from public;
grant execute on function orderlatch.audit_head() to orderlatch_operator, orderlatch_auditor;
comment on function orderlatch.audit_head() is
  'The head of all chains as one text: number of the newest event, number of the newest act, and a sha256 '
  'over all events and acts up to them. Keep it elsewhere, and give it to verify_against later. '
  'Seals full blocks of 10,000 events, so that the next head costs what is new. Raises OL132 '
  'isolation_unsupported, OL204 writers_busy when a transaction that is writing does not end in 5 s.';

-- The newest numbers of an event and of an act that were ever drawn here, committed or not.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.numbers_drawn(out event_id bigint, out act_no bigint)
returns record
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  event_id := coalesce(pg_sequence_last_value(
    pg_get_serial_sequence('orderlatch_data.decision_events', 'event_id')::regclass
  ), 0);
  act_no := coalesce(pg_sequence_last_value('orderlatch_data.act_nos'), 0);
end
$$;
revoke all on function orderlatch_data.numbers_drawn() from public;
comment on function orderlatch_data.numbers_drawn() is '0 where none was.';

-- Seals the blocks of events that are full and not sealed yet.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.seal_blocks(p_through_block integer)
returns void
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_sealed integer;
  v_digest bytea;
  v_events integer;
begin
  select coalesce(max(s.block_no), 0)::integer into v_sealed from orderlatch_data.event_seals as s;
  select s.digest into v_digest from orderlatch_data.event_seals as s where s.block_no = v_sealed;
  -- a loop, because each block rests on the one before
  for v_block in v_sealed + 1 .. p_through_block loop
    select b.digest, b.events into strict v_digest, v_events
      from orderlatch_data.digest_block(v_digest, v_block) as b;
    insert into orderlatch_data.event_seals (block_no, digest, events, sealed_at)
    values (v_block, v_digest, v_events, orderlatch_data.clock())
    -- another session seals the same
    on conflict on constraint event_seals_pkey do nothing;
  end loop;
end
$$;
revoke all on function orderlatch_data.seal_blocks(integer) from public;
comment on function orderlatch_data.seal_blocks(integer) is
  'p_through_block: the last block whose events are all committed.';

-- Digest of events by their ids, resting on the digest of those before them.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.digest_events(p_before bytea, p_from bigint, p_to bigint)
returns table (digest bytea, events integer)
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
  select sha256(coalesce(p_before, '') || coalesce(string_agg(
           int8send(e.event_id) || int8send(e.decision_id) || coalesce(e.event_hash, ''), ''
           order by e.event_id
         ), '')),
         count(*)::integer
    from orderlatch_data.decision_events as e
   where e.event_id between p_from and p_to;
end
$$;
revoke all on function orderlatch_data.digest_events(bytea, bigint, bigint) from public;
comment on function orderlatch_data.digest_events(bytea, bigint, bigint) is
  'sha256 over p_before and the event_id, decision_id and event_hash of each event of the range, and how '
  'many there are.';

-- Digest of the events of a block, resting on the digest of the block before.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.digest_block(p_before bytea, p_block_no integer)
returns table (digest bytea, events integer)
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
  select e.digest, e.events
    from orderlatch_data.digest_events(
           p_before, p_block_no * 10000::bigint - 9999, p_block_no * 10000::bigint
         ) as e;
end
$$;
revoke all on function orderlatch_data.digest_block(bytea, integer) from public;
comment on function orderlatch_data.digest_block(bytea, integer) is
  'digest_events of the ids from 10000 * (p_block_no - 1) + 1 to 10000 * p_block_no.';

-- Digest of all acts up to one.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.digest_acts(p_through_act bigint)
returns bytea
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return sha256(coalesce((
    select string_agg(int8send(a.act_no) || a.act_hash, '' order by a.act_no)
      from orderlatch_data.operator_acts as a
     where a.act_no <= p_through_act
  ), ''));
end
$$;
revoke all on function orderlatch_data.digest_acts(bigint) from public;
comment on function orderlatch_data.digest_acts(bigint) is 'sha256 over the act_no and act_hash of each.';

-- Digest of all events up to one, resting on the newest seal.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.digest_since_seal(p_through_event bigint)
returns bytea
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_block constant bigint := p_through_event / 10000;
  v_sealed bytea;
begin
  select s.digest into v_sealed from orderlatch_data.event_seals as s where s.block_no = v_block;
  return (
    select b.digest from orderlatch_data.digest_events(v_sealed, v_block * 10000 + 1, p_through_event) as b
  );
end
$$;
revoke all on function orderlatch_data.digest_since_seal(bigint) from public;
comment on function orderlatch_data.digest_since_seal(bigint) is
  'What fold_events finds without a seal. The block before that of p_through_event is sealed.';

-- Digest over the digest of events and that of acts.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.digest_all(p_events bytea, p_acts bytea)
returns bytea
language plpgsql
immutable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return sha256(p_events || p_acts);
end
$$;
revoke all on function orderlatch_data.digest_all(bytea, bytea) from public;
comment on function orderlatch_data.digest_all(bytea, bytea) is 'Both have 32 bytes.';
