"""One index finds every order of a decision and keeps it at one of its own; calls are granted as a set."""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

# Two partial ones served who named the relation; who asked for all orders of a decision read every order.
ORDERS = """
drop index orderlatch_data.broker_orders_of_decision;
drop index orderlatch_data.broker_orders_one_order_per_decision;
create unique index broker_orders_one_order_per_decision on orderlatch_data.broker_orders
  (decision_id, (case when relation = 'order' then 0 else order_no end)) where decision_id is not null;
"""

CALLS = """
create type orderlatch_data.wanted_call as (
  account_id integer,
  kind text,
  request_id uuid,
  decision_id bigint,
  read_id bigint,
  broker_order_id text,
  lock_key integer,
  path text,
  query jsonb,
  body text,
  send_until timestamptz
);
revoke all on type orderlatch_data.wanted_call from public;
comment on type orderlatch_data.wanted_call is
  'A call that is to be granted. broker_order_id: the order that get_order or cancel_order is about; '
  'lock_key: of its decision, or null; send_until: it may not begin later, whatever send_within allows; '
  'null: no such end.';
"""

BACK = """
drop type orderlatch_data.wanted_call cascade;
drop index orderlatch_data.broker_orders_one_order_per_decision;
create unique index broker_orders_one_order_per_decision on orderlatch_data.broker_orders (decision_id)
  where relation = 'order' and decision_id is not null;
create index broker_orders_of_decision on orderlatch_data.broker_orders (decision_id)
  where relation <> 'order' and decision_id is not null;
"""


def upgrade() -> None:
    op.execute("set local role orderlatch_owner")
    op.execute(ORDERS)
    op.execute(CALLS)
    op.execute("reset role")


def downgrade() -> None:
    op.execute("set local role orderlatch_owner")
    op.execute(BACK)
    op.execute("delete from orderlatch_data.sql_files")
    op.execute("reset role")
