-- Records, as a set, the answers that say what nearly all say: the order was taken as it was sent.
-- Locks: none; the caller holds what lock_for_answers holds. Raises: none.
create or replace function orderlatch_data.record_plain_submits(p_answers jsonb)
returns table (answer_no integer, request_id uuid, meaning text)
language sql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  with plain as materialized (
    select p.* from orderlatch_data.plain_submits(p_answers) as p
  ), kept as (
    insert into orderlatch_data.broker_orders as b (
      account_id, broker_order_id, decision_id, relation, symbol, side, order_type, qty, notional,
      limit_price, stop_price, status, is_open, status_at, filled_qty, filled_avg_price, filled_as_of,
      shown_filled_qty, submitted_at, updated_at, found_in_request_id, recorded_at, changed_at
    )
    select p.account_id, d.broker_order_id, p.decision_id, 'order', d.symbol, d.side, d.order_type, d.qty,
           d.notional, d.limit_price, d.stop_price, d.status, d.is_open, d.updated_at, d.filled_qty,
           d.filled_avg_price, d.updated_at, d.filled_qty, d.submitted_at, d.updated_at, p.request_id,
           orderlatch_data.clock(), orderlatch_data.clock()
      from orderlatch_data.read_orders((select jsonb_agg(s.document) from plain as s)) as d
      join plain as p on p.broker_order_id = d.broker_order_id
     order by d.submitted_at, d.broker_order_id
    on conflict on constraint broker_orders_id_is_unique do nothing
    returning b.decision_id
  ), taken as materialized (
    select p.* from plain as p join kept as k on k.decision_id = p.decision_id
  ), ended as (
    delete from orderlatch_data.open_requests as o
     where o.request_id = any (array(select t.request_id from taken as t))
  ), moved as (
    update orderlatch_data.open_decisions as o
       set status = 'submitted',
           move_reason = 'the broker has order ' || t.broker_order_id,
           move_request_id = t.request_id,
           move_evidence = null
      from taken as t
     where o.decision_id = any (array(select k.decision_id from taken as k))
       and o.decision_id = t.decision_id
  ), answered as (
    insert into orderlatch_data.broker_responses (
      request_id, recorded_at, sent, status, meaning, broker_request_id, body, body_octets, error, elapsed_ms
    )
    select t.request_id, orderlatch_data.clock(), 'yes', t.status, 'order_exists',
           t.headers ->> 'x-request-id', substr(t.body, 1, 65536), octet_length(t.body), t.error, t.elapsed_ms
      from taken as t
     order by t.answer_no
  )
  select t.answer_no, t.request_id, 'order_exists' from taken as t
$$;
revoke all on function orderlatch_data.record_plain_submits(jsonb) from public;
comment on function orderlatch_data.record_plain_submits(jsonb) is
  'Does for all plain_submits of a batch at once what record_report does for each of them, and returns '
  'which they were. p_answers: as record_responses.';

-- The answers of a batch that show an order exactly as it was sent, with nothing else known that matters.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.plain_submits(p_answers jsonb)
returns table (
  answer_no integer,
  request_id uuid,
  account_id integer,
  decision_id bigint,
  broker_order_id text,
  document jsonb,
  status integer,
  headers jsonb,
  body bytea,
  error text,
  elapsed_ms integer
)
language sql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select c.answer_no, c.request_id, c.account_id, c.decision_id, c.broker_order_id, c.document, c.status,
         c.headers, c.body, c.error, c.elapsed_ms
    from (
      select r.answer_no, r.request_id, q.account_id, q.decision_id, d.document ->> 'id' as broker_order_id,
             d.document, r.status, r.headers, b.body, r.error, r.elapsed_ms,
             count(*) over (partition by r.request_id) as says,
             count(*) over (partition by d.document ->> 'id') as shows
        from orderlatch_data.read_reports(p_answers) as r
       cross join lateral (
         select k.account_id, k.decision_id, k.body::jsonb as sent
           from orderlatch_data.broker_requests as k
          where k.request_id = r.request_id and k.kind = 'submit_order'
         offset 0
       ) as q
       cross join lateral (select orderlatch_data.read_base64(r.body) as body offset 0) as b
       cross join lateral (select orderlatch_data.read_json(b.body) as document offset 0) as d
       where r.sent = 'yes' and r.status between 200 and 299
         and orderlatch_data.is_order(d.document)
         and orderlatch_data.is_as_sent(d.document, q.sent)
    ) as c
   where c.says = 1 and c.shows = 1
     and orderlatch_data.login_may_act(c.account_id, null)
     and orderlatch_data.is_news_of_submit(c.request_id, c.account_id, c.decision_id, c.broker_order_id)
