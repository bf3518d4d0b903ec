"""Requests and answers: the intent and claim of each call, what came back, and the doubt that is left."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

WORKERS = """
create table orderlatch_data.workers (
  worker_id integer generated always as identity,
  worker_name text not null,
  login text not null,
  registered_at timestamptz not null,
  released_at timestamptz,
  constraint workers_pkey primary key (worker_id),
  constraint workers_name_is_short_text check (worker_name ~ '^[[:graph:]]{1,128}$')
);
comment on table orderlatch_data.workers is
  'Each life of a worker. It lives as long as its listening session holds the advisory lock on its '
  'worker_id.';
comment on column orderlatch_data.workers.released_at is
  'when it said goodbye; null for one that lives, or died without';

create table orderlatch_data.worker_accounts (
  worker_id integer not null,
  account_id integer not null,
  environment text not null,
  verified_at timestamptz,
  constraint worker_accounts_pkey primary key (worker_id, account_id),
  constraint worker_accounts_belongs_to_worker foreign key (worker_id) references orderlatch_data.workers,
  constraint worker_accounts_belongs_to_account foreign key (account_id) references orderlatch_data.accounts
);
comment on table orderlatch_data.worker_accounts is 'The accounts that a life of a worker carries.';
comment on column orderlatch_data.worker_accounts.verified_at is
  'when get_account answered with the account''s broker_account_id to this life; until then it is granted '
  'nothing else';
"""

REQUESTS = """
create table orderlatch_data.broker_requests (
  request_id uuid not null,
  account_id integer not null,
  worker_id integer not null,
  kind text not null,
  decision_id bigint,
  read_id bigint,
  method text not null,
  path text not null,
  query jsonb,
  body text,
  claimed_at timestamptz not null,
  send_within_ms integer not null,
  timeout_ms integer not null,
  answer_by timestamptz not null,
  constraint broker_requests_pkey primary key (request_id),
  constraint broker_requests_belongs_to_decision
    foreign key (decision_id) references orderlatch_data.trade_decisions,
  constraint broker_requests_kind_is_known
    check (kind in ('get_account', 'find_order', 'list_orders', 'submit_order')),
  constraint broker_requests_subject_fits_kind check (
    (decision_id is not null) = (kind in ('find_order', 'submit_order'))
    and (read_id is not null) = (kind = 'list_orders')
  ),
  constraint broker_requests_times_are_positive check (send_within_ms > 0 and timeout_ms > 0)
);
create index broker_requests_by_decision on orderlatch_data.broker_requests (decision_id)
  where decision_id is not null;
comment on table orderlatch_data.broker_requests is
  'Each call to the broker, written and committed before the call: the intent, and the claim of the worker '
  'that may make it. Written once.';
comment on column orderlatch_data.broker_requests.request_id is
  'random fencing token: a restored database can never issue it again';
comment on column orderlatch_data.broker_requests.send_within_ms is
  'the call begins within this after the claim, or not at all';
comment on column orderlatch_data.broker_requests.timeout_ms is 'the whole of the call, connecting included';
comment on column orderlatch_data.broker_requests.answer_by is
  'without an answer by then the request is lost';

create table orderlatch_data.open_requests (
  request_id uuid not null,
  account_id integer not null,
  worker_id integer not null,
  kind text not null,
  decision_id bigint,
  lock_key integer not null,
  answer_by timestamptz not null,
  constraint open_requests_pkey primary key (request_id),
  constraint open_requests_belongs_to_request
    foreign key (request_id) references orderlatch_data.broker_requests
);
create index open_requests_by_account on orderlatch_data.open_requests (account_id, answer_by);
comment on table orderlatch_data.open_requests is
  'Requests granted and neither answered nor lost: the narrow row beside broker_requests.';
comment on column orderlatch_data.open_requests.lock_key is
  'key of the advisory lock that guards its answer: its decision''s, or its own when it has no decision';

