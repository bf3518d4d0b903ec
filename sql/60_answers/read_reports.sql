-- Reads what a worker reports of a call; nothing in a report can make it fail.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.read_report(p_report jsonb)
returns orderlatch_data.broker_responses
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_headers constant jsonb := p_report -> 'headers';
  v_report orderlatch_data.broker_responses;
begin
  if p_report ->> 'request_id' ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then
    v_report.request_id := (p_report ->> 'request_id')::uuid;
  end if;
  -- anything but a clear yes or no is a maybe
  v_report.sent := case when p_report ->> 'sent' in ('yes', 'no') then p_report ->> 'sent' else 'maybe' end;
  if p_report ->> 'status' ~ '^[1-9][0-9]{2}$' then
    v_report.status := (p_report ->> 'status')::smallint;
  end if;
  if jsonb_typeof(v_headers) = 'object' then
    v_report.headers := nullif(
      jsonb_strip_nulls(
        jsonb_build_object(
          'x-request-id', left(v_headers ->> 'x-request-id', 200),
          'x-ratelimit-limit', left(v_headers ->> 'x-ratelimit-limit', 200),
          'x-ratelimit-remaining', left(v_headers ->> 'x-ratelimit-remaining', 200),
          'x-ratelimit-reset', left(v_headers ->> 'x-ratelimit-reset', 200),
          'retry-after', left(v_headers ->> 'retry-after', 200),
          'content-type', left(v_headers ->> 'content-type', 200),
          'date', left(v_headers ->> 'date', 200)
        )
      ),
      '{}'
    );
  end if;
  v_report.body := orderlatch_data.read_base64(p_report ->> 'body');
  v_report.error := left(p_report ->> 'error', 500);
  if p_report ->> 'elapsed_ms' ~ '^[0-9]{1,9}$' then
    v_report.elapsed_ms := (p_report ->> 'elapsed_ms')::integer;
  end if;
  return v_report;
end
$$;
revoke all on function orderlatch_data.read_report(jsonb) from public;
comment on function orderlatch_data.read_report(jsonb) is
  'An element of record_responses'' argument as a row of broker_responses, as far as a worker can say it. '
  'What cannot be read is null, and sent is maybe; of the headers only a fixed list is kept, none of which '
  'is secret. body is whole.';

-- Reads a batch of reports.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.read_reports(p_answers jsonb)
returns orderlatch_data.broker_responses[]
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_reports orderlatch_data.broker_responses[] := '{}'::orderlatch_data.broker_responses[];
begin
  for v_place in 0 .. jsonb_array_length(p_answers) - 1 loop
    v_reports := v_reports || orderlatch_data.read_report(p_answers -> v_place);
  end loop;
  return v_reports;
end
$$;
revoke all on function orderlatch_data.read_reports(jsonb) from public;
comment on function orderlatch_data.read_reports(jsonb) is
  'read_report of each element of record_responses'' argument, in their order.';
