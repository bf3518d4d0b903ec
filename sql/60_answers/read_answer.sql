-- Says what an answer means by itself, before anything is known of the decision behind it.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.read_answer(
  p_kind text,
  p_expected text,
  p_sent text,
  p_status integer,
  p_body bytea
)
returns table (meaning text, code bigint, message text, document jsonb)
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  if p_sent <> 'yes' or p_status is null then
    meaning := case p_sent when 'no' then 'not_sent' else 'in_doubt' end;
    return next;
    return;
  end if;

  document := orderlatch_data.read_json(p_body);
  if p_status between 200 and 299 then
    meaning := case p_kind
      when 'get_account' then
        case when document ->> 'id' <> '' then 'account_named' else 'in_doubt' end
      when 'list_orders' then
        case when orderlatch_data.is_order_list(document) then 'orders_listed' else 'in_doubt' end
      when 'list_fills' then
        case when orderlatch_data.is_fill_list(document) then 'fills_listed' else 'in_doubt' end
      when 'list_positions' then
        case when orderlatch_data.is_position_list(document) then 'positions_listed' else 'in_doubt' end
      when 'cancel_order' then -- the broker says nothing, or JSON; a page is a gateway's
        case when document is null and p_body <> '' then 'in_doubt' else 'cancel_accepted' end
      when 'get_order' then
        case
          when orderlatch_data.is_order(document) and document ->> 'id' = p_expected then 'order_shown'
          else 'in_doubt'
        end
      else
        case
          when orderlatch_data.is_order(document) and document ->> 'client_order_id' = p_expected
            then 'order_exists'
          else 'in_doubt'
        end
    end;
    return next;
    return;
  end if;

  if jsonb_typeof(document) = 'object' and jsonb_typeof(document -> 'message') = 'string' then
    message := left(document ->> 'message', 500);
    code := case
      when jsonb_typeof(document -> 'code') = 'number' and document ->> 'code' ~ '^[0-9]{1,15}$'
        then (document ->> 'code')::bigint
    end;
  end if;
  select r.meaning into meaning
    from orderlatch_data.answer_rules as r
   where (r.kind is null or r.kind = p_kind)
     and p_status between r.status_from and r.status_to
     and (r.code is null or r.code = read_answer.code)
     and (not r.json_only or read_answer.message is not null)
     and (r.message_pattern is null or read_answer.message ~* r.message_pattern)
   order by r.rule_no
   limit 1;
  meaning := coalesce(meaning, 'in_doubt');
  return next;
end
$$;
revoke all on function orderlatch_data.read_answer(text, text, text, integer, bytea) from public;
comment on function orderlatch_data.read_answer(text, text, text, integer, bytea) is
  'What an answer means: not_sent, in_doubt, order_exists, order_shown, account_named, orders_listed, '
  'fills_listed, positions_listed, cancel_accepted, or by answer_rules refused, throttled, duplicate, '
  'unauthorized, absent, not_cancelable. p_expected: the client_order_id that submit_order and find_order '
  'are about, the id that get_order is about. p_sent: no, yes, maybe. p_status: HTTP status. p_body: raw '
  'bytes. document is the body as JSON, when it is.';

-- Whether a document is an order: it names itself, its client_order_id and its status.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.is_order(p_document jsonb)
returns boolean
language plpgsql
immutable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return coalesce(
    -- in strict mode each is a member of the document itself; a pattern is for strings alone
    p_document @? 'strict $ ? (@.client_order_id.type() == "string"
      && @.id like_regex "^[[:graph:]]+$" && @.status like_regex "^[[:graph:]]+$")'
    -- counted apart: a pattern that counts is slow, and lists are long
    and length(p_document ->> 'id') <= 128
    and length(p_document ->> 'status') <= 64,
    false
  );
end
$$;
revoke all on function orderlatch_data.is_order(jsonb) from public;
comment on function orderlatch_data.is_order(jsonb) is
  'Whether a JSON object has the members id, client_order_id and status of an order.';

-- Whether a document is a list of orders, each with the time it was submitted.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.is_order_list(p_document jsonb)
returns boolean
language sql
immutable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select case
    when jsonb_typeof(p_document) is distinct from 'array' then false
    else not exists (
      select 1
        from jsonb_array_elements(p_document) as e(document)
       where not orderlatch_data.is_order(e.document)
          or coalesce(e.document ->> 'submitted_at', '') not like '____-__-__T__:__%'
    )
  end
$$;
revoke all on function orderlatch_data.is_order_list(jsonb) from public;
comment on function orderlatch_data.is_order_list(jsonb) is
  'Whether a JSON array holds nothing but orders with a submitted_at. A list with anything else in it '
  'proves nothing.';