create type orderlatch_data.granted_request as (
  request_id uuid,
  account text,
  kind text,
  method text,
  path text,
  query jsonb,
  body text,
  send_within_ms integer,
  timeout_ms integer
);
revoke all on type orderlatch_data.granted_request from public;
comment on type orderlatch_data.granted_request is 'A request as a worker gets it.';

create sequence orderlatch_data.claim_turns as bigint;
comment on sequence orderlatch_data.claim_turns is 'counts claims, so that each begins with another account';

create table orderlatch_data.lost_requests (
  request_id uuid not null,
  lost_at timestamptz not null,
  cause text not null,
  constraint lost_requests_pkey primary key (request_id),
  constraint lost_requests_belongs_to_request
    foreign key (request_id) references orderlatch_data.broker_requests,
  constraint lost_requests_cause_is_known check (cause in ('no_answer_in_time', 'worker_gone'))
);
comment on table orderlatch_data.lost_requests is
  'Requests that were given up. A late answer is still recorded beside it.';

create table orderlatch_data.broker_responses (
  request_id uuid not null,
  recorded_at timestamptz not null,
  sent text not null,
  status smallint,
  meaning text not null,
  code bigint,
  message text,
  broker_request_id text,
  headers jsonb,
  body bytea,
  body_octets integer not null default 0,
  error text,
  elapsed_ms integer,
  constraint broker_responses_pkey primary key (request_id),
  constraint broker_responses_belongs_to_request
    foreign key (request_id) references orderlatch_data.broker_requests,
  constraint broker_responses_sent_is_known check (sent in ('no', 'yes', 'maybe')),
  constraint broker_responses_body_is_bounded check (octet_length(body) <= 65536)
);
comment on table orderlatch_data.broker_responses is
  'What came back for each request, as the worker reported it, and what it was taken to mean. Written once.';
comment on column orderlatch_data.broker_responses.sent is
  'no: provably never left; yes: a whole response came back; maybe: everything else';
comment on column orderlatch_data.broker_responses.broker_request_id is 'the broker''s X-Request-ID';
comment on column orderlatch_data.broker_responses.body is 'raw bytes, the first 64 KiB';
comment on column orderlatch_data.broker_responses.body_octets is
  'length of the whole body; more than octet_length(body): it was cut';
comment on column orderlatch_data.broker_responses.elapsed_ms is
  'how long the call took, on the worker''s clock';

create table orderlatch_data.answer_rules (
  rule_no smallint not null,
  kind text,
  status_from smallint not null,
  status_to smallint not null,
  code bigint,
  message_pattern text,
  json_only boolean not null,
  meaning text not null,
  why text not null,
  constraint answer_rules_pkey primary key (rule_no),
  constraint answer_rules_meaning_is_known
    check (meaning in ('refused', 'throttled', 'duplicate', 'unauthorized', 'absent', 'in_doubt'))
);
comment on table orderlatch_data.answer_rules is
  'What an answer that is no success means: the first rule that fits wins, and what no rule fits is in '
  'doubt.';
comment on column orderlatch_data.answer_rules.kind is 'kind of request; null: any';
comment on column orderlatch_data.answer_rules.code is 'the broker''s code in the body; null: any, or none';
comment on column orderlatch_data.answer_rules.message_pattern is
  'regular expression, case-insensitive, over the message in the body; null: any';
comment on column orderlatch_data.answer_rules.json_only is
  'fits only a body that is a JSON object with a message, as the broker itself writes it';
