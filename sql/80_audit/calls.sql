-- Every call to the broker, with what came back, archived or not.
create or replace view orderlatch.wire as
  select c.request_id, a.account, c.kind, c.claimed_at, c.method, c.path, c.query, c.body as request_body,
         c.worker_id, c.answer_by,
         case
           when c.recorded_at is not null then 'answered'
           when c.cause is not null then 'lost: ' || c.cause
           else 'on its way'
         end as state,
         c.sent, c.status, c.meaning, c.code, c.message, c.error, c.elapsed_ms, c.broker_request_id,
         c.recorded_at, c.body_octets, encode(d.decision_hash, 'hex') as decision_hash,
         c.archiving_id is not null as archived, c.decision_id
    from (
      select q.request_id, q.account_id, q.worker_id, q.kind, q.decision_id, q.claimed_at, q.method, q.path,
             q.query, q.body, q.answer_by, r.recorded_at, r.sent, r.status, r.meaning, r.code, r.message,
             r.broker_request_id, r.body_octets, r.error, r.elapsed_ms, l.cause, null::bigint as archiving_id
        from orderlatch_data.broker_requests as q
        left join orderlatch_data.broker_responses as r on r.request_id = q.request_id
        left join orderlatch_data.lost_requests as l on l.request_id = q.request_id
      union all
      select v.request_id, v.account_id, v.worker_id, v.kind, v.decision_id, v.claimed_at, v.method, v.path,
             v.query, v.body, v.answer_by, v.recorded_at, v.sent, v.status, v.meaning, v.code, v.message,
             v.broker_request_id, v.body_octets, v.error, v.elapsed_ms, v.cause, v.archiving_id
        from orderlatch_data.archived_calls as v
    ) as c
    join orderlatch_data.accounts as a on a.account_id = c.account_id
    left join orderlatch_data.trade_decisions as d on d.decision_id = c.decision_id;
revoke all on orderlatch.wire from public;
grant select on orderlatch.wire to orderlatch_operator, orderlatch_auditor;
comment on view orderlatch.wire is
  'Each call to the broker as it was granted, and its answer: HTTP status, meaning, latency in ms and the '
  'broker''s X-Request-ID. archived: archive_before has moved it; with "where not archived" the archive is '
  'not read. Indexed: decision_id, request_id.';

-- What was archived, and by whose order.
create or replace view orderlatch.archivings as
  select g.archiving_id, coalesce(a.account, '(every account)') as account, g.before_at, g.reason,
         g.ordered_at, g.ordered_by
    from orderlatch_data.archivings as g
    left join orderlatch_data.accounts as a on a.account_id = g.account_id
   order by g.archiving_id;
revoke all on orderlatch.archivings from public;
grant select on orderlatch.archivings to orderlatch_operator, orderlatch_auditor;
comment on view orderlatch.archivings is
  'Each order to archive: calls before before_at, as far as what they are about had ended.';
