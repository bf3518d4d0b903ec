-- The answers of a batch that show an order exactly as it was sent, with nothing else known that matters.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.plain_submits(
  p_reports orderlatch_data.broker_responses[],
  p_requests orderlatch_data.broker_requests[],
  out places integer[],
  out account_ids integer[],
  out decision_ids bigint[],
  out request_ids uuid[],
  out orders orderlatch_data.shown_order[],
  out responses orderlatch_data.broker_responses[]
)
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_sent constant record := orderlatch_data.shown_as_sent(p_reports, p_requests);
begin
  if v_sent.places is null then
    return;
  end if;
  -- what is looked for is looked up by its key for each: a join may read all rows that there are
  select array_agg(s.place), array_agg(s.account_id), array_agg(s.decision_id), array_agg(s.request_id),
         array_agg(orderlatch_data.read_order(s.document)),
         array_agg(orderlatch_data.reported_response(p_reports[s.place], 'order_exists'))
    into places, account_ids, decision_ids, request_ids, orders, responses
    from (
      select d.place, d.document, (p_requests[d.place]).account_id, (p_requests[d.place]).decision_id,
             (p_requests[d.place]).request_id
        from unnest(v_sent.places, v_sent.documents) as d(place, document)
    ) as s
   where s.place <> all (v_sent.twice)
     and exists (
       select 1
         from orderlatch_data.open_decisions as o
        where o.decision_id = s.decision_id
          and o.status = 'submitting'
          and o.holder_request_id = s.request_id
          and o.wish is null
       offset 0
     )
     and not exists (
       select 1 from orderlatch_data.broker_responses as r where r.request_id = s.request_id offset 0
     )
     and not exists (
       select 1 from orderlatch_data.broker_orders as b where b.decision_id = s.decision_id offset 0
     )
     and not exists (
       select 1 from orderlatch_data.broker_orders as b
        where b.account_id = s.account_id and b.broker_order_id = s.document ->> 'id'
       offset 0
     )
     and not exists (
       -- of whatever account: its answer is judged by itself, which is always right
       select 1 from orderlatch_data.broker_orders as b
        where b.parent_broker_order_id = s.document ->> 'id'
       offset 0
     )
     and not exists (
       select 1 from orderlatch_data.incidents as i where i.decision_id = s.decision_id offset 0
     )
     and not exists (
       select 1 from orderlatch_data.kind_backoffs as f
        where f.account_id = s.account_id and f.kind = 'submit_order'
       offset 0
     );
end
$$;
revoke all on function orderlatch_data.plain_submits(
  orderlatch_data.broker_responses[], orderlatch_data.broker_requests[]
) from public;
comment on function orderlatch_data.plain_submits(
  orderlatch_data.broker_responses[], orderlatch_data.broker_requests[]
) is
  'Those that were shown_as_sent, once in the batch, whose decision waits for this answer and for nothing '
  'else, and of whose order nothing was known: no other answer, list or lookup was faster, the decision is '
  'not withdrawn and has no incident, and submits of the account do not back off. Every other answer is '
  'judged by itself. Arguments as record_plain_submits; of each its place among them, its order and what '
  'is to be kept of its answer; null when there is none.';

-- The successes of submits whose order is shown letter by letter as it was sent.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.shown_as_sent(
  p_reports orderlatch_data.broker_responses[],
  p_requests orderlatch_data.broker_requests[],
  out places integer[],
  out documents jsonb[],
  out twice integer[]
)
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_report orderlatch_data.broker_responses;
  v_request orderlatch_data.broker_requests;
  v_document jsonb;
  v_account_id integer;
  v_may_act boolean;
begin
  for v_place in 1 .. cardinality(p_reports) loop
    v_report := p_reports[v_place];
    continue when v_report.sent <> 'yes' or coalesce(v_report.status, 0) not between 200 and 299;
    v_request := p_requests[v_place];
    continue when v_request.kind is distinct from 'submit_order';
    v_document := orderlatch_data.read_json(v_report.body);
    continue when not orderlatch_data.is_order(v_document);
    continue when orderlatch_data.is_as_sent(v_document, v_request.body::jsonb) is not true;
    if v_account_id is distinct from v_request.account_id then
      v_account_id := v_request.account_id;
      v_may_act := orderlatch_data.login_may_act(v_account_id, null);
    end if;
    continue when not v_may_act;
    places := places || v_place;
    documents := documents || v_document;
  end loop;
  twice := '{}';
  if cardinality(places) > 1 then
    twice := array(
      select d.place
        from (
          select s.place, count(*) over (partition by (p_requests[s.place]).request_id) as says,
                 count(*) over (partition by s.document ->> 'id') as shows
            from unnest(places, documents) as s(place, document)
        ) as d
       where d.says > 1 or d.shows > 1
    );
  end if;
end
$$;
revoke all on function orderlatch_data.shown_as_sent(
  orderlatch_data.broker_responses[], orderlatch_data.broker_requests[]
) from public;
comment on function orderlatch_data.shown_as_sent(
  orderlatch_data.broker_responses[], orderlatch_data.broker_requests[]
) is
  'Answers of which is_as_sent holds, for accounts that the login may act for: their places in the batch and '
  'the documents in them. twice: the places of those that answer the same request, or show the same order, '
  'as another one does. Arguments as record_plain_submits.';

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
     -- each of these is missing, null or what was sent; in strict mode a list is not what is in it
     and not jsonb_path_exists(
           p_document,
           'strict $ ? (@.qty != $qty || @.notional != $notional || @.limit_price != $limit_price
             || @.stop_price != $stop_price || @.trail_price != $trail_price
             || @.trail_percent != $trail_percent
             || @.legs != null || @.replaces != null || @.replaced_by != null)',
           '{"qty": null, "notional": null, "limit_price": null, "stop_price": null, "trail_price": null,
             "trail_percent": null}' || p_sent
         );
end
$$;
revoke all on function orderlatch_data.is_as_sent(jsonb, jsonb) from public;
comment on function orderlatch_data.is_as_sent(jsonb, jsonb) is
  'p_sent: the body of the submit. An order that is the same in other letters, as "10.0" for "10", is not.';
