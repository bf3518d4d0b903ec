"""The chains: a hash in each event, what operators do, and the seals over all of it."""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

# What is there already was written without a hash: it is covered by the seals alone.
EVENTS = """
create table orderlatch_data.chain_starts (
  last_event_id bigint not null,
  started_at timestamptz not null
);
comment on table orderlatch_data.chain_starts is
  'One row: what was recorded before the chains began. Written once.';
comment on column orderlatch_data.chain_starts.last_event_id is 'events up to this have no hash';
comment on column orderlatch_data.chain_starts.started_at is
  'rows of operators that are older have no act; -infinity: nothing is older';
insert into orderlatch_data.chain_starts (last_event_id, started_at)
select coalesce((select max(e.event_id) from orderlatch_data.decision_events as e), 0),
       case
         when exists (select 1 from orderlatch_data.accounts as a) then clock_timestamp()
         else '-infinity'
       end;

alter table orderlatch_data.decision_events
  add column event_hash bytea,
  add constraint decision_events_has_hash check (event_hash is not null) not valid;
comment on column orderlatch_data.decision_events.event_hash is
  'sha256 over the event, the hash of the event before it of the same decision, and what is behind it: the '
  'decision, the verdict, the request and its answer; null: written before there were chains';

create table orderlatch_data.answers_at_hand (
  request_id uuid not null,
  call_digest bytea not null,
  constraint answers_at_hand_pkey primary key (request_id)
) with (fillfactor = 50);
comment on table orderlatch_data.answers_at_hand is
  'The answer that is being recorded, while its consequences are drawn: its row of broker_responses is '
  'written after them. Empty outside of record_responses.';
"""

ACTS = """
create sequence orderlatch_data.act_nos as bigint;
comment on sequence orderlatch_data.act_nos is 'act_no of operator_acts';

create table orderlatch_data.operator_acts (
  act_no bigint not null,
  act text not null,
  detail jsonb not null,
  acted_at timestamptz not null,
  acted_by text not null,
  saw bigint[] not null,
  act_hash bytea not null,
  constraint operator_acts_pkey primary key (act_no)
);
comment on table orderlatch_data.operator_acts is
  'Every halt and lift, live grant and revocation, account and setting, binding, limit, sign-off, position '
  'adjustment and closed incident, as a chain of its own. Written by triggers. Written once.';
comment on column orderlatch_data.operator_acts.act is 'table and deed, as in "halts insert"';
comment on column orderlatch_data.operator_acts.detail is 'the row, as it was made, or as it was removed';
comment on column orderlatch_data.operator_acts.saw is
  'the acts before it that no other had seen; two at one moment do not wait for each other, the next sees '
  'both';
comment on column orderlatch_data.operator_acts.act_hash is
  'sha256 over the act and the hashes of the acts that it saw';

create table orderlatch_data.act_tips (
  act_no bigint not null,
  constraint act_tips_pkey primary key (act_no)
);
comment on table orderlatch_data.act_tips is 'Acts that no later act has seen yet: the ends of their chain.';

create table orderlatch_data.event_seals (
  block_no bigint not null,
  digest bytea not null,
  events integer not null,
  sealed_at timestamptz not null,
  constraint event_seals_pkey primary key (block_no)
);
comment on table orderlatch_data.event_seals is
  'Digests over all events of all decisions, in blocks of 10,000 event ids. Written once.';
comment on column orderlatch_data.event_seals.block_no is
  'of the event ids from 10000 * (block_no - 1) + 1 to 10000 * block_no';
comment on column orderlatch_data.event_seals.digest is
  'sha256 over the digest of the block before and the ids and hashes of the events of this one';
comment on column orderlatch_data.event_seals.events is 'how many events the block has';
"""


def upgrade() -> None:
    op.execute("set local role orderlatch_owner")
    for statement in (EVENTS, ACTS):
        op.execute(statement)
    op.execute("reset role")


def downgrade() -> None:
    op.execute(
        """
        do $refuse$
        begin
          raise exception 'downgrade refused: the chains would be destroyed'
            using hint = 'restore a backup from before the upgrade';
        end
        $refuse$
        """
    )
