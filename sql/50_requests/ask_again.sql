-- When a worker that was granted all there was should ask again.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.next_visit_at(p_worker_id integer, p_accounts text[])
returns timestamptz
language sql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select min(
           case
             when c.verified_at is null then
               least(g.tidy_at, coalesce(r.answer_by, greatest(b.next_try_at, s.paused_until), '-infinity'))
             when c.account_id = any (array(select w.account_id from orderlatch_data.account_wakes as w)) then
               '-infinity'
             else least(g.due_at, g.tidy_at)
           end
         )
    from orderlatch_data.worker_accounts as c
    join orderlatch_data.agenda_of(array(
           select m.account_id from orderlatch_data.worker_accounts as m where m.worker_id = p_worker_id
         )) as g on g.account_id = c.account_id
    left join orderlatch_data.account_states as s on c.verified_at is null and s.account_id = c.account_id
    left join orderlatch_data.kind_backoffs as b
      on c.verified_at is null and b.account_id = c.account_id and b.kind = 'get_account'
    left join orderlatch_data.open_requests as r
      on c.verified_at is null
     and r.worker_id = c.worker_id
     and r.account_id = c.account_id
     and r.kind = 'get_account'
   where c.worker_id = p_worker_id
     and (
       p_accounts is null
       or exists (
         select 1
           from orderlatch_data.accounts as a
          where a.account_id = c.account_id and a.account = any (p_accounts)
       )
     )
$$;
revoke all on function orderlatch_data.next_visit_at(integer, text[]) from public;
comment on function orderlatch_data.next_visit_at(integer, text[]) is
  'The nearest moment at which an account of the worker comes due; infinity or null when none does. '
  'Arguments as of due_accounts.';

-- How long a worker that was granted all there was may rest.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.ask_again_in(
  p_worker_id integer,
  p_accounts text[],
  p_more boolean
)
returns integer
language sql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select case
           when p_more then 1
           when coalesce(n.next_at, 'infinity') = 'infinity' then null
           -- due already: another session holds the account, or a decision of it
           when n.next_at <= n.now_at then 20
           else ceil(1000 * extract(epoch from least(n.next_at - n.now_at, interval '1 minute')))::integer
         end
    from (
      select orderlatch_data.clock() as now_at,
             orderlatch_data.next_visit_at(p_worker_id, p_accounts) as next_at
    ) as n
$$;
revoke all on function orderlatch_data.ask_again_in(integer, text[], boolean) from public;
comment on function orderlatch_data.ask_again_in(integer, text[], boolean) is
  'Milliseconds, at most a minute, never too soon; null: nothing comes due by itself. p_more: whether there '
  'were more accounts than a claim visits. Other arguments as of due_accounts.';
