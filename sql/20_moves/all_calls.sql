-- Archived calls as the rows of broker_requests that they were.
create or replace view orderlatch_data.archived_requests as
  select c.request_id, c.account_id, c.worker_id, c.kind, c.decision_id, c.read_id, c.method, c.path, c.query,
         c.body, c.claimed_at, c.send_within_ms, c.timeout_ms, c.answer_by, c.broker_order_id
    from orderlatch_data.archived_calls as c;
comment on view orderlatch_data.archived_requests is 'Column by column as broker_requests.';

-- Answers of archived calls as the rows of broker_responses that they were.
create or replace view orderlatch_data.archived_responses as
  select c.request_id, c.recorded_at, c.sent, c.status, c.meaning, c.code, c.message, c.broker_request_id,
         c.headers, c.answer_body as body, c.body_octets, c.error, c.elapsed_ms
    from orderlatch_data.archived_calls as c
   where c.recorded_at is not null;
comment on view orderlatch_data.archived_responses is
  'Column by column as broker_responses, without its filler.';

-- Losses of archived calls as the rows of lost_requests that they were.
create or replace view orderlatch_data.archived_losses as
  select c.request_id, c.lost_at, c.cause
    from orderlatch_data.archived_calls as c
   where c.lost_at is not null;
comment on view orderlatch_data.archived_losses is 'Column by column as lost_requests.';

-- Every call, archived or not.
create or replace view orderlatch_data.all_requests as
  select q.* from orderlatch_data.broker_requests as q
  union all
  select a.* from orderlatch_data.archived_requests as a;
comment on view orderlatch_data.all_requests is 'broker_requests and archived_requests: for those who audit.';

-- Every answer, archived or not.
create or replace view orderlatch_data.all_responses as
  select r.request_id, r.recorded_at, r.sent, r.status, r.meaning, r.code, r.message, r.broker_request_id,
         r.headers, r.body, r.body_octets, r.error, r.elapsed_ms
    from orderlatch_data.broker_responses as r
  union all
  select a.* from orderlatch_data.archived_responses as a;
comment on view orderlatch_data.all_responses is
  'broker_responses and archived_responses: for those who audit.';

-- Every loss, archived or not.
create or replace view orderlatch_data.all_losses as
  select l.* from orderlatch_data.lost_requests as l
  union all
  select a.* from orderlatch_data.archived_losses as a;
comment on view orderlatch_data.all_losses is 'lost_requests and archived_losses: for those who audit.';
