-- Draws the consequence of a page of fills.
-- Locks: none; the caller holds the account for answering. Raises: none.
create or replace function orderlatch_data.apply_fill_page(
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
  v_read orderlatch_data.broker_reads;
  v_shown orderlatch_data.shown_fill[];
  v_complete boolean;
begin
  if p_meaning = 'fills_listed' then
    -- a trade is a fact, also on a page that is not the one on its way any more
    v_shown := array(
      select row(f.*)::orderlatch_data.shown_fill from orderlatch_data.read_fills(p_document) as f
    );
    perform orderlatch_data.take_fills(p_account.account_id, v_shown, p_request.request_id);
    perform orderlatch_data.report_unread_activities(p_account, p_document, v_shown, p_request.request_id);
  end if;
  select r.* into v_read
    from orderlatch_data.broker_reads as r
   where r.read_id = p_request.read_id and r.request_id = p_request.request_id;
  if v_read.read_id is null then
    return 'stale';
  end if;
  if p_meaning <> 'fills_listed' then
    perform orderlatch_data.fail_page(p_account, v_read, p_request, p_document);
    return p_meaning;
  end if;
  v_complete := jsonb_array_length(p_document) < 100;
  update orderlatch_data.broker_reads as r
     set request_id = null,
         pages = r.pages + 1,
         failures = 0,
         newest_at = greatest(r.newest_at, (select max(f.filled_at) from unnest(v_shown) as f)),
         page_token = left(p_document -> -1 ->> 'id', 128),
         next_page_at = orderlatch_data.clock()
   where r.read_id = v_read.read_id;
  if v_complete then
    perform orderlatch_data.finish_read(p_account, v_read);
    perform orderlatch_data.compare_fills(p_account, v_read, p_request.request_id);
    perform orderlatch_data.heal_positions(p_account);
  end if;
  return p_meaning;
end
$$;
revoke all on function orderlatch_data.apply_fill_page(
  orderlatch_data.accounts, orderlatch_data.broker_requests, text, jsonb
) from public;
comment on function orderlatch_data.apply_fill_page(
  orderlatch_data.accounts, orderlatch_data.broker_requests, text, jsonb
) is
  'What a page of list_fills does: its trades are booked, and the next page begins behind its last one; a '
  'page that is not full completes the read. A failed page is asked again. Returns the meaning, or stale.';

-- Reports activities that are listed among the fills and cannot be booked.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.report_unread_activities(
  p_account orderlatch_data.accounts,
  p_document jsonb,
  p_shown orderlatch_data.shown_fill[],
  p_request_id uuid
)
returns void
language sql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select orderlatch_data.open_incident(
           'activity_unread', p_account.account_id, null, p_request_id,
           jsonb_build_object(
             'activities', count(*), 'for_example', min(e.document ->> 'id'),
             'type', min(left(e.document ->> 'type', 60))
           )
         )
    from jsonb_array_elements(p_document) as e(document)
   where e.document ->> 'id' not in (select f.activity_id from unnest(p_shown) as f)
  having count(*) > 0
$$;
revoke all on function orderlatch_data.report_unread_activities(
  orderlatch_data.accounts, jsonb, orderlatch_data.shown_fill[], uuid
) from public;
comment on function orderlatch_data.report_unread_activities(
  orderlatch_data.accounts, jsonb, orderlatch_data.shown_fill[], uuid
) is
  'Opens activity_unread when a page of fills holds an activity of an unknown type, or without its '
  'quantity, price, side or order: positions may be wrong by it.';
