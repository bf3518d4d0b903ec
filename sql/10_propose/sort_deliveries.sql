-- Reads the decisions of an array and tells the new from those that are known, in conflict or wrong.
-- Locks: none; the caller holds the account for judging. Raises: none; what is wrong is returned.
create or replace function orderlatch_data.sort_deliveries(
  p_account orderlatch_data.accounts,
  p_decisions jsonb,
  out decision_ids bigint[],
  out decision_hashes text[],
  out outcomes text[],
  out problems jsonb[],
  out fresh orderlatch_data.trade_decisions[],
  out taken_keys uuid[]
)
returns record
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_read constant record := orderlatch_data.read_batch(p_account, p_decisions);
  v_known constant record := orderlatch_data.find_known(v_read.decisions, v_read.signal_keys);
  v_decision orderlatch_data.trade_decisions;
  v_key uuid;
  v_outcome text;
  v_nth integer;
  v_hashes bytea[] := array[]::bytea[];
  v_keys uuid[] := array[]::uuid[];
begin
  decision_ids := '{}';
  decision_hashes := '{}';
  outcomes := '{}';
  problems := v_read.problems;
  fresh := '{}';
  taken_keys := '{}';
  for v_place in 1 .. cardinality(problems) loop
    v_decision := v_read.decisions[v_place];
    v_nth := array_position(v_hashes, v_decision.decision_hash);
    if problems[v_place] is not null then
      v_outcome := 'invalid';
    elsif v_known.decision_ids[v_place] is not null then
      v_decision.decision_id := v_known.decision_ids[v_place];
      v_outcome := case
        when v_known.intents[v_place] = v_decision.intent then 'existing'
        else 'collision'
      end;
    elsif v_nth is not null then
      v_decision.decision_id := (fresh[v_nth]).decision_id;
      v_outcome := case when (fresh[v_nth]).intent = v_decision.intent then 'existing' else 'collision' end;
    else
      v_decision.decision_id := nextval('orderlatch_data.decision_ids');
      v_key := v_read.signal_keys[v_place];
      v_outcome := case
        when p_account.one_decision_per_signal
          and (v_known.live_keys[v_place] is not null or array_position(v_keys, v_key) is not null)
          then 'conflict'
        else 'created'
      end;
      fresh := fresh || v_decision;
      taken_keys := taken_keys
        || case when p_account.one_decision_per_signal and v_outcome = 'created' then v_key end;
      v_hashes := v_hashes || v_decision.decision_hash;
      v_keys := v_keys || v_key;
    end if;
    decision_ids := decision_ids || v_decision.decision_id;
    decision_hashes := decision_hashes || encode(v_decision.decision_hash, 'hex');
    outcomes := outcomes || v_outcome;
  end loop;
end
$$;
revoke all on function orderlatch_data.sort_deliveries(orderlatch_data.accounts, jsonb) from public;
comment on function orderlatch_data.sort_deliveries(orderlatch_data.accounts, jsonb) is
  'Of each element, in input order: its id (of a collision, that of the decision that holds its hash), its '
  'hash (64 hex digits), its outcome: created, existing, conflict (its signal has a live decision with '
  'another intent), collision (its hash is held by another intent) or invalid, and its problem as '
  'read_batch has it. fresh: what is to be recorded, with the keys of the signals that it takes (null: '
  'none), in input order and each once. The caller holds the account for judging, records and settles.';

-- What is known of decisions that are delivered: those that are recorded, and signals that are taken.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.find_known(
  p_decisions orderlatch_data.trade_decisions[],
  p_signal_keys uuid[],
  out decision_ids bigint[],
  out intents text[],
  out live_keys uuid[]
)
returns record
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_known record;
begin
  -- most are new: what is not found has no row, and stays null
  for v_known in
    select n.ordinality as place, d.decision_id, d.intent, g.signal_key
      from unnest(p_signal_keys, p_decisions) with ordinality
           as n(signal_key, decision_id, decision_hash)
      -- by their keys, whatever the planner thinks of the tables
      left join lateral (
        select t.decision_id, t.intent
          from orderlatch_data.trade_decisions as t
         where t.decision_hash = n.decision_hash
        offset 0
      ) as d on true
      left join lateral (
        select s.signal_key from orderlatch_data.live_signals as s where s.signal_key = n.signal_key
        offset 0
      ) as g on true
     where d.decision_id is not null or g.signal_key is not null
  loop
    decision_ids[v_known.place] := v_known.decision_id;
    intents[v_known.place] := v_known.intent;
    live_keys[v_known.place] := v_known.signal_key;
  end loop;
end
$$;
revoke all on function orderlatch_data.find_known(orderlatch_data.trade_decisions[], uuid[]) from public;
comment on function orderlatch_data.find_known(orderlatch_data.trade_decisions[], uuid[]) is
  'By place: id and intent of the decision that is recorded with the hash, and the key of the signal where a '
  'live decision holds it; null where there is none.';