$$;
revoke all on function orderlatch_data.plain_submits(jsonb) from public;
comment on function orderlatch_data.plain_submits(jsonb) is
  'Successes of submits whose order has every term letter by letter as it was sent and no other, whose '
  'decision waits for this answer and for nothing else, and of whose order nothing was known. Every other '
  'answer is judged by itself.';

-- Whether the broker shows every member of an order as it was sent, and no term, leg or chain besides.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.is_as_sent(p_document jsonb, p_sent jsonb)
returns boolean
language plpgsql
immutable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return p_document @> p_sent
     and coalesce(nullif(p_document ->> 'order_class', ''), 'simple') = 'simple'
     and jsonb_strip_nulls(
           jsonb_build_object(
             'qty', p_document -> 'qty', 'notional', p_document -> 'notional',
             'limit_price', p_document -> 'limit_price', 'stop_price', p_document -> 'stop_price',
             'trail_price', p_document -> 'trail_price', 'trail_percent', p_document -> 'trail_percent',
             'legs', p_document -> 'legs', 'replaces', p_document -> 'replaces',
             'replaced_by', p_document -> 'replaced_by'
           )
         ) <@ p_sent;
end
$$;
revoke all on function orderlatch_data.is_as_sent(jsonb, jsonb) from public;
comment on function orderlatch_data.is_as_sent(jsonb, jsonb) is
  'p_sent: the body of the submit. An order that is the same in other letters, as "10.0" for "10", is not.';

-- Whether an answer to a submit is the first news of its order, and all that its decision waits for.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.is_news_of_submit(
  p_request_id uuid,
  p_account_id integer,
  p_decision_id bigint,
  p_broker_order_id text
)
returns boolean
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return exists (
      select 1
        from orderlatch_data.open_decisions as o
       where o.decision_id = p_decision_id
         and o.status = 'submitting'
         and o.holder_request_id = p_request_id
         and o.wish is null
    )
    and not exists (
      select 1 from orderlatch_data.broker_responses as s where s.request_id = p_request_id
    )
    and not exists (
      select 1 from orderlatch_data.broker_orders as b where b.decision_id = p_decision_id
    )
    and not exists (
      select 1
        from orderlatch_data.broker_orders as b
       where b.account_id = p_account_id and b.broker_order_id = p_broker_order_id
    )
    and not exists (
      select 1
        from orderlatch_data.broker_orders as b
       where b.account_id = p_account_id and b.parent_broker_order_id = p_broker_order_id
    )
    and not exists (
      select 1 from orderlatch_data.incidents as i where i.decision_id = p_decision_id
    )
    and not exists (
      select 1
        from orderlatch_data.kind_backoffs as f
       where f.account_id = p_account_id and f.kind = 'submit_order'
    );
end
$$;
revoke all on function orderlatch_data.is_news_of_submit(uuid, integer, bigint, text) from public;
comment on function orderlatch_data.is_news_of_submit(uuid, integer, bigint, text) is
  'False where another answer, list or lookup was faster, where the decision is withdrawn or has an '
  'incident, or where submits of the account back off.';
