-- Refuses a text argument that is missing, blank or too long.
-- Locks: none. Raises: OL131 argument_invalid.
create or replace function orderlatch_data.require_text(p_argument text, p_text text, p_limit integer)
returns void
language plpgsql
immutable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  if coalesce(btrim(p_text), '') = '' or length(p_text) > p_limit then
    raise exception using
      errcode = 'OL131',
      message = format('argument_invalid: %s must be a text of 1 to %s characters', p_argument, p_limit),
      detail = format('it has %s characters', coalesce(length(p_text)::text, 'no'));
  end if;
end
$$;
revoke all on function orderlatch_data.require_text(text, text, integer) from public;
comment on function orderlatch_data.require_text(text, text, integer) is
  'Passes a text that is not blank and has at most p_limit characters, else OL131 argument_invalid. '
  'p_argument: its name, for the message.';
