-- Every pair of statuses, moved by hand as the owner of the tables: the journal lets the legal ones pass and no other.
begin;
select plan(103);

select results_eq(
  $$ select m.from_status, string_agg(m.to_status, ' ' order by m.to_status collate "C")
       from orderlatch_data.legal_moves as m
      group by m.from_status
      order by m.from_status collate "C" $$,
  $$ values
       ('approved', 'in_doubt lapsed rejected submitted submitting withdrawn'),
       ('in_doubt', 'approved lapsed refused submitted withdrawn'),
       ('lapsed', 'submitted'),
       ('none', 'planned'),
       ('planned', 'approved in_doubt lapsed rejected submitted withdrawn'),
       ('refused', 'submitted'),
       ('rejected', 'submitted'),
       ('submitting', 'approved in_doubt refused submitted'),
       ('withdrawn', 'submitted') $$,
  'the state machine has these edges and no others'
);

select test_support.hold_clock('2026-03-02 15:00:00Z');
create temporary table statuses as
  select s.status
    from unnest(
           '{none,planned,approved,submitting,in_doubt,submitted,rejected,refused,withdrawn,lapsed}'::text[]
         ) as s(status);
create temporary table worlds as
  select s.status, test.given_decision_in(s.status, test.given_worker(test.given_account(s.status))) as decision_hash
    from statuses as s
   where s.status <> 'none';

-- A decision of whose life nothing is recorded yet.
insert into orderlatch_data.trade_decisions
select (jsonb_populate_record(d, jsonb_build_object('decision_id', 0, 'decision_hash', '\x' || repeat('00', 32)))).*
  from orderlatch_data.trade_decisions as d
 order by d.decision_id
 limit 1;
insert into worlds (status, decision_hash) values ('none', repeat('00', 32));

-- Opens a decision in a status, as the core does for births and for decisions that had settled.
create function pg_temp.open_as(p_decision_id bigint, p_status text)
returns void
language sql
as $$
  insert into orderlatch_data.open_decisions
    (decision_id, account_id, symbol, lock_key, status, approval_no, lapse_at, next_try_at, holder_request_id, move_reason)
  select d.decision_id, d.account_id, d.symbol, 0, p_status, 1, d.recorded_at, d.recorded_at, gen_random_uuid(), 'by hand'
    from orderlatch_data.trade_decisions as d
   where d.decision_id = p_decision_id
$$;

-- Tries a move and takes it back; says which events it wrote, or the SQLSTATE that refused it.
create function pg_temp.try_move(p_from text, p_to text)
returns text
language plpgsql
as $$
declare
  v_decision_id constant bigint := (select test.decision_id(w.decision_hash) from worlds as w where w.status = p_from);
  v_last constant bigint := (select coalesce(max(e.event_id), 0) from orderlatch_data.decision_events as e);
  v_result text;
begin
  if p_from = 'none' then
    perform pg_temp.open_as(v_decision_id, p_to);
  else
    if orderlatch_data.is_final(p_from) then
      perform pg_temp.open_as(v_decision_id, p_from);
    end if;
    update orderlatch_data.open_decisions as o
       set status = p_to, approval_no = 1, holder_request_id = gen_random_uuid(), move_reason = 'by hand'
     where o.decision_id = v_decision_id;
  end if;
  select coalesce(string_agg(e.from_status || '>' || e.to_status, ' '), 'no event') || ', then ' || s.status
    into v_result
    from orderlatch_data.status_of(v_decision_id) as s
    left join orderlatch_data.decision_events as e on e.decision_id = v_decision_id and e.event_id > v_last
   group by s.status;
  raise exception using errcode = 'ZZZZZ', message = v_result;
exception
  when sqlstate 'ZZZZZ' then
    return sqlerrm;
  when foreign_key_violation then
    return '23503 ' || substring(sqlerrm, 'constraint "([^"]+)"');
end
$$;

select is(
         pg_temp.try_move(f.status, t.status),
         case
           when m.from_status is not null then format('%s>%s, then %s', f.status, t.status, t.status)
           when f.status = t.status and f.status <> 'none' then format('no event, then %s', f.status)
           else '23503 decision_events_move_is_legal'
         end,
         case
           when m.from_status is not null then format('a decision that is %s may become %s, with one event', f.status, t.status)
           when f.status = t.status and f.status <> 'none' then format('staying %s is no move', f.status)
           else format('a decision that is %s cannot become %s', f.status, t.status)
         end
       )
  from statuses as f
 cross join statuses as t
  left join orderlatch_data.legal_moves as m on m.from_status = f.status and m.to_status = t.status;

select throws_ok(
  $$ update orderlatch_data.open_decisions as o set status = 'dreaming' where o.status = 'planned' $$,
  '23503', null, 'a decision cannot become what is no status'
);
select throws_ok(
  $$ update orderlatch_data.open_decisions as o set status = null where o.status = 'planned' $$,
  '23502', null, 'a decision cannot be without a status'
);

select * from finish();
rollback;
