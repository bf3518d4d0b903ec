-- Opens an incident, unless the same one is open. It never raises: that would roll the incident back.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.open_incident(
  p_incident text,
  p_account_id integer,
  p_decision_id bigint,
  p_request_id uuid,
  p_detail jsonb,
  p_subject text default ''
)
returns void
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  -- A unique key would wait for an operator who is closing the same incident. One that is being closed does
  -- not count: nobody has looked at what happened now.
  perform
     from orderlatch_data.incidents as i
    where i.incident = p_incident
      and coalesce(i.account_id, 0) = coalesce(p_account_id, 0)
      and coalesce(i.decision_id, 0) = coalesce(p_decision_id, 0)
      and i.subject = p_subject
      and i.closed_at is null
    limit 1
      for key share skip locked;
  if not found then
    insert into orderlatch_data.incidents
      (incident, account_id, decision_id, subject, request_id, detail, opened_at)
    values (
      p_incident, p_account_id, p_decision_id, p_subject, p_request_id, coalesce(p_detail, '{}'),
      orderlatch_data.clock()
    );
  end if;
end
$$;
revoke all on function orderlatch_data.open_incident(text, integer, bigint, uuid, jsonb, text) from public;
comment on function orderlatch_data.open_incident(text, integer, bigint, uuid, jsonb, text) is
  'Opens an incident for a person to look at, unless the same incident of the same account, decision and '
  'subject is open. p_detail: the values that disagree, never a whole payload. p_subject: a symbol or an '
  'order, where an account can have several such incidents at once.';

-- Closes an incident that has gone by itself.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.heal_incident(
  p_incident text,
  p_account_id integer,
  p_subject text,
  p_resolution text
)
returns void
language sql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  update orderlatch_data.incidents as i
     set closed_at = orderlatch_data.clock(), closed_by = 'orderlatch', resolution = p_resolution
   where i.incident_id in (
     -- one that an operator is closing at this moment is left to that person
     select o.incident_id
       from orderlatch_data.incidents as o
      where o.incident = p_incident
        and o.account_id = p_account_id
        and o.subject = p_subject
        and o.closed_at is null
      order by o.incident_id
        for update skip locked
   )
$$;
revoke all on function orderlatch_data.heal_incident(text, integer, text, text) from public;
comment on function orderlatch_data.heal_incident(text, integer, text, text) is
  'Closes the open incidents of a kind, account and subject, in the name of orderlatch. p_resolution: why '
  'nobody need look any more.';

-- Closes an incident that a person has dealt with.
-- Locks: none. Raises: OL131 argument_invalid, OL301 login_not_bound.
create or replace function orderlatch.close_incident(p_incident_id bigint, p_resolution text)
returns void
language plpgsql
volatile
parallel unsafe
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_account_id integer;
begin
  perform orderlatch_data.require_text('p_resolution', p_resolution, 2000);
  select i.account_id into v_account_id
    from orderlatch_data.incidents as i
   where i.incident_id = p_incident_id and i.closed_at is null
     for update;
  if not found then
    raise exception using
      errcode = 'OL131',
      message = format(
        'argument_invalid: p_incident_id %s is no open incident', coalesce(p_incident_id::text, 'null')
      ),
      hint = 'The open incidents are the rows of orderlatch.open_incidents.';
  end if;
  perform orderlatch_data.require_right('this incident', v_account_id, null);
  update orderlatch_data.incidents as i
     set closed_at = orderlatch_data.clock(), closed_by = session_user, resolution = p_resolution
   where i.incident_id = p_incident_id;
end
$$;
revoke all on function orderlatch.close_incident(bigint, text) from public;
grant execute on function orderlatch.close_incident(bigint, text) to orderlatch_operator;
comment on function orderlatch.close_incident(bigint, text) is
  'Closes an open incident. p_resolution: what was found and done, 1 to 2000 characters. Closing lifts no '
  'halt. Raises OL131 argument_invalid when there is no such open incident, OL301 login_not_bound.';
