"""What is no uuid is the id of no order: the broker says so with a 422 where it says 404 of others."""

from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

UPGRADE = """
insert into orderlatch_data.answer_rules
  (rule_no, kind, status_from, status_to, code, message_pattern, json_only, meaning, why) values
  (54, 'get_order', 422, 422, 40010001, '^order_id is missing', true, 'absent',
   'what is no uuid is the id of no order, as when an operator has adopted something else'),
  (55, 'cancel_order', 422, 422, 40010001, '^order_id is missing', true, 'absent',
   'what is no uuid is the id of no order: it is read before that is believed')
"""

DOWNGRADE = "delete from orderlatch_data.answer_rules where rule_no in (54, 55)"


def upgrade() -> None:
    op.execute("set local role orderlatch_owner")
    op.execute(UPGRADE)
    op.execute("reset role")


def downgrade() -> None:
    op.execute("set local role orderlatch_owner")
    op.execute(DOWNGRADE)
    op.execute("reset role")
