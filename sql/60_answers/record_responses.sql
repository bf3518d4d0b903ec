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
as $$
#variable_conflict use_column
declare
  v_report record;
  v_account_ids integer[] := '{}'::integer[];
begin
  perform orderlatch_data.require_read_committed();
  perform orderlatch_data.require_batch('p_answers', p_answers);
  perform orderlatch_data.make_durable();
  perform orderlatch_data.lock_for_answers(p_answers);

  -- a loop, because each answer has a consequence of its own; in the order of the accounts, so that two
  -- batches that both change what is known of several accounts meet in the same order
  for v_report in
    select r.*, q.account_id
      from orderlatch_data.read_reports(p_answers) as r
      left join orderlatch_data.broker_requests as q on q.request_id = r.request_id
     order by q.account_id, r.answer_no
  loop
    answer_no := v_report.answer_no;
    request_id := v_report.request_id;
    meaning := orderlatch_data.record_report(
      v_report.request_id, v_report.sent, v_report.status, v_report.headers,
      orderlatch_data.read_base64(v_report.body), v_report.error, v_report.elapsed_ms
    );
    return next;
    if v_report.account_id is not null then
      v_account_ids := v_account_ids || v_report.account_id;
      perform orderlatch_data.note_broker_limit(v_report.account_id, v_report.headers);
    end if;
  end loop;
  -- whatever an answer was, it may set free what waited for it
  perform orderlatch_data.wake_accounts(v_account_ids);
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

-- Holds everything that a batch of answers may change, in the one order of locking.
-- Locks: accounts ascending (judging, then answering), decisions ascending. Raises: OL201, OL202.
create or replace function orderlatch_data.lock_for_answers(p_answers jsonb)
returns void
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_account_id integer;
  v_keys integer[];
  v_lost integer[];
  v_answering integer[];
  v_unknown boolean;
begin
  select array_agg(distinct k.lock_key), array_agg(distinct k.account_id) filter (where k.is_lost)
    into v_keys, v_lost
    from orderlatch_data.keys_of_answers(p_answers) as k;
  select array_agg(distinct q.account_id) filter (
           -- a submit that succeeded changes nothing that is known of its account, but with legs
           where q.request_id is not null
             and not (
               q.kind = 'submit_order' and r.sent = 'yes' and r.status between 200 and 299
               and t.order_class = 'simple'
             )
         ),
         bool_or(q.request_id is null and r.status between 200 and 299)
    into v_answering, v_unknown
    from orderlatch_data.read_reports(p_answers) as r
    left join orderlatch_data.broker_requests as q on q.request_id = r.request_id
    left join orderlatch_data.trade_decisions as t on t.decision_id = q.decision_id;

  -- an order whose decision is not known, or of an unknown request, may be of a decision that is being
  -- proposed at this moment: either it is seen here, or the order is seen there
  for v_account_id in
    select a.account_id
      from orderlatch_data.accounts as a
     where v_unknown or a.account_id = any (v_lost)
     order by a.account_id
  loop
    perform orderlatch_data.lock_account('judging', v_account_id);
  end loop;
  for v_account_id in
    select q.account_id from unnest(v_answering) as q(account_id) order by q.account_id
  loop
    perform orderlatch_data.lock_account('answering', v_account_id);
  end loop;
  perform orderlatch_data.lock_decisions(v_keys);
end
$$;
revoke all on function orderlatch_data.lock_for_answers(jsonb) from public;
comment on function orderlatch_data.lock_for_answers(jsonb) is
  'Takes every lock that recording these answers needs, before anything is read for it. p_answers: as '
  'record_responses.';

-- The keys of all decisions, and of requests without one, that a batch of answers may change.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.keys_of_answers(p_answers jsonb)
returns table (lock_key integer, account_id integer, is_lost boolean)
language sql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  with reports as materialized (
    select r.request_id, q.request_id is not null as known, q.kind, q.decision_id, q.read_id, q.account_id,
           case
             when q.request_id is null or q.kind in ('list_orders', 'get_order', 'list_fills')
               then orderlatch_data.read_json(orderlatch_data.read_base64(r.body))
           end as document
      from orderlatch_data.read_reports(p_answers) as r
      left join orderlatch_data.broker_requests as q on q.request_id = r.request_id
  )
  -- the decision of a submit or lookup
  select orderlatch_data.decision_lock_key(t.decision_hash), r.account_id, false
    from reports as r
    join orderlatch_data.trade_decisions as t on t.decision_id = r.decision_id
  union
  -- the request itself, where there is no decision
  select orderlatch_data.request_lock_key(r.request_id), r.account_id, false
    from reports as r
   where r.known and r.decision_id is null
  union
  -- decisions whose proof waits for the read that a page belongs to
  select o.lock_key, r.account_id, false
    from reports as r
    join orderlatch_data.doubts as d on d.read_id = r.read_id
    join orderlatch_data.open_decisions as o on o.decision_id = d.decision_id
  union
  -- decisions whose orders are shown, also those that are being recorded at this moment
  select w.lock_key, r.account_id, w.is_lost
    from reports as r
   cross join lateral orderlatch_data.keys_of_orders(
     r.account_id, orderlatch_data.orders_in(r.document)
   ) as w
   where r.kind in ('list_orders', 'get_order')
  union
  -- decisions whose order is on its way, and may be the one that fills are shown of before it
  select o.lock_key, r.account_id, false
    from reports as r
    join orderlatch_data.open_decisions as o
      on o.account_id = r.account_id and o.status in ('submitting', 'in_doubt')
   where r.kind = 'list_fills' and orderlatch_data.has_fill_of_unknown_order(r.account_id, r.document)
  union
  -- the decision of an order in the answer to a request that a failover has lost
  select orderlatch_data.decision_lock_key(h.decision_hash), null, false
    from reports as r
   cross join lateral (select orderlatch_data.read_decision_hash(r.document) as decision_hash) as h
   where not r.known and orderlatch_data.is_order(r.document) and h.decision_hash is not null
$$;
revoke all on function orderlatch_data.keys_of_answers(jsonb) from public;
comment on function orderlatch_data.keys_of_answers(jsonb) is
  'Keys for lock_decisions, before a batch of answers is recorded. is_lost: an order is shown whose '
  'decision nobody knows, or not yet.';
