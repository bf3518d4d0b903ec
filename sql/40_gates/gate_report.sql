-- What an operator who shut a gate has to know: what is still on its way, and who could not be waited for.
-- Locks: none; the caller holds what it could of the gate. Raises: none.
create or replace function orderlatch_data.gate_report(
  p_what text,
  p_account_id integer,
  p_strategy_id text,
  p_symbol text
)
returns table (
  what text,
  account text,
  symbol text,
  decision_hash text,
  sent_by timestamptz,
  detail text
)
language sql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  with flying as materialized (
    select f.* from orderlatch_data.submits_in_flight(p_account_id, p_strategy_id, p_symbol) as f
  ), inside as materialized (
    select s.* from orderlatch_data.sessions_at_gate(coalesce(p_account_id, 0)) as s
  )
  select r.what, r.account, r.symbol, r.decision_hash, r.sent_by, r.detail
    from (
      select 1 as place, p_what as what,
             (
               select a.account from orderlatch_data.accounts as a where a.account_id = p_account_id
             ) as account,
             p_symbol as symbol, null as decision_hash, null::timestamptz as sent_by,
             format(
               'no submit is granted any more%s; %s in flight',
               case when exists (select 1 from inside) then ', but by the sessions in the way' else '' end,
               (select count(*) from flying)
             ) as detail
      union all
      select 2, 'in flight', a.account, t.symbol, encode(t.decision_hash, 'hex'), f.sent_by,
             format('granted to worker %s, request %s', f.worker_id, f.request_id)
        from flying as f
        join orderlatch_data.trade_decisions as t on t.decision_id = f.decision_id
        join orderlatch_data.accounts as a on a.account_id = t.account_id
      union all
      select 3, 'in the way', null, null, null, null,
             format(
               'session %s of login %s, in its transaction%s: select pg_terminate_backend(%s) ends it',
               s.pid, s.login,
               coalesce(' for ' || date_trunc('milliseconds', orderlatch_data.clock() - s.since), ''), s.pid
             )
        from inside as s
      union all
      select 4, 'not listed', null, null, null, null,
             'this transaction sees the past: orderlatch.in_flight shows in another one what is in flight'
       where current_setting('transaction_isolation') in ('repeatable read', 'serializable')
    ) as r
   order by r.place, r.sent_by, r.decision_hash
$$;
revoke all on function orderlatch_data.gate_report(text, integer, text, text) from public;
comment on function orderlatch_data.gate_report(text, integer, text, text) is
  'Rows as orderlatch.halt returns them, for a scope (null: any). p_what: what the first row is called.';
