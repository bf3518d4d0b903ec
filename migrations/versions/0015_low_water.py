"""Low-water marks: claims begin where the living rows begin, whatever a long transaction keeps dead."""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

MARKS = """
alter table orderlatch_data.account_agenda
  add column approved_from bigint not null default 0,
  add column answers_from timestamptz not null default '-infinity';
comment on column orderlatch_data.account_agenda.approved_from is
  'no open decision of the account has a lower approval_no; never falls, as numbers are given in the order '
  'of commit';
comment on column orderlatch_data.account_agenda.answers_from is
  'no open request of the account is to be answered earlier';

drop index orderlatch_data.open_requests_of_worker;
create index open_requests_by_time on orderlatch_data.open_requests (answer_by, worker_id);

-- only for what lapses: else it is taken for a search that could begin at a mark
drop index orderlatch_data.open_decisions_by_lapse;
create index open_decisions_by_lapse on orderlatch_data.open_decisions (account_id, lapse_at)
  where not lookup_first;
"""


def upgrade() -> None:
    op.execute("set local role orderlatch_owner")
    op.execute(MARKS)
    op.execute("reset role")


def downgrade() -> None:
    op.execute("set local role orderlatch_owner")
    op.execute(
        """
        drop index orderlatch_data.open_requests_by_time, orderlatch_data.open_decisions_by_lapse;
        create index open_decisions_by_lapse on orderlatch_data.open_decisions (account_id, lapse_at);
        create index open_requests_of_worker on orderlatch_data.open_requests (worker_id, account_id);
        alter table orderlatch_data.account_agenda drop column approved_from, drop column answers_from;
        """
    )
    op.execute("delete from orderlatch_data.sql_files")
    op.execute("reset role")
