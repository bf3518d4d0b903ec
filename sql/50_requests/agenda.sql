-- The agenda of accounts, however many dead versions a long transaction keeps of its rows.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.agenda_of(p_account_ids integer[])
returns table (
  account_id integer,
  due_at timestamptz,
  tidy_at timestamptz,
  visited_at timestamptz,
  turn_no bigint,
  approved_from bigint,
  answers_from timestamptz,
  version tid
)
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
  select g.account_id, g.due_at, g.tidy_at, g.visited_at, g.turn_no, g.approved_from, g.answers_from, g.ctid
    from unnest(p_account_ids) as a(account_id)
   cross join lateral (
     -- backwards: of one key an index keeps the version that was written last in the last place
     select k.*, k.ctid from orderlatch_data.account_agenda as k where k.account_id <= a.account_id
      order by k.account_id desc
      limit 1
   ) as g
   where g.account_id = a.account_id;
end
$$;
revoke all on function orderlatch_data.agenda_of(integer[]) from public;
comment on function orderlatch_data.agenda_of(integer[]) is
  'Columns of account_agenda. version: where the row is; who holds it may write it there, as nobody else '
  'changes it.';

-- The agenda of an account, with no mark where nobody may go by it.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.agenda_row(p_account_id integer)
returns orderlatch_data.account_agenda
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    select (
             g.account_id, g.due_at, g.tidy_at, g.visited_at, g.turn_no, g.approved_from,
             case
               when exists (
                 select 1 from orderlatch_data.account_wakes as w where w.account_id = p_account_id
               ) then '-infinity'
               else g.answers_from
             end
           )::orderlatch_data.account_agenda
      from orderlatch_data.agenda_of(array[p_account_id]) as g
  );
end
$$;
revoke all on function orderlatch_data.agenda_row(integer) from public;
comment on function orderlatch_data.agenda_row(integer) is
  'Its row of account_agenda; answers_from is -infinity where a visit may have left it too high: see '
  'calls_under_way.';

-- Where the open decisions of an account begin, counted in approvals.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.approved_from(p_account_id integer)
returns bigint
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return coalesce((
    select g.approved_from
      from (
        -- as in agenda_of
        select k.account_id, k.approved_from from orderlatch_data.account_agenda as k
         where k.account_id <= p_account_id
         order by k.account_id desc
         limit 1
      ) as g
     where g.account_id = p_account_id
  ), 0);
end
$$;
revoke all on function orderlatch_data.approved_from(integer) from public;
comment on function orderlatch_data.approved_from(integer) is
  'No open decision of the account has a lower approval_no, nor will one have: numbers are given while the '
  'account is held for judging, so they are committed in their order. A search that begins here passes over '
  'what has settled, which a long transaction may keep from being removed.';

-- The calls of an account that are on their way: granted, and neither answered nor lost.
-- Locks: none. Raises: none.
create or replace function orderlatch_data.calls_under_way(p_account_id integer)
returns table (kind text, decision_id bigint, answer_by timestamptz)
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
  select r.kind, r.decision_id, r.answer_by
    from orderlatch_data.open_requests as r
         -- as rows, which only the index by account knows; with account_id = it begins at the first entry
   where (r.account_id, r.answer_by) <= (p_account_id, 'infinity')
     -- from where the living begin
     and (r.account_id, r.answer_by) >= (p_account_id, coalesce(
       (
         select g.answers_from
           from (
             -- as in agenda_of, of one account and often
             select k.account_id, k.answers_from from orderlatch_data.account_agenda as k
              where k.account_id <= p_account_id
              order by k.account_id desc
              limit 1
           ) as g
          where g.account_id = p_account_id
            -- a visit that could not write the mark has left such a row
            and not exists (
              select 1 from orderlatch_data.account_wakes as w where w.account_id = p_account_id
            )
       ),
       '-infinity'
     ));
end
$$;
revoke all on function orderlatch_data.calls_under_way(integer) from public;
comment on function orderlatch_data.calls_under_way(integer) is
  'Of every kind. As long as account_wakes has no row of the account, none of its open requests has an '
  'answer_by before the mark answers_from: requests are granted while the account is held for granting, and '
  'each visit counts its own at its end: until then what it grants itself may be missing.';
