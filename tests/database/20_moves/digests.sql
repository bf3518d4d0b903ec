-- Digests are over the text of a jsonb array, byte for byte, as they have been since the first event.
begin;
select plan(5);

create function pg_temp.digest(p_members jsonb) returns bytea language sql immutable as $$
  select sha256(convert_to(p_members::text, 'UTF8'))
$$;
create function pg_temp.hex(p_time timestamptz) returns text language sql immutable as $$
  select encode(timestamptz_send(p_time), 'hex')
$$;
-- What a text can hold that JSON writes in its own way, and what JSON can hold that is written in several ways.
create temporary table words as
  select string_agg(chr(n), '') || E'"\\/<>&\u0027\u00e9\u2028\U0001F600' as odd,
         '{"b": [1.50, -0.00, 1e30, "\u00e9\u001f\"\\", null, true, {}, []], "a": {"z": 1, "aa": 2}}'::jsonb as evidence,
         '2026-03-02 15:00:00.123456Z'::timestamptz as moment, sha256('x') as bytes
    from generate_series(1, 127) as n;

select is(
  orderlatch_data.event_hash(w.bytes, w.odd, 'approved', w.moment, w.odd, w.odd, '00000000-0000-0000-0000-000000000001',
                             w.evidence, w.bytes, null, w.bytes),
  pg_temp.digest(jsonb_build_array(
    encode(w.bytes, 'hex'), w.odd, 'approved', pg_temp.hex(w.moment), w.odd, w.odd,
    '00000000-0000-0000-0000-000000000001'::uuid, w.evidence, encode(w.bytes, 'hex'), null, encode(w.bytes, 'hex'))),
  'an event''s'
) from words as w;

select is(
  orderlatch_data.terms_digest(d),
  pg_temp.digest(jsonb_build_array(
    d.decision_id, d.account_id, d.hash_version, d.rationale, d.reference_price, pg_temp.hex(d.valid_until), d.metadata,
    pg_temp.hex(d.recorded_at), d.recorded_by)),
  'a decision''s'
) from words as w cross join lateral jsonb_populate_record(null::orderlatch_data.trade_decisions, jsonb_build_object(
    'decision_id', 9223372036854775807, 'account_id', 1, 'hash_version', 1, 'rationale', w.odd, 'reference_price', 19.500,
    'valid_until', w.moment, 'metadata', w.evidence, 'recorded_at', 'infinity', 'recorded_by', w.odd)) as d;

select is(
  orderlatch_data.verdict_digest(v),
  pg_temp.digest(jsonb_build_array(
    v.decision_id, v.verdict_no, v.verdict, to_jsonb(v.reasons), v.limits, v.inputs, v.evidence, pg_temp.hex(v.judged_at),
    v.judged_by, v.account_id)),
  'a verdict''s'
) from words as w cross join lateral jsonb_populate_record(null::orderlatch_data.risk_verdicts, jsonb_build_object(
    'decision_id', 1, 'verdict_no', 2, 'verdict', 'rejected', 'reasons', jsonb_build_array(w.odd, 'b'), 'limits', w.evidence,
    'inputs', '[]', 'evidence', w.evidence, 'judged_at', w.moment, 'judged_by', w.odd, 'account_id', 1)) as v;

create function pg_temp.of_call(q orderlatch_data.broker_requests, r orderlatch_data.broker_responses)
returns bytea language sql immutable as $$
  select pg_temp.digest(jsonb_build_array(
    q.request_id, q.account_id, q.worker_id, q.kind, q.decision_id, q.read_id, q.broker_order_id, q.method, q.path, q.query,
    q.body, pg_temp.hex(q.claimed_at), q.send_within_ms, q.timeout_ms, pg_temp.hex(q.answer_by),
    r.request_id, r.sent, r.status, r.broker_request_id, r.headers, encode(sha256(r.body), 'hex'), r.body_octets, r.error,
    r.elapsed_ms))
$$;
create temporary table calls as
  select q, r from words as w
   cross join lateral jsonb_populate_record(null::orderlatch_data.broker_requests, jsonb_build_object(
     'request_id', '00000000-0000-0000-0000-000000000001', 'account_id', 1, 'worker_id', 2, 'kind', 'submit_order',
     'decision_id', 3, 'method', 'POST', 'path', w.odd, 'query', w.evidence, 'body', w.odd, 'claimed_at', w.moment,
     'send_within_ms', 1000, 'timeout_ms', 2000, 'answer_by', w.moment)) as q
   cross join lateral jsonb_populate_record(null::orderlatch_data.broker_responses, jsonb_build_object(
     'request_id', '00000000-0000-0000-0000-000000000001', 'sent', 'yes', 'status', 200, 'broker_request_id', w.odd,
     'headers', w.evidence, 'body', '\x00ff', 'body_octets', 2, 'error', w.odd, 'elapsed_ms', 12)) as r;
select is(orderlatch_data.call_digest(c.q, c.r), pg_temp.of_call(c.q, c.r), 'a call''s') from calls as c;
select is(orderlatch_data.call_digest(c.q, null), pg_temp.of_call(c.q, null), 'and that of a call without its answer') from calls as c;

select * from finish();
rollback;
