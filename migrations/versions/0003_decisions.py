"""Decisions: written once, with a narrow row while they are open and an outcome when they have settled.

Moves between states are judged by a foreign key: every event references the edge it took.
"""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

DECISIONS = """
create sequence orderlatch_data.decision_ids as bigint;
comment on sequence orderlatch_data.decision_ids is
  'decision_id of trade_decisions, in the order of recording';

create sequence orderlatch_data.approval_nos as bigint;
comment on sequence orderlatch_data.approval_nos is
  'approval_no of open_decisions, taken while the account is locked for judging';

create table orderlatch_data.trade_decisions (
  decision_id bigint not null,
  decision_hash bytea not null,
  hash_version smallint not null,
  account_id integer not null,
  strategy_id text not null,
  symbol text not null,
  event_ts timestamptz not null,
  timeframe text not null,
  leg text not null,
  action text not null,
  qty numeric,
  notional numeric,
  order_type text not null,
  time_in_force text not null,
  limit_price numeric,
  stop_price numeric,
  trail_price numeric,
  trail_percent numeric,
  extended_hours boolean not null,
  order_class text not null,
  take_profit jsonb,
  stop_loss jsonb,
  position_intent text,
  params jsonb,
  intent text not null,
  rationale text,
  reference_price numeric,
  valid_until timestamptz,
  metadata jsonb,
  recorded_at timestamptz not null,
  recorded_by text not null,
  constraint trade_decisions_pkey primary key (decision_id),
  constraint trade_decisions_hash_is_unique unique (decision_hash),
  constraint trade_decisions_hash_is_sha256 check (octet_length(decision_hash) = 32),
  constraint trade_decisions_action_is_known check (action in ('buy', 'sell')),
  constraint trade_decisions_sizes_are_positive check (qty > 0 and notional > 0),
  constraint trade_decisions_intent_is_bounded check (octet_length(intent) <= 16384),
  constraint trade_decisions_belongs_to_account foreign key (account_id) references orderlatch_data.accounts
);
comment on table orderlatch_data.trade_decisions is
  'One row for each decision, as it was first delivered. Written once: a trigger refuses every update, '
  'delete and truncate.';
comment on column orderlatch_data.trade_decisions.decision_hash is
  'sha256 of intent, 32 bytes; in hex it is the order''s client_order_id';
comment on column orderlatch_data.trade_decisions.hash_version is 'which canonicaliser made the intent';
comment on column orderlatch_data.trade_decisions.event_ts is
  'the time of the market event that the decision answers';
comment on column orderlatch_data.trade_decisions.qty is
  'shares, coins or contracts; null when notional is given';
comment on column orderlatch_data.trade_decisions.notional is 'dollars; null when qty is given';
comment on column orderlatch_data.trade_decisions.params is
  'the strategy''s parameters; part of the intent; null when empty';
comment on column orderlatch_data.trade_decisions.intent is
  'canonical JSON that was hashed; verify_decision builds it again from the columns';
comment on column orderlatch_data.trade_decisions.reference_price is
  'dollars; the price that the strategy saw; limits that need a price use it; not part of the intent';
comment on column orderlatch_data.trade_decisions.valid_until is
  'not to be sent after this; not part of the intent';
comment on column orderlatch_data.trade_decisions.recorded_by is 'session_user that delivered it first';

create table orderlatch_data.live_signals (
  signal_key uuid not null,
  decision_id bigint not null,
  constraint live_signals_pkey primary key (signal_key),
  constraint live_signals_belongs_to_decision
    foreign key (decision_id) references orderlatch_data.trade_decisions
);
comment on table orderlatch_data.live_signals is
  'The guard of one decision for one signal: each signal that has a live decision.';
comment on column orderlatch_data.live_signals.signal_key is
  'first 16 bytes of a sha256 over account, strategy_id, symbol, timeframe, event_ts and leg';
"""

