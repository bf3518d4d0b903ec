"""Which server the database is on, and by which server and transaction each event was written.

After a failover or a restore the first shows that commits may be lost; the second lets readers of events go
on where they were.
"""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

CLUSTERS = """
create table orderlatch_data.clusters (
  cluster_no integer generated always as identity,
  system_identifier bigint not null,
  timeline integer not null,
  home bigint not null,
  server_started_at timestamptz not null,
  noticed_at timestamptz not null,
  why text not null,
  reads_from timestamptz not null,
  changed_from timestamptz,
  constraint clusters_pkey primary key (cluster_no),
  constraint clusters_why_is_known check (why in ('first', 'restart', 'cluster'))
);
comment on table orderlatch_data.clusters is
  'Every server that claims have found themselves on, one row for each start of it. Written once.';
comment on column orderlatch_data.clusters.system_identifier is 'of the cluster, from pg_control_system()';
comment on column orderlatch_data.clusters.timeline is
  'of the current WAL position: a promoted standby and a restored server each begin another one';
comment on column orderlatch_data.clusters.home is
  'object ids of the database (upper 32 bits) and of this table: another restore has others';
comment on column orderlatch_data.clusters.server_started_at is 'pg_postmaster_start_time()';
comment on column orderlatch_data.clusters.noticed_at is 'when a claim noticed it';
comment on column orderlatch_data.clusters.why is
  'first: no other was known; restart: the same cluster started again; cluster: another one, or one that '
  'was restored or promoted: commits may be lost';
comment on column orderlatch_data.clusters.reads_from is
  'reads of the broker that began before do not count; after noticed_at only where the clock of the server '
  'before was ahead';
comment on column orderlatch_data.clusters.changed_from is
  'reads_from of the newest row whose why is cluster: calls granted before may be unknown here';
insert into orderlatch_data.clusters
  (system_identifier, timeline, home, server_started_at, noticed_at, why, reads_from)
select s.system_identifier, ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::integer,
       (select d.oid from pg_database as d where d.datname = current_database())::bigint << 32
         | 'orderlatch_data.clusters'::regclass::oid::bigint,
       pg_postmaster_start_time(), n.noticed_at, 'first', n.noticed_at
  from pg_control_system() as s
 cross join (select clock_timestamp() as noticed_at) as n
 where exists (select 1 from orderlatch_data.accounts as a);

create table orderlatch_data.sign_offs (
  sign_off_id bigint generated always as identity,
  account_id integer not null,
  since timestamptz not null,
  waited_for text not null,
  signed_at timestamptz not null,
  signed_by text not null,
  reason text not null,
  constraint sign_offs_pkey primary key (sign_off_id),
  constraint sign_offs_belongs_to_account foreign key (account_id) references orderlatch_data.accounts
);
create index sign_offs_of_account on orderlatch_data.sign_offs (account_id, since);
comment on table orderlatch_data.sign_offs is
  'Accounts that an operator let submit without the read of their orders that was due. Written once.';
comment on column orderlatch_data.sign_offs.since is
  'no read is waited for because of what happened until then';
comment on column orderlatch_data.sign_offs.waited_for is 'what had happened then: new, restart, cluster';

comment on column orderlatch_data.account_states.reconcile_after is
  'nothing is submitted before a complete read of orders that began at or after this; null: no such wait '
  'but those of the newest row of clusters';
comment on column orderlatch_data.account_states.reconcile_reason is
  'why reconcile_after was set: new';

create index open_decisions_wished on orderlatch_data.open_decisions (account_id) where wish is not null;
"""

# What is there already was written by no server that anybody could name: 1970, and before every snapshot.
EVENTS = """
alter table orderlatch_data.decision_events
  add column server_started_at timestamptz not null default '1970-01-01 00:00:00Z',
  add column xid xid8 not null default '0';
alter table orderlatch_data.decision_events
  alter column server_started_at set default pg_postmaster_start_time(),
  alter column xid set default pg_current_xact_id();
create unique index decision_events_in_order on orderlatch_data.decision_events (event_id);
create index decision_events_by_xid on orderlatch_data.decision_events (xid);
comment on column orderlatch_data.decision_events.event_id is
  'grows along the history of this database; after a restore the ids of lost events are given again';
comment on column orderlatch_data.decision_events.server_started_at is
  'start of the server that wrote it: with event_id it names the event for ever, also across restores';
comment on column orderlatch_data.decision_events.xid is
  'transaction that wrote it; numbers of different servers do not compare';

create type orderlatch_data.event_mark as (
  server_started_at timestamptz,
  home bigint,
  snapshot pg_snapshot,
  newest_event_id bigint,
  newest_server_started_at timestamptz
);
comment on type orderlatch_data.event_mark is
  'What a reader of events has been given: all that was visible in a snapshot of a server, its newest event '
  'being newest_event_id.';

create type orderlatch_data.event_cursor as (
  behind orderlatch_data.event_mark,
  ahead orderlatch_data.event_mark,
  last_event_id bigint,
  begins_now boolean
);
comment on type orderlatch_data.event_cursor is
  'Where a reader of events is: behind, what it has been given; ahead, the end of a batch of which it has '
  'been given all up to last_event_id; begins_now, whether ahead is all that there is.';
revoke all on type orderlatch_data.event_mark, orderlatch_data.event_cursor from public;
"""


def upgrade() -> None:
    op.execute("set local role orderlatch_owner")
    for statement in (CLUSTERS, EVENTS):
        op.execute(statement)
    op.execute("reset role")


def downgrade() -> None:
    op.execute(
        """
        do $refuse$
        begin
          raise exception 'downgrade refused: reads and events would be taken for those of another server'
            using hint = 'restore a backup from before the upgrade';
        end
        $refuse$
        """
    )
