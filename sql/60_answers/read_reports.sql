-- Reads what a worker reports; nothing in a report can make it fail.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.read_reports(p_answers jsonb)
returns table (
  answer_no integer,
  request_id uuid,
  sent text,
  status integer,
  headers jsonb,
  body text,
  error text,
  elapsed_ms integer
)
language sql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select a.answer_no::integer,
         case
           when a.report ->> 'request_id' ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
             then (a.report ->> 'request_id')::uuid
         end,
         -- anything but a clear yes or no is a maybe
         case when a.report ->> 'sent' in ('yes', 'no') then a.report ->> 'sent' else 'maybe' end,
         case when a.report ->> 'status' ~ '^[1-9][0-9]{2}$' then (a.report ->> 'status')::integer end,
         nullif(
           jsonb_strip_nulls(
             jsonb_build_object(
               'x-request-id', left(a.report #>> '{headers, x-request-id}', 200),
               'x-ratelimit-limit', left(a.report #>> '{headers, x-ratelimit-limit}', 200),
               'x-ratelimit-remaining', left(a.report #>> '{headers, x-ratelimit-remaining}', 200),
               'x-ratelimit-reset', left(a.report #>> '{headers, x-ratelimit-reset}', 200),
               'retry-after', left(a.report #>> '{headers, retry-after}', 200),
               'content-type', left(a.report #>> '{headers, content-type}', 200),
               'date', left(a.report #>> '{headers, date}', 200)
             )
           ),
           '{}'
         ),
         a.report ->> 'body',
         left(a.report ->> 'error', 500),
         case when a.report ->> 'elapsed_ms' ~ '^[0-9]{1,9}$' then (a.report ->> 'elapsed_ms')::integer end
    from jsonb_array_elements(p_answers) with ordinality as a(report, answer_no)
$$;
revoke all on function orderlatch_data.read_reports(jsonb) from public;
comment on function orderlatch_data.read_reports(jsonb) is
  'The elements of record_responses'' argument as columns. What cannot be read is null, and sent is maybe; '
  'of the headers only a fixed list is kept, none of which is secret. body is base64 still.';