MOVES = """
create table orderlatch_data.legal_moves (
  from_status text not null,
  to_status text not null,
  meaning text not null,
  constraint legal_moves_pkey primary key (from_status, to_status)
);
comment on table orderlatch_data.legal_moves is
  'The state machine: every move that a decision can make. Events reference it, so no other move can be '
  'made.';
comment on column orderlatch_data.legal_moves.from_status is 'none: the decision was not recorded yet';
insert into orderlatch_data.legal_moves (from_status, to_status, meaning) values
  ('none', 'planned', 'a strategy recorded it'),
  ('planned', 'approved', 'risk said yes'),
  ('planned', 'rejected', 'risk said no'),
  ('planned', 'withdrawn', 'taken back before it was judged'),
  ('planned', 'lapsed', 'not judged and sent in time'),
  ('planned', 'submitted', 'its order was found at the broker'),
  ('planned', 'in_doubt', 'an order with its id, but other terms, was found at the broker'),
  ('approved', 'submitting', 'a worker claimed the call'),
  ('approved', 'rejected', 'risk said no after all'),
  ('approved', 'withdrawn', 'taken back before it was sent'),
  ('approved', 'lapsed', 'not sent in time'),
  ('approved', 'submitted', 'its order was found at the broker'),
  ('approved', 'in_doubt', 'an order with its id, but other terms, was found at the broker'),
  ('submitting', 'submitted', 'the broker has the order'),
  ('submitting', 'in_doubt', 'nobody knows whether the broker has the order'),
  ('submitting', 'approved', 'proved not sent'),
  ('submitting', 'refused', 'the broker said no, for certain'),
  ('in_doubt', 'submitted', 'the order was found at the broker'),
  ('in_doubt', 'approved', 'proved absent, or proved not sent: to be sent again'),
  ('in_doubt', 'refused', 'proved absent after a refusal, or refused for certain by the late answer'),
  ('in_doubt', 'withdrawn', 'proved absent, and taken back meanwhile'),
  ('in_doubt', 'lapsed', 'proved absent, and not to be sent again'),
  ('rejected', 'submitted', 'the broker shows an order despite the verdict'),
  ('withdrawn', 'submitted', 'the broker shows an order despite the verdict'),
  ('lapsed', 'submitted', 'the broker shows an order despite the verdict'),
  ('refused', 'submitted', 'the broker shows an order despite the verdict');

create table orderlatch_data.open_decisions (
  decision_id bigint not null,
  account_id integer not null,
  symbol text not null,
  lock_key integer not null,
  status text not null,
  approval_no bigint,
  lapse_at timestamptz not null,
  next_try_at timestamptz not null,
  tries smallint not null default 0,
  submits smallint not null default 0,
  clean boolean not null default true,
  lookup_first boolean not null default false,
  wish text,
  holder_request_id uuid,
  lookup_request_id uuid,
  move_reason text not null,
  move_request_id uuid,
  move_evidence jsonb,
  constraint open_decisions_pkey primary key (decision_id),
  constraint open_decisions_belongs_to_decision
    foreign key (decision_id) references orderlatch_data.trade_decisions,
  constraint open_decisions_approved_has_number
    check (status not in ('approved', 'submitting') or approval_no is not null),
  constraint open_decisions_submitting_is_held
    check (status <> 'submitting' or holder_request_id is not null),
  constraint open_decisions_unclean_before_lookup check (not (lookup_first and clean))
) with (fillfactor = 50);
create index open_decisions_in_turn on orderlatch_data.open_decisions (account_id, symbol, approval_no);
create index open_decisions_by_lapse on orderlatch_data.open_decisions (account_id, lapse_at);
comment on table orderlatch_data.open_decisions is
  'The narrow row of each decision that has not settled. Changing status is a move: journaled by a trigger, '
  'judged by legal_moves.';
comment on column orderlatch_data.open_decisions.lock_key is
  'key of the decision''s advisory lock: the first four bytes of its hash';
comment on column orderlatch_data.open_decisions.approval_no is
  'order of approval; within a symbol submits go out in this order';
comment on column orderlatch_data.open_decisions.lapse_at is
  'not sent by then, it lapses: the earlier of valid_until and the account''s max_decision_age';
comment on column orderlatch_data.open_decisions.next_try_at is 'no submit before (back-off)';
comment on column orderlatch_data.open_decisions.tries is
  'submits in a row that provably never left; the back-off doubles with each';
comment on column orderlatch_data.open_decisions.submits is 'submits granted that may have left';
comment on column orderlatch_data.open_decisions.clean is
  'no submit was ever in doubt or throttled: a refusal is final';
comment on column orderlatch_data.open_decisions.lookup_first is
  'throttled: one lookup before the next submit, lapse or withdrawal';
comment on column orderlatch_data.open_decisions.wish is
  'why it is to be withdrawn as soon as its order is proved not to exist; null: no such wish';
comment on column orderlatch_data.open_decisions.holder_request_id is
  'the newest submit request; only its negative answers count';
comment on column orderlatch_data.open_decisions.lookup_request_id is
  'the newest lookup request; only its negative answers count';
comment on column orderlatch_data.open_decisions.move_reason is
  'why the last move was made; goes into its event';
comment on column orderlatch_data.open_decisions.move_request_id is
  'the request behind the last move; goes into its event';
comment on column orderlatch_data.open_decisions.move_evidence is
  'evidence for the last move, when a person or an engine gave it; goes into its event';

create table orderlatch_data.decision_events (
  decision_id bigint not null,
  event_id bigint generated always as identity,
  from_status text not null,
  to_status text not null,
  moved_at timestamptz not null,
  moved_by text not null,
  reason text not null,
  request_id uuid,
  evidence jsonb,
  constraint decision_events_pkey primary key (decision_id, event_id),
  constraint decision_events_belongs_to_decision
    foreign key (decision_id) references orderlatch_data.trade_decisions,
  constraint decision_events_move_is_legal
    foreign key (from_status, to_status) references orderlatch_data.legal_moves (from_status, to_status)
);
comment on table orderlatch_data.decision_events is
  'The journal: one row for each move, written by the trigger on open_decisions. Append-only, for the owner '
  'too.';
comment on column orderlatch_data.decision_events.moved_by is 'session_user';
comment on column orderlatch_data.decision_events.request_id is
  'the broker request whose answer, or loss, made the move';

create table orderlatch_data.decision_outcomes (
  decision_id bigint not null,
  status text not null,
  event_id bigint not null,
  clean boolean not null,
  settled_at timestamptz not null,
  constraint decision_outcomes_pkey primary key (decision_id),
  constraint decision_outcomes_is_final
    check (status in ('submitted', 'rejected', 'refused', 'withdrawn', 'lapsed')),
  constraint decision_outcomes_has_event
    foreign key (decision_id, event_id) references orderlatch_data.decision_events (decision_id, event_id)
);
comment on table orderlatch_data.decision_outcomes is
  'How each settled decision ended, with the event that decided it.';
comment on column orderlatch_data.decision_outcomes.clean is
  'whether no submit of it was ever in doubt or throttled';
"""

TABLES = (
    "decision_outcomes",
    "decision_events",
    "open_decisions",
    "legal_moves",
    "live_signals",
    "trade_decisions",
)


def upgrade() -> None:
    op.execute("set local role orderlatch_owner")
    for statement in (DECISIONS, MOVES):
        op.execute(statement)
    op.execute("reset role")


def downgrade() -> None:
    op.execute(
        """
        do $refuse$
        begin
          if exists (select 1 from orderlatch_data.trade_decisions) then
            raise exception 'downgrade refused: decisions are recorded and would be destroyed'
              using hint = 'back the database up and drop it by hand, if that is what you want';
          end if;
        end
        $refuse$
        """
    )
    for table in TABLES:
        op.execute(f"drop table orderlatch_data.{table} cascade")
    op.execute("drop sequence orderlatch_data.decision_ids, orderlatch_data.approval_nos")
    op.execute("delete from orderlatch_data.sql_files")
