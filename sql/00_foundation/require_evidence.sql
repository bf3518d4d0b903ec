-- Refuses a verdict that comes without evidence.
-- Locks: none. Raises: OL307 evidence_required.
create or replace function orderlatch_data.require_evidence(p_evidence jsonb)
returns void
language plpgsql
immutable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  if p_evidence is null or jsonb_typeof(p_evidence) <> 'object' or p_evidence = '{}' then
    raise exception using
      errcode = 'OL307',
      message = 'evidence_required: p_evidence must be a JSON object with at least one member',
      hint = 'Say what the verdict rests on, for example {"note": "...", "ticket": "..."}.';
  end if;
  if octet_length(p_evidence::text) > 16384 then
    raise exception using
      errcode = 'OL307',
      message = 'evidence_required: p_evidence must have at most 16 KiB',
      detail = format('it has %s bytes', octet_length(p_evidence::text)),
      hint = 'Keep large evidence elsewhere and name it here.';
  end if;
end
$$;
revoke all on function orderlatch_data.require_evidence(jsonb) from public;
comment on function orderlatch_data.require_evidence(jsonb) is
  'Passes a JSON object that has members and at most 16 KiB, else OL307 evidence_required.';