insert into orderlatch_data.answer_rules
  (rule_no, kind, status_from, status_to, code, message_pattern, json_only, meaning, why) values
  (10, 'submit_order', 409, 422, null, 'client.?order.?id must be unique', true, 'duplicate',
   'an order with this id exists; seen under two codes, so the message decides'),
  (11, 'submit_order', 409, 409, 40910000, null, true, 'duplicate',
   'reported by third parties for a duplicate; safe, as absence is not believed after it'),
  (20, null, 429, 429, null, '(rate limit|too many requests)', true, 'throttled',
   'over the rate limit, in the broker''s own words'),
  (30, null, 401, 401, null, null, false, 'unauthorized',
   'key missing, unknown or revoked; some paths answer in HTML'),
  (31, null, 403, 403, null, '^(forbidden|request is not authorized|unauthorized)\\.?$', true, 'unauthorized',
   'a key of another environment'),
  (40, 'submit_order', 403, 403, 40310000, null, true, 'refused',
   'buying power, quantity, wash trade, shorting, restrictions'),
  (41, 'submit_order', 403, 403, 40310100, null, true, 'refused', 'pattern day trading protection'),
  (42, 'submit_order', 400, 400, 40010000, null, true, 'refused', 'malformed request'),
  (43, 'submit_order', 400, 400, 40010001, null, true, 'refused', 'malformed request'),
  (44, 'submit_order', 422, 422, 40010001, null, true, 'refused', 'a parameter is missing or invalid'),
  (45, 'submit_order', 422, 422, 42210000, null, true, 'refused', 'the order is not acceptable as it is'),
  (50, 'find_order', 404, 404, 40410000, '^order not found', true, 'absent',
   'the broker''s own words; any other 404 proves nothing');

create table orderlatch_data.order_rewrites (
  rewrite_no smallint not null,
  action text not null,
  order_type text not null,
  broker_type text not null,
  broker_adds_limit_price boolean not null,
  why text not null,
  constraint order_rewrites_pkey primary key (rewrite_no)
);
comment on table orderlatch_data.order_rewrites is
  'Changes that the broker is known to make to an order it accepts; they are no mismatch.';
insert into orderlatch_data.order_rewrites
  (rewrite_no, action, order_type, broker_type, broker_adds_limit_price, why) values
  (1, 'buy', 'stop', 'stop_limit', true,
   'a buy stop becomes a stop limit with a collar above the stop price');
"""

ORDERS = """
create table orderlatch_data.executions (
  execution_id bigint generated always as identity,
  decision_id bigint not null,
  account_id integer not null,
  broker_order_id text not null,
  status text not null,
  filled_qty numeric not null default 0,
  filled_avg_price numeric,
  submitted_at timestamptz,
  updated_at timestamptz,
  found_in_request_id uuid,
  recorded_at timestamptz not null,
  constraint executions_pkey primary key (execution_id),
  constraint executions_one_order_per_decision unique (decision_id),
  constraint executions_broker_order_is_unique unique (account_id, broker_order_id),
  constraint executions_belongs_to_decision
    foreign key (decision_id) references orderlatch_data.trade_decisions
);
comment on table orderlatch_data.executions is
  'The one broker order of each decision that has one, as the broker last showed it.';
comment on column orderlatch_data.executions.status is
  'in the broker''s words, stored as they are; unknown: an operator adopted it unseen';
comment on column orderlatch_data.executions.filled_qty is 'shares, coins or contracts';
comment on column orderlatch_data.executions.filled_avg_price is 'dollars';
comment on column orderlatch_data.executions.found_in_request_id is
  'the request whose answer showed the order first; null: an operator or a restored record';

create table orderlatch_data.foreign_orders (
  broker_order_id text not null,
  client_order_id text not null,
  account_id integer,
  document jsonb not null,
  seen_at timestamptz not null,
  reported_by text not null,
  constraint foreign_orders_pkey primary key (broker_order_id, reported_by)
);
create index foreign_orders_by_client_order_id on orderlatch_data.foreign_orders (client_order_id);
comment on table orderlatch_data.foreign_orders is
  'Orders seen at the broker that belong to no decision, for example of a decision that a restore has lost; '
  'adopted when it is proposed again.';
comment on column orderlatch_data.foreign_orders.reported_by is
  'session_user of the worker that saw it: believed only of accounts that this login carries';

create table orderlatch_data.order_reads (
  read_id bigint generated always as identity,
  account_id integer not null,
  symbol text,
  from_at timestamptz not null,
  began_at timestamptz,
  after_at timestamptz not null,
  pages integer not null default 0,
  completed_at timestamptz,
  request_id uuid,
  next_page_at timestamptz not null,
  constraint order_reads_pkey primary key (read_id)
);
create index order_reads_unfinished on orderlatch_data.order_reads (account_id, next_page_at)
  where completed_at is null;
