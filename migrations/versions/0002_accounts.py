"""Accounts with their settings, who may act for them, and what stops them: halts, live grants, incidents."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

ACCOUNTS = """
create table orderlatch_data.accounts (
  account_id integer generated always as identity,
  account text not null,
  environment text not null,
  broker_account_id text,
  risk_engine text not null default 'builtin',
  one_decision_per_signal boolean not null default true,
  max_decision_age interval not null default '15 minutes',
  max_submits smallint not null default 3,
  on_absent text not null default 'resubmit',
  broker_remembers_ids boolean not null default true,
  max_in_doubt smallint not null default 3,
  send_within interval not null default '5 seconds',
  call_timeout interval not null default '10 seconds',
  answer_grace interval not null default '5 seconds',
  lookup_first_wait interval not null default '1 second',
  lookup_max_wait interval not null default '30 seconds',
  crowd_size smallint not null default 10,
  crowd_lookup_wait interval not null default '5 minutes',
  absence_quiet interval not null default '60 seconds',
  absence_spacing interval not null default '30 seconds',
  absence_window interval not null default '5 minutes',
  duplicate_alarm_after interval not null default '10 minutes',
  backoff_first interval not null default '1 second',
  backoff_max interval not null default '5 minutes',
  throttle_wait interval not null default '60 seconds',
  created_at timestamptz not null,
  created_by text not null,
  constraint accounts_pkey primary key (account_id),
  constraint accounts_name_is_unique unique (account),
  constraint accounts_name_is_short_text check (account ~ '^[[:graph:]]{1,64}$'),
  constraint accounts_environment_is_known check (environment in ('paper', 'live')),
  constraint accounts_live_has_identity check (environment = 'paper' or broker_account_id is not null),
  constraint accounts_risk_engine_is_known check (risk_engine in ('builtin', 'external')),
  constraint accounts_on_absent_is_known check (on_absent in ('resubmit', 'lapse')),
  constraint accounts_counts_are_positive check (max_submits >= 1 and max_in_doubt >= 1 and crowd_size >= 1),
  constraint accounts_call_times_are_bounded check (
    send_within between '1 millisecond' and '1 minute'
    and call_timeout between '1 millisecond' and '2 minutes'
    and answer_grace between '1 millisecond' and '10 minutes'
  ),
  constraint accounts_waits_are_bounded check (
    least(lookup_first_wait, backoff_first, throttle_wait, duplicate_alarm_after) >= '1 millisecond'
    and lookup_max_wait between lookup_first_wait and '1 hour'
    and crowd_lookup_wait between lookup_first_wait and '1 hour'
    and backoff_max between backoff_first and '5 minutes'
    and throttle_wait <= '1 hour'
    and duplicate_alarm_after <= '1 day'
    and max_decision_age between '1 millisecond' and '30 days'
  ),
  constraint accounts_proof_times_are_bounded check (
    least(absence_quiet, absence_spacing, absence_window) >= '0'
    and greatest(absence_quiet, absence_spacing, absence_window) <= '1 day'
  ),
  constraint accounts_live_proof_has_floors check (
    environment = 'paper'
    or (
      absence_quiet >= '60 seconds' and absence_spacing >= '30 seconds' and absence_window >= '5 minutes'
      and answer_grace >= '5 seconds'
    )
  )
);
-- partial, so that the column is no key of the row, and rows that reference it do not wait for its change
create unique index accounts_broker_account_once on orderlatch_data.accounts (broker_account_id)
  where broker_account_id is not null;
comment on table orderlatch_data.accounts is
  'One broker account each, with every rule and time that it is handled by.';
comment on column orderlatch_data.accounts.account is
  'the name that strategies, workers and people use; part of every decision hash';
comment on column orderlatch_data.accounts.environment is
  'paper or live; a worker whose base URL is of the other kind is refused';
comment on column orderlatch_data.accounts.broker_account_id is
  'the id that the broker''s get_account must answer with; a paper account learns it at first contact, a '
  'live one is given it';
