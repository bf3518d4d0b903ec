-- Whether anybody hears the trade_updates stream of each account.
create or replace view orderlatch.streams as
  select a.account,
         case
           when h.worker_id is null then 'never heard'
           when not h.alive then 'lost: its worker is gone'
           when h.lost_at is not null then 'lost'
           else 'heard'
         end as state,
         h.worker_id, h.connected_at, h.lost_at, h.last_update_at, h.updates, h.unreadable
    from orderlatch_data.accounts as a
    left join lateral (
      select k.*
        from (
          -- one that hears, else the newest: by their keys, whatever lives there were before
          (
            select s.*, true as alive
              from orderlatch_data.living_workers as v
             cross join lateral (
               select t.*
                 from orderlatch_data.stream_states as t
                where t.account_id = a.account_id and t.worker_id = v.worker_id and t.lost_at is null
               offset 0
             ) as s
             order by s.worker_id desc
             limit 1
          )
          union all
          (
            select s.*, s.worker_id in (select v.worker_id from orderlatch_data.living_workers as v)
              from orderlatch_data.stream_states as s
             where s.account_id = a.account_id
             order by s.worker_id desc
             limit 1
          )
        ) as k
       order by (k.alive and k.lost_at is null) desc, k.worker_id desc
       limit 1
    ) as h on true
   order by a.account;
revoke all on orderlatch.streams from public;
grant select on orderlatch.streams to orderlatch_operator, orderlatch_auditor;
comment on view orderlatch.streams is
  'Whether a worker hears the stream of each account, or since when none does. A lost stream costs time '
  'only: what it would have told is read. updates and unreadable: messages of this connection''s life of a '
  'worker that were used, and that could not be understood.';
