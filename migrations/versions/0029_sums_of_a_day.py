"""What a day's ended orders add up to is kept, so that limits of a day need not read all of them."""

from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

UPGRADE = """
create table orderlatch_data.day_marks (
  account_id integer not null,
  day_from timestamp with time zone not null,
  up_to timestamp with time zone not null,
  apart bigint[] not null,
  constraint day_marks_pkey primary key (account_id),
  constraint day_marks_belongs_to_account foreign key (account_id) references orderlatch_data.accounts
);
comment on table orderlatch_data.day_marks is
  'Of accounts with a limit of a day: how far the approvals of the day are added up in day_sums. The next '
  'verdict reads one by one those from up_to on and those set apart. Not valid on another day, while the '
  'clock is behind up_to, or while day_recounts has a row of the account.';
comment on column orderlatch_data.day_marks.day_from is 'when the calendar day of the account began';
comment on column orderlatch_data.day_marks.up_to is 'what was approved earlier than this is added up';
comment on column orderlatch_data.day_marks.apart is
  'decision_ids of approvals before up_to that are not: their orders may still trade';

create table orderlatch_data.day_sums (
  account_id integer not null,
  symbol text not null,
  strategy_id text not null,
  orders integer not null,
  worth numeric not null,
  constraint day_sums_pkey primary key (account_id, symbol, strategy_id),
  constraint day_sums_belongs_to_account foreign key (account_id) references orderlatch_data.accounts
);
comment on table orderlatch_data.day_sums is
  'What the orders of a day that have ended add up to, for each strategy and symbol: of the day, and as far '
  'as, day_marks says.';
comment on column orderlatch_data.day_sums.symbol is 'as positions have it';
comment on column orderlatch_data.day_sums.orders is 'those that were approved, and came to be';
comment on column orderlatch_data.day_sums.worth is 'dollars that they bought and sold';
-- as for the other tables of few rows that are written often, see 0014
alter table orderlatch_data.day_sums set (
  fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000,
  autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 10000, vacuum_truncate = false
);

create table orderlatch_data.day_recounts (
  recount_no bigint not null generated always as identity,
  account_id integer not null,
  constraint day_recounts_pkey primary key (recount_no),
  constraint day_recounts_belongs_to_account foreign key (account_id) references orderlatch_data.accounts
);
create index day_recounts_by_account on orderlatch_data.day_recounts (account_id);
comment on table orderlatch_data.day_recounts is
  'Accounts of which an order changed that had ended: what day_sums has of it may not hold any more. A row '
  'each time, as whoever writes one must not wait for whoever reads them; the next mark removes them.';
"""

DOWNGRADE = """
drop table orderlatch_data.day_recounts, orderlatch_data.day_sums, orderlatch_data.day_marks cascade;
"""


def upgrade() -> None:
    op.execute("set local role orderlatch_owner")
    op.execute(UPGRADE)
    op.execute("reset role")


def downgrade() -> None:
    op.execute("set local role orderlatch_owner")
    op.execute(DOWNGRADE)
    op.execute("delete from orderlatch_data.sql_files")  # functions went with the tables
    op.execute("reset role")
