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
      select s.*, w.alive
        from orderlatch_data.stream_states as s
        join orderlatch.workers as w on w.worker_id = s.worker_id
       where s.account_id = a.account_id
       order by (w.alive and s.lost_at is null) desc, s.worker_id desc
       limit 1
    ) as h on true
   order by a.account;
revoke all on orderlatch.streams from public;
grant select on orderlatch.streams to orderlatch_operator, orderlatch_auditor;
comment on view orderlatch.streams is
  'Whether a worker hears the stream of each account, or since when none does. A lost stream costs time '
  'only: what it would have told is read. updates and unreadable: messages of this connection''s life of a '
  'worker that were used, and that could not be understood.';
