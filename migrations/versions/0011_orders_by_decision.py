"""One index finds every order of a decision, and keeps it at one that is its own."""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

# Two partial indexes served only those who named the relation: who asked for all orders of a decision read every order.
ORDERS = """
drop index orderlatch_data.broker_orders_of_decision;
drop index orderlatch_data.broker_orders_one_order_per_decision;
create unique index broker_orders_one_order_per_decision on orderlatch_data.broker_orders
  (decision_id, (case when relation = 'order' then 0 else order_no end)) where decision_id is not null;
"""

BACK = """
drop index orderlatch_data.broker_orders_one_order_per_decision;
create unique index broker_orders_one_order_per_decision on orderlatch_data.broker_orders (decision_id)
  where relation = 'order' and decision_id is not null;
create index broker_orders_of_decision on orderlatch_data.broker_orders (decision_id)
  where relation <> 'order' and decision_id is not null;
"""


def upgrade() -> None:
    op.execute(ORDERS)


def downgrade() -> None:
    op.execute(BACK)