comment on column orderlatch_data.accounts.risk_engine is
  'builtin: evaluate_decision judges; external: an engine calls approve_decision or reject_decision';
comment on column orderlatch_data.accounts.one_decision_per_signal is
  'whether a second, different decision for a signal is rejected with signal_already_decided';
comment on column orderlatch_data.accounts.max_decision_age is
  'how long after it was recorded a decision may still be sent; then it lapses';
comment on column orderlatch_data.accounts.max_submits is
  'how many submits that may have left a decision gets; with that many behind it, proved absence lapses it';
comment on column orderlatch_data.accounts.on_absent is
  'resubmit or lapse: what follows when the broker is proved not to have the order';
comment on column orderlatch_data.accounts.broker_remembers_ids is
  'whether the broker refuses a client_order_id for ever; without that, a submit whose worker never '
  'answered is not sent again';
comment on column orderlatch_data.accounts.max_in_doubt is
  'ceiling of submits whose outcome nobody knows; at it no further submit leaves until a read of the broker '
  'has succeeded';
comment on column orderlatch_data.accounts.send_within is
  'from the claim: the moment until which a call may begin';
comment on column orderlatch_data.accounts.call_timeout is 'the whole of a call, connecting included';
comment on column orderlatch_data.accounts.answer_grace is
  'after send_within and call_timeout: the time for the answer to be recorded, before the request is lost';
comment on column orderlatch_data.accounts.lookup_first_wait is
  'wait before the second lookup of an order in doubt; doubles with each';
comment on column orderlatch_data.accounts.lookup_max_wait is
  'longest wait between two lookups of an order in doubt';
comment on column orderlatch_data.accounts.crowd_size is
  'with more decisions than this in doubt, lookups slow down to crowd_lookup_wait and one list serves all';
comment on column orderlatch_data.accounts.crowd_lookup_wait is
  'wait between two lookups of one order while the account is crowded with doubt';
comment on column orderlatch_data.accounts.absence_quiet is
  'after the doubtful request''s answer_by: before this, no lookup counts as proof of absence';
comment on column orderlatch_data.accounts.absence_spacing is
  'least time between the two lookups that prove absence';
comment on column orderlatch_data.accounts.absence_window is
  'how far before the first submit the list that proves absence begins';
comment on column orderlatch_data.accounts.duplicate_alarm_after is
  'how long a duplicate answer may stay without a found order, before duplicate_without_order is opened';
comment on column orderlatch_data.accounts.backoff_first is
  'first back-off of a kind of request that failed; doubles with each failure';
comment on column orderlatch_data.accounts.backoff_max is 'longest back-off of a kind of request';
comment on column orderlatch_data.accounts.throttle_wait is
  'pause after a 429 that does not say when the limit resets';

create table orderlatch_data.account_states (
  account_id integer not null,
  paused_until timestamptz,
  last_read_at timestamptz,
  constraint account_states_pkey primary key (account_id),
  constraint account_states_belongs_to_account foreign key (account_id) references orderlatch_data.accounts
);
comment on table orderlatch_data.account_states is
  'What answers taught about an account: the narrow row that changes beside its wide one.';
comment on column orderlatch_data.account_states.paused_until is
  'no request of any kind leaves before (a 429 said so)';
comment on column orderlatch_data.account_states.last_read_at is
  'when the newest request of a successful read of the broker was granted';

create table orderlatch_data.kind_backoffs (
  account_id integer not null,
  kind text not null,
  failures smallint not null,
  failed_at timestamptz not null,
  next_try_at timestamptz not null,
  constraint kind_backoffs_pkey primary key (account_id, kind),
  constraint kind_backoffs_belongs_to_account foreign key (account_id) references orderlatch_data.accounts
);
comment on table orderlatch_data.kind_backoffs is
  'Kinds of request that failed for an account and wait before the next try; no row, no wait.';
"""

LOGINS = """
create table orderlatch_data.login_bindings (
  login text not null,
  account_id integer not null,
  strategy_id text not null default '',
  bound_at timestamptz not null,
  bound_by text not null,
  constraint login_bindings_pkey primary key (login, account_id, strategy_id),
  constraint login_bindings_belongs_to_account foreign key (account_id) references orderlatch_data.accounts
);
comment on table orderlatch_data.login_bindings is
  'Which logins may act for which accounts; a member of orderlatch_owner needs no row.';
