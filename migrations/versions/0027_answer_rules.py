"""A 422 about an id that is none means that there is no such order; a taken id is one under any status."""

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
   'what is no uuid is the id of no order: it is read before that is believed');
-- its code is that of a 400: under that status too it says that an order exists
update orderlatch_data.answer_rules set status_from = 400 where rule_no = 10
"""

DOWNGRADE = """
delete from orderlatch_data.answer_rules where rule_no in (54, 55);
update orderlatch_data.answer_rules set status_from = 409 where rule_no = 10
"""


def upgrade() -> None:
    op.execute("set local role orderlatch_owner")
    op.execute(UPGRADE)
    op.execute("reset role")


def downgrade() -> None:
    op.execute("set local role orderlatch_owner")
    op.execute(DOWNGRADE)
    op.execute("reset role")
