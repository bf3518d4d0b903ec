"""The archive: calls whose matter has ended, each in one row with its answer and its loss."""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

ARCHIVE = """
create table orderlatch_data.archivings (
  archiving_id bigint generated always as identity,
  account_id integer,
  before_at timestamptz not null,
  reason text not null,
  ordered_at timestamptz not null,
  ordered_by text not null,
  constraint archivings_pkey primary key (archiving_id),
  constraint archivings_belongs_to_account foreign key (account_id) references orderlatch_data.accounts
);
comment on table orderlatch_data.archivings is
  'Each order to archive what is older than a moment, however many steps it took. Written once.';
comment on column orderlatch_data.archivings.account_id is 'null: every account';
comment on column orderlatch_data.archivings.before_at is
  'calls granted before this were to be moved, as far as all that they are about had ended by then';

create table orderlatch_data.archived_calls (
  request_id uuid not null,
  account_id integer not null,
  worker_id integer not null,
  kind text not null,
  decision_id bigint,
  read_id bigint,
  broker_order_id text,
  method text not null,
  path text not null,
  query jsonb,
  body text,
  claimed_at timestamptz not null,
  send_within_ms integer not null,
  timeout_ms integer not null,
  answer_by timestamptz not null,
  recorded_at timestamptz,
  sent text,
  status smallint,
  meaning text,
  code bigint,
  message text,
  broker_request_id text,
  headers jsonb,
  answer_body bytea,
  body_octets integer,
  error text,
  elapsed_ms integer,
  lost_at timestamptz,
  cause text,
  archiving_id bigint not null,
  constraint archived_calls_pkey primary key (request_id),
  constraint archived_calls_belongs_to_decision
    foreign key (decision_id) references orderlatch_data.trade_decisions,
  constraint archived_calls_belongs_to_archiving
    foreign key (archiving_id) references orderlatch_data.archivings,
  constraint archived_calls_has_ended check (recorded_at is not null or lost_at is not null),
  constraint archived_calls_answer_is_whole check (
    num_nulls(recorded_at, sent, meaning, body_octets) in (0, 4)
    and (lost_at is null) = (cause is null)
  )
);
create index archived_calls_by_decision on orderlatch_data.archived_calls (decision_id)
  where decision_id is not null;
create index archived_calls_of_account on orderlatch_data.archived_calls (account_id, claimed_at);
comment on table orderlatch_data.archived_calls is
  'Calls whose matter has ended, each with its answer and its loss: one row instead of three. '
  'archive_before moves them here. Written once.';
comment on column orderlatch_data.archived_calls.recorded_at is
  'from here to elapsed_ms its row of broker_responses; null: it was never answered';
comment on column orderlatch_data.archived_calls.answer_body is 'body of broker_responses';
comment on column orderlatch_data.archived_calls.lost_at is
  'with cause its row of lost_requests; null: it was not given up';
"""

MARKS = """
create table orderlatch_data.holding_marks (
  account_id integer not null,
  symbol text not null,
  strategy_id text not null,
  through_at timestamptz not null,
  qty numeric not null,
  constraint holding_marks_pkey primary key (account_id, symbol, strategy_id),
  constraint holding_marks_belongs_to_account foreign key (account_id) references orderlatch_data.accounts
);
comment on table orderlatch_data.holding_marks is
  'What fills added up to some time ago, so that invariants need not add them all up again. Only a shortcut: '
  'where it does not fit, everything is added up.';
comment on column orderlatch_data.holding_marks.symbol is 'as positions have it: pairs without their slash';
comment on column orderlatch_data.holding_marks.strategy_id is 'empty: of all fills, whosever they are';
comment on column orderlatch_data.holding_marks.through_at is 'fills made after this are not in qty';
"""


def upgrade() -> None:
    op.execute("set local role orderlatch_owner")
    op.execute(ARCHIVE)
    op.execute(MARKS)
    op.execute("reset role")


def downgrade() -> None:
    op.execute(
        """
        do $refuse$
        begin
          if exists (select 1 from orderlatch_data.archivings) then
            raise exception 'downgrade refused: calls are archived and would be destroyed'
              using hint = 'restore a backup from before the upgrade';
          end if;
        end
        $refuse$
        """
    )
    op.execute("set local role orderlatch_owner")
    op.execute(
        "drop table orderlatch_data.holding_marks, orderlatch_data.archived_calls,"
        " orderlatch_data.archivings cascade"
    )
    op.execute("delete from orderlatch_data.sql_files")
    op.execute("reset role")
