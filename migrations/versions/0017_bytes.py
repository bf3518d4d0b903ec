"""A decision in fewer bytes: answers are compressed, and events are found by a smaller index."""

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

# Rows of up to 2,032 bytes are stored as they are. With blanks, of which 22 bytes are left, an answer is
# longer than that, and Postgres compresses its body, too. `main`: what fits a page stays in the row.
ANSWERS = """
alter table orderlatch_data.broker_responses
  alter column broker_request_id set storage main,
  alter column message set storage main,
  alter column headers set storage main,
  alter column body set storage main,
  alter column error set storage main,
  set (toast_tuple_target = 128);
alter table orderlatch_data.broker_responses
  add column filler text generated always as (
    case
      when octet_length(body) between 256 and 1967 then repeat(' ', 1968 - octet_length(body))
    end
  ) stored;
alter table orderlatch_data.broker_responses alter column filler set storage main;
comment on column orderlatch_data.broker_responses.headers is
  'of answers that are no clear success, those that tell why, none secret: an object of lower-case names';
comment on column orderlatch_data.broker_responses.filler is
  'blanks that make the row long enough for Postgres to compress its body; a few bytes once compressed';
"""

# The events of a decision are one entry of an index that folds equals, not one entry each.
EVENTS = """
alter table orderlatch_data.decision_outcomes drop constraint decision_outcomes_has_event;
alter table orderlatch_data.decision_events drop constraint decision_events_pkey;
alter table orderlatch_data.decision_events
  add constraint decision_events_pkey primary key using index decision_events_in_order;
create index decision_events_of_decision on orderlatch_data.decision_events (decision_id);
alter table orderlatch_data.decision_outcomes
  add constraint decision_outcomes_has_event
    foreign key (event_id) references orderlatch_data.decision_events (event_id);
"""

VERDICTS = """
comment on column orderlatch_data.risk_verdicts.limits is
  'the limits that applied: an object of limit_id and ceiling, of a list of how many symbols and of when; '
  'see told_limits. Verdicts from before revision 0017: an array of objects that name each';
"""


def upgrade() -> None:
    op.execute("set local role orderlatch_owner")
    op.execute(ANSWERS)
    op.execute(EVENTS)
    op.execute(VERDICTS)
    op.execute("reset role")


def downgrade() -> None:
    op.execute("set local role orderlatch_owner")
    op.execute(
        """
        drop view orderlatch_data.all_responses cascade;
        alter table orderlatch_data.broker_responses drop column filler;
        alter table orderlatch_data.broker_responses
          alter column broker_request_id set storage extended,
          alter column message set storage extended,
          alter column headers set storage extended,
          alter column body set storage extended,
          alter column error set storage extended,
          reset (toast_tuple_target);
        """
    )
    op.execute(
        """
        alter table orderlatch_data.decision_outcomes drop constraint decision_outcomes_has_event;
        alter table orderlatch_data.decision_events drop constraint decision_events_pkey;
        drop index orderlatch_data.decision_events_of_decision;
        alter table orderlatch_data.decision_events
          add constraint decision_events_pkey primary key (decision_id, event_id);
        create unique index decision_events_in_order on orderlatch_data.decision_events (event_id);
        alter table orderlatch_data.decision_outcomes
          add constraint decision_outcomes_has_event
            foreign key (decision_id, event_id)
            references orderlatch_data.decision_events (decision_id, event_id);
        """
    )
    op.execute("delete from orderlatch_data.sql_files")
    op.execute("reset role")
