-- Writes one act, as the next link of the chain of acts.
-- Locks: none; an act whose end another session is taking up is left to that one. Raises: none.
create or replace function orderlatch_data.record_act(p_act text, p_detail jsonb)
returns void
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_act_no bigint;
  v_acted_at constant timestamptz := orderlatch_data.clock();
  v_saw bigint[];
begin
  -- skipped, not waited for: the core itself halts accounts while it holds locks that others wait for
  with ends as materialized (
    select t.act_no from orderlatch_data.act_tips as t order by t.act_no limit 100 for update skip locked
  ), seen as (
    delete from orderlatch_data.act_tips as t using ends as e where t.act_no = e.act_no returning t.act_no
  )
  select coalesce(array_agg(s.act_no order by s.act_no), '{}') into v_saw from seen as s;

  -- the number is drawn while its table is held: await_writers knows by that lock who may have one
  insert into orderlatch_data.operator_acts as a (act_no, act, detail, acted_at, acted_by, saw, act_hash)
  select n.act_no, p_act, p_detail, v_acted_at, session_user, v_saw,
         orderlatch_data.act_hash(n.act_no, p_act, p_detail, v_acted_at, session_user, v_saw)
    from (select nextval('orderlatch_data.act_nos') as act_no offset 0) as n
  returning a.act_no into strict v_act_no;
  insert into orderlatch_data.act_tips (act_no) values (v_act_no);
end
$$;
revoke all on function orderlatch_data.record_act(text, jsonb) from public;
comment on function orderlatch_data.record_act(text, jsonb) is
  'Appends to operator_acts. p_act: table and deed. p_detail: the row that was made, or removed.';

-- The hash of an act: over all that it says and the hashes of the acts that it saw.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.act_hash(
  p_act_no bigint,
  p_act text,
  p_detail jsonb,
  p_acted_at timestamptz,
  p_acted_by text,
  p_saw bigint[]
)
returns bytea
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return sha256(convert_to(jsonb_build_array(
    p_act_no, p_act, p_detail, encode(timestamptz_send(p_acted_at), 'hex'), p_acted_by, to_jsonb(p_saw),
    (
      select jsonb_agg(encode(a.act_hash, 'hex') order by a.act_no)
        from orderlatch_data.operator_acts as a
       where a.act_no = any (p_saw)
    )
  )::text, 'UTF8'));
end
$$;
revoke all on function orderlatch_data.act_hash(bigint, text, jsonb, timestamptz, text, bigint[]) from public;
comment on function orderlatch_data.act_hash(bigint, text, jsonb, timestamptz, text, bigint[]) is
  'sha256 of the UTF-8 bytes of a JSON array of the arguments and of the hashes of p_saw.';

-- Writes an act for each row that an operator, or the core in place of one, made, changed or removed.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.record_acts()
returns trigger
language plpgsql
volatile
parallel unsafe
security definer
set search_path = pg_catalog, pg_temp
set timezone = 'UTC'
set intervalstyle = 'postgres'
as $$
declare
  v_row jsonb;
begin
  -- a loop, because each act is a link of its own
  for v_row in select to_jsonb(t) from touched as t loop
    -- an incident that opens is no act of anybody
    if tg_table_name <> 'incidents' or v_row ->> 'closed_at' is not null then
      perform orderlatch_data.record_act(tg_table_name || ' ' || lower(tg_op collate "C"), v_row);
    end if;
  end loop;
  return null;
end
$$;
revoke all on function orderlatch_data.record_acts() from public;
comment on function orderlatch_data.record_acts() is
  'Trigger after each statement that changes what operators decide: a row of operator_acts for each row. '
  'Times and durations are written the same way whatever the session shows them in.';