comment on table orderlatch_data.order_reads is
  'Reads of the broker''s orders, page by page, that a proof of absence waits for.';
comment on column orderlatch_data.order_reads.symbol is 'the symbol read; null: all symbols';
comment on column orderlatch_data.order_reads.from_at is 'orders submitted after this are read';
comment on column orderlatch_data.order_reads.began_at is 'when the first page was granted';
comment on column orderlatch_data.order_reads.after_at is
  'cursor of the next page; moves in the transaction that records a page';
comment on column orderlatch_data.order_reads.request_id is 'the page on its way';

create table orderlatch_data.doubts (
  decision_id bigint not null,
  account_id integer not null,
  request_id uuid,
  cause text not null,
  in_doubt_at timestamptz not null,
  believe_after timestamptz not null,
  was_clean boolean not null,
  lost boolean not null default false,
  duplicate boolean not null default false,
  mismatched boolean not null default false,
  refusal jsonb,
  lookups smallint not null default 0,
  next_lookup_at timestamptz,
  first_absent_at timestamptz,
  second_absent_at timestamptz,
  read_id bigint,
  constraint doubts_pkey primary key (decision_id),
  constraint doubts_belongs_to_decision foreign key (decision_id) references orderlatch_data.trade_decisions,
  constraint doubts_belongs_to_read foreign key (read_id) references orderlatch_data.order_reads,
  constraint doubts_proof_in_order check (second_absent_at is null or first_absent_at is not null)
);
create index doubts_by_lookup on orderlatch_data.doubts (account_id, next_lookup_at);
comment on table orderlatch_data.doubts is
  'What is known about each order whose fate is not, and how far the proof of its absence has come.';
comment on column orderlatch_data.doubts.request_id is 'the doubtful submit';
comment on column orderlatch_data.doubts.believe_after is
  'lookups granted before this prove nothing: the doubtful request''s answer_by and the account''s '
  'absence_quiet';
comment on column orderlatch_data.doubts.was_clean is 'whether the decision was clean before this doubt';
comment on column orderlatch_data.doubts.lost is
  'the worker never answered: its call may be frozen half made';
comment on column orderlatch_data.doubts.duplicate is
  'the broker said that the id is taken: absence is never believed';
comment on column orderlatch_data.doubts.mismatched is
  'an order with the id but other terms was found: only an operator ends the doubt';
comment on column orderlatch_data.doubts.refusal is
  'a refusal that was not final as the decision was not clean: status, code, message';
comment on column orderlatch_data.doubts.next_lookup_at is 'when to look next; null: no lookup is due';
comment on column orderlatch_data.doubts.first_absent_at is
  'when the first counted answer that the order is not there was recorded';
comment on column orderlatch_data.doubts.read_id is 'the list of orders that completes the proof';
"""

TABLES = (
    "doubts",
    "order_reads",
    "foreign_orders",
    "executions",
    "order_rewrites",
    "answer_rules",
    "broker_responses",
    "lost_requests",
    "open_requests",
    "broker_requests",
    "worker_accounts",
    "workers",
)


def upgrade() -> None:
    op.execute("set local role orderlatch_owner")
    for statement in (WORKERS, REQUESTS, ORDERS):
        op.execute(statement)
    op.execute("reset role")


def downgrade() -> None:
    op.execute(
        """
        do $refuse$
        begin
          if exists (select 1 from orderlatch_data.broker_requests)
            or exists (select 1 from orderlatch_data.executions)
          then
            raise exception 'downgrade refused: requests or executions are recorded and would be destroyed'
              using hint = 'back the database up and drop it by hand, if that is what you want';
          end if;
        end
        $refuse$
        """
    )
    for table in TABLES:
        op.execute(f"drop table orderlatch_data.{table} cascade")
    op.execute("drop type orderlatch_data.granted_request cascade")
    op.execute("drop sequence orderlatch_data.claim_turns")
    op.execute("delete from orderlatch_data.sql_files")
