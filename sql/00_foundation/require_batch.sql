-- Refuses an argument that is not a JSON array of a bounded size.
-- Locks: none. Raises: OL131 argument_invalid, OL134 too_many.
create or replace function orderlatch_data.require_batch(p_argument text, p_batch jsonb)
returns void
language plpgsql
immutable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  if p_batch is null or jsonb_typeof(p_batch) <> 'array' then
    raise exception using
      errcode = 'OL131',
      message = format('argument_invalid: %s must be a JSON array', p_argument),
      detail = format('it is %s', coalesce(jsonb_typeof(p_batch), 'null'));
  end if;
  if jsonb_array_length(p_batch) > 1000 then
    raise exception using
      errcode = 'OL134',
      message = format('too_many: %s has more than 1000 elements', p_argument),
      detail = format('it has %s', jsonb_array_length(p_batch)),
      hint = 'Send it in several calls.';
  end if;
end
$$;
revoke all on function orderlatch_data.require_batch(text, jsonb) from public;
comment on function orderlatch_data.require_batch(text, jsonb) is
  'Passes a JSON array of at most 1000 elements. p_argument: its name, for the message. '
  'OL131 argument_invalid when it is no array, OL134 too_many.';
