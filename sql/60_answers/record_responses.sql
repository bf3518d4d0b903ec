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
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
declare
  v_reports orderlatch_data.broker_responses[];
  v_requests orderlatch_data.broker_requests[];
  v_plain integer[];
  v_account_ids integer[];
begin
  -- the checks in one expression with what they are for, as a perform is a query
  v_reports := case
    when num_nonnulls(
      orderlatch_data.require_read_committed(), orderlatch_data.require_batch('p_answers', p_answers),
      orderlatch_data.make_durable()
    ) >= 0 then orderlatch_data.read_reports(p_answers)
  end;
  v_requests := orderlatch_data.lock_for_answers(v_reports);
  v_plain := orderlatch_data.record_plain_submits(v_reports, v_requests);
  foreach answer_no in array v_plain loop
    request_id := (v_reports[answer_no]).request_id;
    meaning := 'order_exists';
    return next;
  end loop;

  if cardinality(v_plain) = cardinality(v_reports) then
    -- each has moved its decision, and that wakes who waited for it
    v_account_ids := orderlatch_data.note_broker_limits(v_reports, v_requests);
    return;
  end if;
  -- a loop, because each other answer has a consequence of its own; in the order of the accounts, so that two
  -- batches that both change what is known of several accounts meet in the same order
  for answer_no in
    select q.ordinality::integer
      from unnest(v_requests) with ordinality as q
     where q.ordinality <> all (v_plain)
     order by q.account_id, q.ordinality
  loop
    request_id := (v_reports[answer_no]).request_id;
    meaning := orderlatch_data.record_report(v_reports[answer_no]);
    return next;
  end loop;
  v_account_ids := orderlatch_data.note_broker_limits(v_reports, v_requests);
  -- whatever an answer was, it may set free what waited for it
  perform orderlatch_data.wake_accounts(
    array(select distinct a.account_id from unnest(v_account_ids) as a(account_id) order by a.account_id)
  );
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
create or replace function orderlatch_data.note_broker_limits(
  p_reports orderlatch_data.broker_responses[],
  p_requests orderlatch_data.broker_requests[]
)
returns integer[]
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_account_id integer;
  v_headers jsonb;
  v_about integer[] := '{}'::integer[];
  v_account_ids integer[];
  v_said jsonb[];
begin
  for v_place in 1 .. cardinality(p_reports) loop
    v_account_id := (p_requests[v_place]).account_id;
    continue when v_account_id is null;
    v_about := v_about || v_account_id;
    v_headers := (p_reports[v_place]).headers;
    if v_headers ? 'x-ratelimit-reset' then
      v_account_ids := v_account_ids || v_account_id;
      v_said := v_said || v_headers;
    end if;
  end loop;
  if v_said is not null then
    -- of an account the newest window, and of that what leaves least
    perform orderlatch_data.note_broker_limit(s.account_id, s.headers)
       from (
         select distinct on (k.account_id) k.account_id, k.headers
           from unnest(v_account_ids, v_said) as k(account_id, headers)
          order by k.account_id,
                   substring(k.headers ->> 'x-ratelimit-reset' from '^[0-9]{1,12}$')::bigint desc nulls last,
                   substring(k.headers ->> 'x-ratelimit-remaining' from '^[0-9]{1,9}$')::bigint
       ) as s;
  end if;
  return v_about;
end
$$;
revoke all on function orderlatch_data.note_broker_limits(
  orderlatch_data.broker_responses[], orderlatch_data.broker_requests[]
) from public;
comment on function orderlatch_data.note_broker_limits(
  orderlatch_data.broker_responses[], orderlatch_data.broker_requests[]
) is
  'note_broker_limit once for each account. p_reports: as read_reports has them; p_requests: the request of '
  'each. Returns the accounts that they are about, with each of its answers.';
