"""The gates: rate budgets, the agenda of accounts that have something to do, halts that cancel."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

# A claim looks at a lock and gives it back at once. Where a superuser has taken that right from PUBLIC, it
# takes a superuser to give it to the owner.
LOOKING = """
do $looking$
begin
  if (select r.rolsuper from pg_roles as r where r.rolname = current_user) then
    grant execute on function pg_try_advisory_lock_shared(integer, integer) to orderlatch_owner;
  elsif not has_function_privilege(
    'orderlatch_owner', 'pg_catalog.pg_try_advisory_lock_shared(integer, integer)', 'execute'
  ) then
    raise exception 'orderlatch_owner may not execute pg_try_advisory_lock_shared(integer, integer)'
      using hint = 'let a superuser grant it, then migrate again';
  end if;
end
$looking$;
"""

BUDGETS = """
alter table orderlatch_data.accounts
  add column rate_limit integer not null default 200,
  add column burst integer,
  add constraint accounts_rate_is_bounded check (rate_limit between 10 and 1000000),
  add constraint accounts_burst_fits_rate check (burst >= 2 and burst <= rate_limit / 2);
comment on column orderlatch_data.accounts.rate_limit is
  'calls that the broker allows the account in any minute, of whatever kind';
comment on column orderlatch_data.accounts.burst is
  'calls that may be granted at once after a rest, the depth of the bucket; null: a tenth of rate_limit. '
  'What it takes from a minute, refilling does not give';

create table orderlatch_data.account_budgets (
  account_id integer not null,
  tokens double precision not null,
  reserved double precision not null,
  counted_at timestamptz not null,
  constraint account_budgets_pkey primary key (account_id),
  constraint account_budgets_belongs_to_account foreign key (account_id) references orderlatch_data.accounts,
  constraint account_budgets_reserve_is_part check (reserved between 0 and tokens)
) with (fillfactor = 50);
comment on table orderlatch_data.account_budgets is
  'The token bucket of each account: a token for each call. Written only by claims, under the account''s '
  'lock for granting, so that no answer ever waits for it.';
comment on column orderlatch_data.account_budgets.tokens is
  'calls that could be granted at counted_at; refilled by the time that has passed since';
comment on column orderlatch_data.account_budgets.reserved is
  'the part of tokens that submits may not take';

create table orderlatch_data.broker_limits (
  account_id integer not null,
  rate_limit integer,
  remaining integer,
  resets_at timestamptz,
  said_at timestamptz,
  constraint broker_limits_pkey primary key (account_id),
  constraint broker_limits_belongs_to_account foreign key (account_id) references orderlatch_data.accounts,
  constraint broker_limits_are_whole check (
    num_nulls(rate_limit, remaining, resets_at, said_at) in (0, 4) and rate_limit >= 1 and remaining >= 0
  )
) with (fillfactor = 50);
comment on table orderlatch_data.broker_limits is
  'What the broker''s headers last said of each account''s rate limit. Written only by answers; claims read '
  'it and grant no more than it leaves.';
comment on column orderlatch_data.broker_limits.remaining is
  'calls left until resets_at, not counting those on their way';
comment on column orderlatch_data.broker_limits.resets_at is
  'until when remaining binds; at most a minute after said_at, whatever the broker''s clock says';

insert into orderlatch_data.account_budgets (account_id, tokens, reserved, counted_at)
select a.account_id, 0, 0, now() from orderlatch_data.accounts as a;
insert into orderlatch_data.broker_limits (account_id) select a.account_id from orderlatch_data.accounts as a;

create index broker_requests_of_account on orderlatch_data.broker_requests (account_id, claimed_at);
"""

AGENDA = """
create table orderlatch_data.account_agenda (
  account_id integer not null,
  due_at timestamptz not null,
  tidy_at timestamptz not null,
  visited_at timestamptz not null,
  turn_no bigint not null,
  constraint account_agenda_pkey primary key (account_id),
  constraint account_agenda_belongs_to_account foreign key (account_id) references orderlatch_data.accounts
) with (fillfactor = 20);
comment on table orderlatch_data.account_agenda is
  'When a claim has to visit each account next: read whole by each claim, so it has no index but its key and '
  'every update of it stays within its page.';
comment on column orderlatch_data.account_agenda.due_at is
  'not before this has a claim anything to do for the account';
comment on column orderlatch_data.account_agenda.tidy_at is
  'not before this is a request lost or does a decision lapse: which any worker may note, verified or not';
comment on column orderlatch_data.account_agenda.visited_at is
  'when a claim last did all that was due; a clock behind it was set back, and everything is due';
comment on column orderlatch_data.account_agenda.turn_no is
  'when it was last visited, counted in visits: of the accounts that are due the lowest is next';
insert into orderlatch_data.account_agenda (account_id, due_at, tidy_at, visited_at, turn_no)
select a.account_id, '-infinity', '-infinity', '-infinity', 0 from orderlatch_data.accounts as a;
alter sequence orderlatch_data.claim_turns rename to visit_turns;
comment on sequence orderlatch_data.visit_turns is 'turn_no of account_agenda';

create table orderlatch_data.account_wakes (
  wake_no bigint generated always as identity,
  account_id integer not null,
  constraint account_wakes_pkey primary key (wake_no),
  constraint account_wakes_belongs_to_account foreign key (account_id) references orderlatch_data.accounts
);
comment on table orderlatch_data.account_wakes is
  'Accounts that are due although account_agenda does not say so, because its row was locked by whoever was '
  'changing it. The next visit removes them.';

create index open_requests_of_worker on orderlatch_data.open_requests (worker_id, account_id);
create index worker_accounts_not_verified on orderlatch_data.worker_accounts (worker_id, account_id)
  where verified_at is null;
create index open_decisions_by_approval on orderlatch_data.open_decisions (account_id, approval_no);
create index open_decisions_backing_off on orderlatch_data.open_decisions (account_id, next_try_at)
  where tries > 0;
"""

HALTS = """
alter table orderlatch_data.halts add column cancel_open boolean not null default false;
comment on column orderlatch_data.halts.cancel_open is
  'whether open orders of decisions in its scope are canceled as long as it stands';
create index halts_that_cancel on orderlatch_data.halts (account_id) where lifted_at is null and cancel_open;
"""


def upgrade() -> None:
    op.execute(LOOKING)
    op.execute("set local role orderlatch_owner")
    for statement in (BUDGETS, AGENDA, HALTS):
        op.execute(statement)
    op.execute("reset role")


def downgrade() -> None:
    op.execute("set local role orderlatch_owner")
    op.execute(
        "drop index orderlatch_data.halts_that_cancel,"
        " orderlatch_data.open_decisions_by_approval, orderlatch_data.open_decisions_backing_off,"
        " orderlatch_data.worker_accounts_not_verified,"
        " orderlatch_data.open_requests_of_worker, orderlatch_data.broker_requests_of_account"
    )
    op.execute("alter table orderlatch_data.halts drop column cancel_open cascade")
    op.execute(
        "drop table orderlatch_data.account_wakes, orderlatch_data.account_agenda,"
        " orderlatch_data.broker_limits, orderlatch_data.account_budgets cascade"
    )
    op.execute("alter sequence orderlatch_data.visit_turns rename to claim_turns")
    op.execute(
        "alter table orderlatch_data.accounts drop column rate_limit cascade, drop column burst cascade"
    )
    op.execute("delete from orderlatch_data.sql_files")
    op.execute("reset role")
