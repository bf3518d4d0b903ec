-- What a simulated database has besides Orderlatch: a clock that each session is told, and request ids that follow
-- from the seed. Nothing of it exists outside the simulator.
create schema simulator;
grant usage on schema simulator to public;
create sequence simulator.request_nos;
grant usage on sequence simulator.request_nos to public;

create or replace function orderlatch_data.clock()
returns timestamptz
language plpgsql
volatile
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return current_setting('simulator.now')::timestamptz;
end
$$;

-- A database that was put back to an earlier state is told another origin: no id is ever issued again.
create or replace function orderlatch_data.new_request_id()
returns uuid
language plpgsql
volatile
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return md5(current_setting('simulator.origin') || nextval('simulator.request_nos'))::uuid;
end
$$;
