-- Records what came back for requests, and moves what that decides. Saying it twice changes nothing.
-- Locks: accounts (judging, then answering), decisions. Raises: OL131, OL132, OL134, OL201, OL202, OL301.
create or replace function orderlatch.record_responses(p_answers jsonb)
returns table (answer_no integer, request_id uuid, meaning text)
language plpgsql
volatile
parallel unsafe
security definer
set search_path = pg_catalog, pg_temp
set max_parallel_workers_per_gather = 0
set jit = off
set enable_seqscan = off
as $$
#variable_conflict use_column
declare
  v_report record;
  v_plain integer[] := '{}'::integer[];
begin
  perform orderlatch_data.require_read_committed();
  perform orderlatch_data.require_batch('p_answers', p_answers);
  perform orderlatch_data.make_durable();
  perform orderlatch_data.lock_for_answers(p_answers);

  for answer_no, request_id, meaning in
    select p.answer_no, p.request_id, p.meaning from orderlatch_data.record_plain_submits(p_answers) as p
  loop
    v_plain := v_plain || answer_no;
    return next;
  end loop;

  if cardinality(v_plain) = jsonb_array_length(p_answers) then
    -- each has moved its decision, and that wakes who waited for it
    perform orderlatch_data.note_broker_limits(p_answers);
    return;
  end if;
  -- a loop, because each other answer has a consequence of its own; in the order of the accounts, so that two
  -- batches that both change what is known of several accounts meet in the same order
  for v_report in
    select r.*, q.account_id
      from orderlatch_data.read_reports(p_answers) as r
      left join lateral (
        select k.account_id from orderlatch_data.broker_requests as k where k.request_id = r.request_id
        offset 0
      ) as q on true
     where r.answer_no <> all (v_plain)
     order by q.account_id, r.answer_no
  loop
    answer_no := v_report.answer_no;
    request_id := v_report.request_id;
    meaning := orderlatch_data.record_report(
      v_report.request_id, v_report.sent, v_report.status, v_report.headers,
      orderlatch_data.read_base64(v_report.body), v_report.error, v_report.elapsed_ms
    );
    return next;
  end loop;
  -- whatever an answer was, it may set free what waited for it
  perform orderlatch_data.wake_accounts(orderlatch_data.note_broker_limits(p_answers));
end
$$;
revoke all on function orderlatch.record_responses(jsonb) from public;
grant execute on function orderlatch.record_responses(jsonb) to orderlatch_worker;
comment on function orderlatch.record_responses(jsonb) is
  'Records answers. p_answers: JSON array of at most 1000 objects {request_id, sent, status, headers, '
  'body, error, elapsed_ms}: sent is no (the call provably never left), yes (a whole response came back) '
  'or maybe; status the HTTP status; headers an object of lower-case names; body the raw bytes in base64; '
  'elapsed_ms milliseconds. Returns for each answer what it was taken to mean, see docs/protocol.md. '
  'Idempotent. Raises OL131 argument_invalid, OL132 isolation_unsupported, OL134 too_many, OL201 '
  'account_busy, OL202 decision_busy, OL301 login_not_bound.';

-- Notes what a batch of answers says of rate limits, and returns the accounts that it is about.
-- Locks: none; where another answer is noting the same it is skipped. Raises: none.
create or replace function orderlatch_data.note_broker_limits(p_answers jsonb)
returns integer[]
language sql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  with said as materialized (
    -- of an account the newest window, and of that what leaves least
    select distinct on (q.account_id) q.account_id, r.headers
      from orderlatch_data.read_reports(p_answers) as r
     cross join lateral (
       select k.account_id from orderlatch_data.broker_requests as k where k.request_id = r.request_id
       offset 0
     ) as q
     order by q.account_id,
              substring(r.headers ->> 'x-ratelimit-reset' from '^[0-9]{1,12}$')::bigint desc nulls last,
              substring(r.headers ->> 'x-ratelimit-remaining' from '^[0-9]{1,9}$')::bigint
  ), noted as materialized (
    select s.account_id, orderlatch_data.note_broker_limit(s.account_id, s.headers) from said as s
  )
  select coalesce(array_agg(n.account_id order by n.account_id), '{}') from noted as n
$$;
revoke all on function orderlatch_data.note_broker_limits(jsonb) from public;
comment on function orderlatch_data.note_broker_limits(jsonb) is
  'note_broker_limit once for each account. p_answers: as record_responses.';
