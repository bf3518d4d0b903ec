-- The one spelling of a number: no exponent, no plus sign, no needless zero or point; null past 64 digits.
-- Locks: none. Raises: nothing.
create or replace function orderlatch_data.canonical_decimal(p_number numeric)
returns text
language plpgsql
immutable
strict
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_text text;
begin
  -- Judged before it is spelled out: 1e100000 is 22 bytes in jsonb and 100,001 characters as text.
  if p_number <= -1e64 or p_number >= 1e64 or scale(trim_scale(p_number)) > 64 then
    return null;
  end if;
  v_text := trim_scale(p_number)::text;
  if length(replace(ltrim(v_text, '-0'), '.', '')) > 64 then
    return null;
  end if;
  return v_text;
end
$$;
revoke all on function orderlatch_data.canonical_decimal(numeric) from public;
comment on function orderlatch_data.canonical_decimal(numeric) is
  'Canonical decimal of a finite number. Null when it has more than 64 digits (before and after the point '
  'together, a lone zero before the point not counted) or is NaN or infinite.';
