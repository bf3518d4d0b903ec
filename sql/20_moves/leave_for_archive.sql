-- Lets a row of a call go only where the archive has it, in every column as it was.
-- Locks: none. Raises: OL901 append_only.
create or replace function orderlatch_data.refuse_loss()
returns trigger
language plpgsql
volatile
parallel unsafe
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_is_lost boolean;
begin
  if tg_table_name = 'broker_requests' then
    v_is_lost := exists (
      select 1
        from gone as g
        left join orderlatch_data.archived_requests as a on a.request_id = g.request_id
       where to_jsonb(a) is distinct from to_jsonb(g)
    );
  elsif tg_table_name = 'broker_responses' then
    v_is_lost := exists (
      select 1
        from gone as g
        left join orderlatch_data.archived_responses as a on a.request_id = g.request_id
       where to_jsonb(a) is distinct from to_jsonb(g) - 'filler'
    );
  else
    v_is_lost := exists (
      select 1
        from gone as g
        left join orderlatch_data.archived_losses as a on a.request_id = g.request_id
       where to_jsonb(a) is distinct from to_jsonb(g)
    );
  end if;
  if v_is_lost then
    raise exception using
      errcode = 'OL901',
      message = format('append_only: delete of %s is refused', tg_table_name),
      detail = 'The archive does not have it as it was.',
      hint = 'orderlatch.archive_before moves what is old into the archive; nothing is removed.';
  end if;
  return null;
end
$$;
revoke all on function orderlatch_data.refuse_loss() from public;
comment on function orderlatch_data.refuse_loss() is
  'Trigger after deletes from broker_requests, broker_responses and lost_requests: OL901 append_only unless '
  'archived_calls has each row as it was.';

drop trigger if exists never_lost on orderlatch_data.broker_requests;
create trigger never_lost after delete on orderlatch_data.broker_requests
  referencing old table as gone
  for each statement execute function orderlatch_data.refuse_loss();
comment on trigger never_lost on orderlatch_data.broker_requests is 'A call leaves for the archive alone.';

drop trigger if exists never_lost on orderlatch_data.broker_responses;
create trigger never_lost after delete on orderlatch_data.broker_responses
  referencing old table as gone
  for each statement execute function orderlatch_data.refuse_loss();
comment on trigger never_lost on orderlatch_data.broker_responses is 'An answer leaves with its call alone.';

drop trigger if exists never_lost on orderlatch_data.lost_requests;
create trigger never_lost after delete on orderlatch_data.lost_requests
  referencing old table as gone
  for each statement execute function orderlatch_data.refuse_loss();
comment on trigger never_lost on orderlatch_data.lost_requests is 'A loss leaves with its call alone.';