comment on column orderlatch_data.login_bindings.login is 'session_user, as the login connected';
comment on column orderlatch_data.login_bindings.strategy_id is
  'the one strategy that the login speaks for; empty: every strategy of the account';
"""

GATES = """
create table orderlatch_data.halts (
  halt_id bigint generated always as identity,
  account_id integer,
  strategy_id text,
  symbol text,
  reason text not null,
  halted_at timestamptz not null,
  halted_by text not null,
  lifted_at timestamptz,
  lifted_by text,
  lift_reason text,
  constraint halts_pkey primary key (halt_id),
  constraint halts_belongs_to_account foreign key (account_id) references orderlatch_data.accounts,
  constraint halts_lift_is_signed check (
    (lifted_at is null) = (lifted_by is null) and (lifted_at is null) = (lift_reason is null)
  )
);
create index halts_standing on orderlatch_data.halts (account_id) where lifted_at is null;
comment on table orderlatch_data.halts is
  'What stops new submits: everything, an account, a strategy or a symbol (null: any), until it is lifted.';

create table orderlatch_data.live_grants (
  grant_id bigint generated always as identity,
  account_id integer not null,
  granted_at timestamptz not null,
  granted_until timestamptz not null,
  granted_by text not null,
  reason text not null,
  constraint live_grants_pkey primary key (grant_id),
  constraint live_grants_belongs_to_account foreign key (account_id) references orderlatch_data.accounts,
  constraint live_grants_ends_after_start check (granted_until >= granted_at)
);
create index live_grants_by_end on orderlatch_data.live_grants (account_id, granted_until);
comment on table orderlatch_data.live_grants is
  'Permissions to submit for a live account, each with an end. Without one that has not ended nothing is '
  'submitted.';

create table orderlatch_data.incidents (
  incident_id bigint generated always as identity,
  account_id integer,
  decision_id bigint,
  incident text not null,
  detail jsonb not null default '{}',
  request_id uuid,
  opened_at timestamptz not null,
  closed_at timestamptz,
  closed_by text,
  resolution text,
  constraint incidents_pkey primary key (incident_id),
  constraint incidents_belongs_to_account foreign key (account_id) references orderlatch_data.accounts,
  constraint incidents_close_is_signed check (
    (closed_at is null) = (closed_by is null) and (closed_at is null) = (resolution is null)
  )
);
create index incidents_open on orderlatch_data.incidents
  (incident, coalesce(account_id, 0), coalesce(decision_id, 0)) where closed_at is null;
create index incidents_by_decision on orderlatch_data.incidents (decision_id) where decision_id is not null;
comment on table orderlatch_data.incidents is
  'What must not happen and did: a row for a person to look at. One that is open is not opened again.';
comment on column orderlatch_data.incidents.incident is
  'its kind, for example order_mismatch; see the view incident_kinds';
comment on column orderlatch_data.incidents.detail is 'the values that disagree; never a whole payload';
"""


def upgrade() -> None:
    op.execute("set local role orderlatch_owner")
    for statement in (ACCOUNTS, LOGINS, GATES):
        op.execute(statement)
    op.execute("reset role")


def downgrade() -> None:
    op.execute(
        """
        do $refuse$
        begin
          if exists (select 1 from orderlatch_data.accounts) then
            raise exception 'downgrade refused: accounts are recorded and would be destroyed'
              using hint = 'back the database up and drop it by hand, if that is what you want';
          end if;
        end
        $refuse$
        """
    )
    op.execute(
        "drop table orderlatch_data.incidents, orderlatch_data.live_grants, orderlatch_data.halts,"
        " orderlatch_data.login_bindings, orderlatch_data.kind_backoffs, orderlatch_data.account_states,"
        " orderlatch_data.accounts cascade"
    )
    op.execute("delete from orderlatch_data.sql_files")
