"""What people look at does not read the whole past: foreign orders, and spans of time."""

from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

# Rows of these come in by time, and none of the times is indexed otherwise: a summary of each megabyte
# costs next to nothing, and lets whoever asks for a day read a day.
UPGRADE = """
create index broker_orders_foreign on orderlatch_data.broker_orders (order_no)
  where decision_id is null and foreign_at is not null;
create index trade_decisions_by_time on orderlatch_data.trade_decisions using brin (recorded_at)
  with (autosummarize = on);
create index decision_events_by_time on orderlatch_data.decision_events using brin (moved_at)
  with (autosummarize = on);
create index broker_requests_by_time on orderlatch_data.broker_requests using brin (claimed_at)
  with (autosummarize = on);
create index archived_calls_by_time on orderlatch_data.archived_calls using brin (claimed_at)
  with (autosummarize = on);
create index fills_by_day on orderlatch_data.fills using brin (filled_at) with (autosummarize = on);
"""

DOWNGRADE = """
drop index orderlatch_data.broker_orders_foreign;
drop index orderlatch_data.trade_decisions_by_time;
drop index orderlatch_data.decision_events_by_time;
drop index orderlatch_data.broker_requests_by_time;
drop index orderlatch_data.archived_calls_by_time;
drop index orderlatch_data.fills_by_day;
"""


def upgrade() -> None:
    op.execute("set local role orderlatch_owner")
    op.execute(UPGRADE)
    op.execute("reset role")


def downgrade() -> None:
    op.execute("set local role orderlatch_owner")
    op.execute(DOWNGRADE)
    op.execute("reset role")
