-- Notes what the headers of an answer say of the account's rate limit.
-- Locks: none; where another answer is noting the same it is skipped. Raises: none.
create or replace function orderlatch_data.note_broker_limit(p_account_id integer, p_headers jsonb)
returns void
language plpgsql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_now constant timestamptz := orderlatch_data.clock();
  v_limit constant text := p_headers ->> 'x-ratelimit-limit';
  v_remaining constant text := p_headers ->> 'x-ratelimit-remaining';
  v_reset constant text := p_headers ->> 'x-ratelimit-reset';
  v_resets_at timestamptz;
  v_version tid;
begin
  if v_limit ~ '^[1-9][0-9]{0,8}$' and v_remaining ~ '^[0-9]{1,9}$' and v_reset ~ '^[0-9]{1,12}$' then
    -- the limit is one of a minute: whatever is further off, or past, tells of a clock that is wrong
    v_resets_at := least(to_timestamp(v_reset::double precision), v_now + interval '1 minute');
  end if;
  if v_resets_at is null or v_resets_at <= v_now then
    return;
  end if;
  -- as in agenda_of
  select l.ctid into v_version
    from orderlatch_data.broker_limits as l
   where l.account_id <= p_account_id
   order by l.account_id desc
   limit 1;
  -- answers come in any order: of one window the least counts, and an earlier window not at all
  update orderlatch_data.broker_limits as b
     set rate_limit = v_limit::integer,
         remaining = case
           when b.resets_at = v_resets_at then least(b.remaining, v_remaining::integer)
           else v_remaining::integer
         end,
         resets_at = v_resets_at,
         said_at = v_now
   where b.ctid in (
           select l.ctid
             from orderlatch_data.broker_limits as l
            where l.ctid = v_version and l.account_id = p_account_id
              for no key update skip locked
         )
     and coalesce(v_resets_at >= b.resets_at, true);
end
$$;
revoke all on function orderlatch_data.note_broker_limit(integer, jsonb) from public;
comment on function orderlatch_data.note_broker_limit(integer, jsonb) is
  'Keeps x-ratelimit-limit, -remaining and -reset (seconds since 1970), if they make sense: a reset that is '
  'past is ignored, one that is further off than a minute counts as a minute. Never waits: the next answer '
  'says it again.';
