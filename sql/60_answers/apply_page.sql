-- Draws the consequence of a page of orders.
-- Locks: none; the caller holds the account for answering and the decisions concerned. Raises: none.
create or replace function orderlatch_data.apply_page(
  p_account orderlatch_data.accounts,
  p_request orderlatch_data.broker_requests,
  p_meaning text,
  p_document jsonb
)
returns text
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
-- a page is planned for what is on it
set plan_cache_mode = auto
as $$
declare
  v_shown orderlatch_data.shown_order[];
  v_read orderlatch_data.broker_reads;
begin
  if p_meaning = 'orders_listed' or orderlatch_data.is_order_list(p_document) then
    -- facts are welcome whoever asked
    v_shown := orderlatch_data.take_orders(
      p_account.account_id, p_document, p_request.request_id, p_meaning = 'orders_listed'
    );
  end if;
  select r.* into v_read
    from orderlatch_data.broker_reads as r
   where r.read_id = p_request.read_id and r.request_id = p_request.request_id;
  if v_read.read_id is null then
    return 'stale';
  end if;
  if p_meaning <> 'orders_listed' then
    perform orderlatch_data.fail_page(p_account, v_read, p_request, p_document);
    return p_meaning;
  end if;
  if v_read.purpose = 'open_orders' then
    insert into orderlatch_data.read_sightings (read_id, order_no)
    select v_read.read_id, b.order_no
      from unnest(v_shown) as d
     cross join lateral (
       select k.order_no
         from orderlatch_data.broker_orders as k
        where k.account_id = p_account.account_id and k.broker_order_id = d.broker_order_id
       offset 0
     ) as b
     order by b.order_no
    on conflict on constraint read_sightings_pkey do nothing;
  end if;
  if orderlatch_data.turn_page(v_read, v_shown, p_document -> -1 ->> 'id') then
    case v_read.purpose
      when 'proof' then
        perform orderlatch_data.conclude_read(p_account, v_read.read_id, p_request.request_id);
      when 'orders' then perform orderlatch_data.finish_orders(p_account, v_read);
      when 'open_orders' then perform orderlatch_data.finish_open_orders(p_account, v_read);
    end case;
  end if;
  return p_meaning;
end
$$;
revoke all on function orderlatch_data.apply_page(
  orderlatch_data.accounts, orderlatch_data.broker_requests, text, jsonb
) from public;
comment on function orderlatch_data.apply_page(
  orderlatch_data.accounts, orderlatch_data.broker_requests, text, jsonb
) is
  'What a page of list_orders does: its orders are recorded, the cursor moves on, and a page that is not '
  'full completes the read, and with it the proofs of absence, or the round of the mirror, that it was '
  'for. A failed page is asked again. Returns the meaning, or stale when the page is not the one on its '
  'way.';

-- Moves a read of orders behind a page, and says whether that was its last.
-- Locks: none; the caller holds the account for answering. Raises: none.
create or replace function orderlatch_data.turn_page(
  p_read orderlatch_data.broker_reads,
  p_shown orderlatch_data.shown_order[],
  p_last_id text
)
returns boolean
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_now constant timestamptz := orderlatch_data.clock();
  -- whether 500 are orders, or orders and legs, the broker does not say: either makes a page full
  v_complete constant boolean := cardinality(p_shown) < 500;
  -- the list is in the order of its orders, whenever their legs were submitted
  v_newest constant timestamptz := (
    select max(d.submitted_at) from unnest(p_shown) as d where d.relation <> 'leg'
  );
  v_moves boolean;
begin
  -- bounds are exclusive and many orders may bear one time, so the next page begins just before the last
  -- order of this one; where that would be the same page again, it begins behind the last id
  v_moves := v_newest is not null
    and coalesce(v_newest - interval '1 microsecond' > p_read.after_at, true);
  update orderlatch_data.broker_reads as r
     set request_id = null,
         pages = r.pages + 1,
         failures = 0,
         newest_at = greatest(r.newest_at, v_newest),
         after_at = case when v_moves then v_newest - interval '1 microsecond' else r.after_at end,
         page_token = case when not v_complete and not v_moves then left(p_last_id, 128) end,
         completed_at = case when v_complete then v_now else r.completed_at end,
         next_page_at = v_now
   where r.read_id = p_read.read_id;
  return v_complete;
end
$$;
revoke all on function orderlatch_data.turn_page(
  orderlatch_data.broker_reads, orderlatch_data.shown_order[], text
) from public;
comment on function orderlatch_data.turn_page(
  orderlatch_data.broker_reads, orderlatch_data.shown_order[], text
) is
  'Notes a page of orders that was recorded: the next one begins a microsecond before its newest order, '
  'or, when a page is full of orders of one moment, behind its last id. Returns whether the page was not '
  'full, legs counted: then the read is complete.';

-- Notes that a page failed; it is asked again when its kind has backed off.
-- Locks: none; the caller holds the account for answering. Raises: none.
create or replace function orderlatch_data.fail_page(
  p_account orderlatch_data.accounts,
  p_read orderlatch_data.broker_reads,
  p_request orderlatch_data.broker_requests,
  p_document jsonb
)
returns void
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_now constant timestamptz := orderlatch_data.clock();
  -- in the broker's own words, about what was asked: an outage says nothing of the token
  v_refused constant boolean := coalesce(p_document ->> 'code' ~ '^4(00|04|22)[0-9]{5}$', false);
begin
  update orderlatch_data.broker_reads as r
     set request_id = null,
         failures = r.failures + 1,
         failed_at = v_now,
         next_page_at = v_now + p_account.backoff_first
   where r.read_id = p_read.read_id;
  if v_refused and p_read.page_token is not null and p_read.failures >= 2 then
    -- a broker that does not take the token can be read again only from where pages have their own times
    update orderlatch_data.broker_reads as r set page_token = null where r.read_id = p_read.read_id;
    perform orderlatch_data.open_incident(
      'read_stuck', p_account.account_id, null, p_request.request_id,
      jsonb_build_object(
        'purpose', p_read.purpose, 'after', p_read.after_at, 'token', p_read.page_token,
        'message', left(p_document ->> 'message', 200)
      ),
      p_read.purpose
    );
  end if;
end
$$;
revoke all on function orderlatch_data.fail_page(
  orderlatch_data.accounts, orderlatch_data.broker_reads, orderlatch_data.broker_requests, jsonb
) from public;
comment on function orderlatch_data.fail_page(
  orderlatch_data.accounts, orderlatch_data.broker_reads, orderlatch_data.broker_requests, jsonb
) is
  'A page that was not answered, or not understood, proves nothing: it is asked again. A page by id that '
  'fails three times, at last in words of the broker''s own, is given up for the last page by time, and '
  'opens the incident read_stuck.';
